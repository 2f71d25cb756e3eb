import Encoders
import Foundation
import GRDB
import Testing

@testable import State

@Suite("Registry after a crash")
struct RegistryRecoveryTests {
    let state: TemporaryState

    init() throws { state = try TemporaryState() }

    /// A registry with an encoder, a head and a running run, as a killed process leaves it.
    private func crashed(
        _ prepare: (Registry) async throws -> Void = { _ in }
    ) async throws -> TemporaryState {
        let registry = try state.registry().registry
        try await registry.addSampleEncoder("minilm")
        try await registry.addSampleHead("bank", encoder: "minilm")
        try await prepare(registry)
        let image = try state.crashImage()
        try registry.close()
        return image
    }

    @Test("A run that was in progress is interrupted, everything else is intact")
    func interruptsRuns() async throws {
        let image = try await crashed { registry in
            let run = try await registry.beginRun(head: "bank", encoder: "minilm", configuration: "{}")
            try await registry.addMetrics([MetricRecord(run: run.id, step: 3, name: "loss", value: 1.5)])
            let done = try await registry.beginRun(head: "bank", encoder: "minilm", configuration: "{}")
            try await registry.finishRun(done.id, state: .finished)
        }
        let (registry, report) = try image.registry()
        let runs = try await registry.runs()
        #expect(runs.map(\.state) == [.finished, .interrupted])
        #expect(report.interruptedRuns == [runs[1].id])
        #expect(runs[1].message.contains("Start it again") && runs[1].ended != nil)
        #expect(try await registry.history(run: runs[1].id).map(\.value) == [1.5])
        #expect(try await registry.encoders().map(\.name) == ["minilm"])
        #expect(try await registry.heads().map(\.name) == ["bank"])
        #expect(report.quarantined.isEmpty && report.missing.isEmpty && report.adopted.isEmpty)
    }

    @Test("A whole bundle that was not yet recorded is recorded")
    func adopts() async throws {
        let image = try await crashed { registry in
            try await registry.database.write { db in
                try BundleKind.head.delete("bank", db)
                try BundleKind.encoder.delete("minilm", db)
            }
        }
        let (registry, report) = try image.registry()
        #expect(report.adopted == ["minilm", "bank"])
        #expect(try await registry.encoder(named: "minilm").files.count == 2)
        #expect(try await registry.head(named: "bank").encoder == "minilm")
        #expect(report.quarantined.isEmpty)
    }

    @Test("A replacement that was renamed but not recorded is recorded")
    func followsReplacement() async throws {
        var record = HeadRecord.sample("bank", encoder: "minilm")
        record.kind = "mlp"
        let replacement = record
        let image = try await crashed { registry in
            let staged = try registry.directory.stage(["head.safetensors": "new"])
            var complete = replacement
            complete.files = try BundleFile.list(staged)
            try BundleManifest(.head(complete)).write(to: staged)
            _ = try registry.directory.beginInstall(staged: staged, on: .heads, as: "bank")
        }
        #expect(image.exists("heads/.replaced-bank"))
        let (registry, report) = try image.registry()
        #expect(report.adopted == ["bank"])
        #expect(try await registry.head(named: "bank").kind == "mlp")
        #expect(try image.names("heads") == ["bank"])
    }

    @Test("A removal that was recorded but not carried out is finished")
    func finishesRemoval() async throws {
        let image = try await crashed { registry in
            try await registry.database.write { db in
                try BundleKind.head.delete("bank", db)
                try Registry.scheduleRemoval(.heads, "bank", db)
            }
        }
        #expect(image.exists("heads/bank"))
        let (registry, report) = try image.registry()
        #expect(!image.exists("heads/bank"))
        #expect(try await registry.heads().isEmpty)
        #expect(report.adopted.isEmpty)
    }

