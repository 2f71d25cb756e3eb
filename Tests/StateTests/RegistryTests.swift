import Foundation
import GRDB
import Testing

@testable import State

@Suite("Registry")
struct RegistryTests {
    let state: TemporaryState
    let registry: Registry

    init() throws {
        state = try TemporaryState()
        registry = try state.registry().registry
    }

    @Test("What is registered is found again, field by field")
    func roundTrip() async throws {
        let encoder = try await registry.addSampleEncoder("minilm")
        #expect(encoder.files.map(\.path) == ["1_Pooling/config.json", "model.safetensors"])
        #expect(encoder.bytes == 9)
        #expect(encoder.files[1].sha256 == SHA256Digest(of: Data("weights".utf8)).hex)
        #expect(try await registry.encoder(named: "minilm") == encoder)
        #expect(try await registry.encoders() == [encoder])
        #expect(try await registry.item(named: "minilm") == .encoder(encoder))

        let head = try await registry.addSampleHead("bank", encoder: "minilm")
        let found = try await registry.head(named: "bank")
        #expect(found.metrics["loss"]?.isNaN == true)
        #expect(found.metrics["lift"] == .infinity)
        #expect(found.labels == head.labels && found.files == head.files && found.created == head.created)
        #expect(try await registry.heads(of: "minilm").map(\.name) == ["bank"])
        #expect(try await registry.heads(of: "other").isEmpty)
        #expect(try BundleManifest.read(registry.folder(of: encoder)).record == .encoder(encoder))
        try await registry.verify(.encoder(encoder))
    }

    @Test("A name belongs to one encoder or one head")
    func uniqueNames() async throws {
        try await registry.addSampleEncoder("minilm")
        try await registry.addSampleHead("bank", encoder: "minilm")
        let attempts: [() async throws -> Void] = [
            { try await registry.addSampleEncoder("minilm", weights: "other") },
            { try await registry.addSampleEncoder("bank") },
            { try await registry.addSampleHead("bank", encoder: "minilm", weights: "other") },
            { try await registry.addSampleHead("minilm", encoder: "minilm") },
            { try await registry.requireHeadName("bank", replacing: false) },
            { try await registry.requireHeadName("minilm", replacing: true) },
        ]
        for attempt in attempts {
            let error = try await workbenchError(attempt)
            #expect(error.code == .alreadyExists, "\(error)")
        }
        try await registry.requireHeadName("bank", replacing: true)
        try await registry.requireHeadName("free", replacing: false)
        #expect(try state.read("encoders/minilm/model.safetensors") == "weights")
        #expect(try state.read("heads/bank/head.safetensors") == "head")
        #expect(try state.names("encoders") == ["minilm"])
        #expect(try state.names("heads") == ["bank"])
    }

    @Test("A bad name is refused before anything is written")
    func badNames() async throws {
        for name in ["../evil", "", "a b"] {
            let error = try await workbenchError { try await registry.addSampleEncoder(name) }
            #expect(error.code == .invalidArgument)
        }
        #expect(try state.names("encoders").isEmpty)
    }

    @Test("A mistyped name gets a suggestion, and a wrong kind is named")
    func notFound() async throws {
        let empty = try await workbenchError { _ = try await registry.encoder(named: "minilm") }
        #expect(empty.code == .notFound && empty.message.contains("hidra pull"))
        try await registry.addSampleEncoder("minilm")
        try await registry.addSampleHead("intent", encoder: "minilm")
        let lookups: [(() async throws -> Void, String)] = [
            ({ _ = try await registry.encoder(named: "minlm") }, "minilm"),
            ({ _ = try await registry.head(named: "intnet") }, "intent"),
            ({ _ = try await registry.item(named: "Intent") }, "intent"),
            ({ _ = try await registry.remove(named: "minilmm", withHeads: true) }, "minilm"),
        ]
        for (lookup, suggestion) in lookups {
            let error = try await workbenchError(lookup)
            #expect(error.code == .notFound)
            #expect(error.details["suggestion"] == suggestion)
            #expect(error.message.contains("Did you mean '\(suggestion)'?"))
        }
        let kind = try await workbenchError { _ = try await registry.head(named: "minilm") }
        #expect(kind.code == .notFound && kind.message.contains("is an encoder, not a head"))
    }

    @Test("An encoder is removed only together with its heads")
    func removesWithHeads() async throws {
        try await registry.addSampleEncoder("minilm", weights: "0123456789")
        for head in ["bank", "tone"] { try await registry.addSampleHead(head, encoder: "minilm") }
        let refused = try await workbenchError {
            _ = try await registry.removeEncoder(named: "minilm", withHeads: false)
        }
        #expect(refused.code == .conflict)
        #expect(refused.details["heads"] == "bank,tone")
        #expect(refused.message.contains("bank, tone"))
        #expect(try await registry.heads().count == 2)

        let removal = try await registry.remove(named: "minilm", withHeads: true)
        #expect(removal.names == ["bank", "tone", "minilm"])
        #expect(removal.weightsDigests == ["d1"])
        #expect(removal.bytesFreed > 18, "files and manifests")
        #expect(try await registry.encoders().isEmpty)
        for path in ["encoders", "heads", "staging"] { #expect(try state.names(path).isEmpty, "\(path)") }
        try await registry.addSampleHeadless("bank")
    }

    @Test("Weights that another encoder still has keep their features")
    func sharedWeights() async throws {
        try await registry.addSampleEncoder("one")
        try await registry.addSampleEncoder("two")
        #expect(try await registry.remove(named: "one", withHeads: false).weightsDigests.isEmpty)
        #expect(try await registry.remove(named: "two", withHeads: false).weightsDigests == ["d1"])
    }

    @Test("A head is replaced as a whole, and only by one trained on the same weights")
    func replacesHead() async throws {
        try await registry.addSampleEncoder("minilm")
        try await registry.addSampleHead("bank", encoder: "minilm", weights: "old")
        var record = HeadRecord.sample("bank", encoder: "minilm")
        record.kind = "mlp"
        try await registry.replaceHead(record, staged: registry.directory.stage(["head.safetensors": "new"]))
        #expect(try await registry.head(named: "bank").kind == "mlp")
        #expect(try state.read("heads/bank/head.safetensors") == "new")

        record.encoderDigest = "other"
        let error = try await workbenchError {
            try await registry.replaceHead(record, staged: registry.directory.stage(["head.safetensors": "wrong"]))
        }
        #expect(error.code == .invalidArgument)
        #expect(try state.read("heads/bank/head.safetensors") == "new")
        try await registry.verify(.head(registry.head(named: "bank")))
    }

    @Test("A bundle whose record cannot be written is taken back", arguments: [false, true])
    func takesBack(replacing: Bool) async throws {
        try await registry.addSampleEncoder("minilm")
        if replacing { try await registry.addSampleHead("bank", encoder: "minilm", weights: "old") }
        try await registry.database.write { db in
            try db.execute(sql: "CREATE TRIGGER refuse BEFORE INSERT ON head BEGIN SELECT RAISE(ABORT, 'no'); END")
        }
        let error = try await workbenchError {
            try await registry.replaceHead(
                .sample("bank", encoder: "minilm"), staged: registry.directory.stage(["head.safetensors": "new"]))
        }
        #expect(error.code == .internalError)
        #expect(try state.names("heads") == (replacing ? ["bank"] : []))
        if replacing { #expect(try state.read("heads/bank/head.safetensors") == "old") }
        #expect(try await registry.heads().count == (replacing ? 1 : 0))
        #expect(try state.names("staging").isEmpty)
    }

    @Test("A bundle is compared with the list of a verified download")
    func declaredFiles() async throws {
        var record = EncoderRecord.sample("minilm")
        record.files = [BundleFile(path: "model.safetensors", bytes: 7, sha256: "s")]
        for files in [
            ["model.safetensors": "short"], ["model.safetensors": "weights", "extra": ""], ["other": "weights"],
        ] {
            let staged = try registry.directory.stage(files)
            let error = try await workbenchError { try await registry.addEncoder(record, staged: staged) }
            #expect(error.code == .corrupt)
        }
        let staged = try registry.directory.stage(["model.safetensors": "weights"])
        let added = try await registry.addEncoder(record, staged: staged)
        #expect(added.files == record.files)
        let altered = try await workbenchError { try await registry.verify(.encoder(added)) }
        #expect(altered.code == .corrupt && altered.details["file"] == "model.safetensors")
    }

    @Test("Twenty tasks at once leave a consistent registry")
    func concurrentUse() async throws {
        try await registry.addSampleEncoder("minilm")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<20 {
                group.addTask { [registry] in
                    try await registry.addSampleHead("head\(index)", encoder: "minilm")
                    _ = try await registry.heads()
                    if index.isMultiple(of: 2) { _ = try await registry.removeHead(named: "head\(index)") }
                }
            }
            try await group.waitForAll()
        }
        let odd = (0..<20).filter { !$0.isMultiple(of: 2) }.map { "head\($0)" }.sorted()
        #expect(try await registry.heads().map(\.name) == odd)
        #expect(try state.names("heads") == odd)
    }
}

extension Registry {
    /// A name that was freed can be taken by the other kind.
    fileprivate func addSampleHeadless(_ name: String) async throws {
        try await addSampleEncoder(name)
        _ = try await removeEncoder(named: name, withHeads: false)
    }
}