    /// Damage done to a bundle while the daemon was down.
    static let damages: [(what: String, path: String, content: String?)] = [
        ("a file of another size", "heads/bank/head.safetensors", "truncat"),
        ("a missing file", "heads/bank/head.safetensors", nil),
        ("a file too many", "heads/bank/extra", "x"),
        ("a manifest that is no JSON", "heads/bank/manifest.json", "{"),
        ("a manifest of an unknown kind", "heads/bank/manifest.json", #"{"format":1}"#),
        ("no manifest", "heads/bank/manifest.json", nil),
    ]

    @Test("A damaged bundle goes to quarantine and is reported", arguments: damages.indices)
    func quarantines(index: Int) async throws {
        let damage = Self.damages[index]
        let image = try await crashed()
        if let content = damage.content {
            try image.write(content, to: damage.path)
        } else {
            try FileManager.default.removeItem(at: image.root.appendingPathComponent(damage.path))
        }
        let (registry, report) = try image.registry()
        #expect(report.quarantined.keys.sorted() == ["bank"], "\(damage.what)")
        #expect(report.missing == ["bank"])
        #expect(try image.names("heads").isEmpty)
        #expect(try image.names("quarantine").count == 1)
        #expect(try await registry.encoder(named: "minilm").name == "minilm", "the others are untouched")
        // The name can be used again at once.
        try await registry.addSampleHead("bank", encoder: "minilm", weights: "again")
        #expect(try image.read("heads/bank/head.safetensors") == "again")
    }

    @Test("A bundle whose manifest was written before taps had names and encoders had modalities is read")
    func readsFormerManifests() async throws {
        let image = try await crashed()
        for (path, former) in [
            ("encoders/minilm/manifest.json", [("\"modality\":\"text\",", ""), ("\"taps\":[],", "")]),
            ("heads/bank/manifest.json", [("\"modality\":\"text\",", ""), ("\"tap\":\"6\"", "\"tap\":6")]),
        ] {
            var manifest = try image.read(path)
            for (present, before) in former {
                #expect(manifest.contains(present), "\(path)")
                manifest = manifest.replacingOccurrences(of: present, with: before)
            }
            try image.write(manifest, to: path)
        }
        let (registry, report) = try image.registry()
        #expect(report.quarantined.isEmpty)
        #expect(try await registry.head(named: "bank").tap == "6")
        #expect(try await registry.encoder(named: "minilm").modality == .text)
    }

    @Test("A bundle that is not recorded and was altered is not recorded either")
    func refusesAltered() async throws {
        let image = try await crashed { registry in
            try await registry.database.write { try BundleKind.head.delete("bank", $0) }
        }
        try image.write("haed", to: "heads/bank/head.safetensors")
        let report = try image.registry().report
        #expect(report.adopted.isEmpty)
        #expect(report.quarantined.keys.sorted() == ["bank"])
        #expect(report.notes.contains { $0.contains("SHA-256") })
    }

    @Test("Files of an encoder that are gone are reported, and pulling it again repairs it")
    func repairsMissing() async throws {
        let image = try await crashed()
        try FileManager.default.removeItem(at: image.root.appendingPathComponent("encoders/minilm"))
        let (registry, report) = try image.registry()
        #expect(report.missing == ["minilm"])
        let error = try await workbenchError { try await registry.addSampleEncoder("minilm", digest: "other") }
        #expect(error.code == .alreadyExists, "its head needs the same weights")
        try await registry.addSampleEncoder("minilm")
        #expect(try image.read("encoders/minilm/model.safetensors") == "weights")
        #expect(try await registry.heads(of: "minilm").count == 1)
    }

    @Test("Strange things in the bundle folders do not stop the daemon")
    func strangeFolders() async throws {
        let image = try await crashed()
        try image.write("x", to: "encoders/a b/file")
        try image.write("x", to: "encoders/stray-file")
        try image.write("x", to: "runs/run-12345678/step")
        let (registry, report) = try image.registry()
        #expect(report.quarantined.keys.sorted() == ["a b", "run-12345678"])
        #expect(image.exists("encoders/stray-file"), "only folders are bundles")
        #expect(try await registry.encoders().count == 1)
    }

    /// Ways of damaging `registry.sqlite`.
    enum DatabaseDamage: CaseIterable {
        case garbage, truncated, overwrittenPages

        func apply(_ url: URL) throws {
            var data = try Data(contentsOf: url)
            switch self {
            case .garbage: data = Data((0..<data.count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) })
            case .truncated: data = data.prefix(data.count / 2)
            case .overwrittenPages:
                for index in 4096..<data.count { data[index] = 0xA5 }
            }
            try data.write(to: url)
        }
    }

    @Test("A damaged registry is set aside and rebuilt from the bundles", arguments: DatabaseDamage.allCases)
    func rebuilds(damage: DatabaseDamage) async throws {
        var registry: Registry? = try state.registry().registry
        try await registry?.addSampleEncoder("minilm")
        try await registry?.addSampleHead("bank", encoder: "minilm")
        let before = try await (registry?.encoder(named: "minilm"), registry?.head(named: "bank").files)
        try registry?.close()
        registry = nil
        try damage.apply(state.root.appendingPathComponent("registry.sqlite"))

        let (rebuilt, report) = try state.registry()
        let place = try #require(report.damagedRegistry)
        #expect(FileManager.default.fileExists(atPath: place.appendingPathComponent("registry.sqlite").path))
        #expect(report.notes.contains { $0.contains("registry was damaged") })
        #expect(report.adopted == ["minilm", "bank"])
        #expect(try await rebuilt.encoder(named: "minilm") == before.0)
        #expect(try await rebuilt.head(named: "bank").files == before.1)
        let run = try await rebuilt.beginRun(head: "bank", encoder: "minilm", configuration: "{}")
        #expect(run.state == .running)
    }

    @Test("A head whose encoder is not there waits for it")
    func waitsForEncoder() async throws {
        let image = try await crashed { registry in
            try await registry.database.write { db in
                try BundleKind.head.delete("bank", db)
                try BundleKind.encoder.delete("minilm", db)
            }
        }
        try FileManager.default.removeItem(at: image.root.appendingPathComponent("encoders/minilm"))
        var opened: (registry: Registry, report: StartupReport)? = try image.registry()
        #expect(opened?.report.adopted.isEmpty == true && opened?.report.quarantined.isEmpty == true)
        #expect(opened?.report.notes.contains { $0.contains("Pull that encoder") } == true)
        #expect(image.exists("heads/bank"))
        try await opened?.registry.addSampleEncoder("minilm")
        try opened?.registry.close()
        opened = nil
        #expect(try image.registry().report.adopted == ["bank"])
    }

    @Test("A registry of a newer version is refused, not damaged")
    func newerVersion() async throws {
        let image = try await crashed { registry in
            try await registry.database.write { db in
                try db.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('99 future')")
            }
        }
        let error = try await workbenchError { _ = try image.registry() }
        #expect(error.code == .unsupported)
        #expect(!image.exists("quarantine"))
    }
}
