import Foundation
import Testing

@testable import State

@Suite("State directory")
struct StateDirectoryTests {
    let state: TemporaryState

    init() throws { state = try TemporaryState() }

    @Test("A new state directory belongs to its user alone")
    func createsFolders() throws {
        let root = state.root.appendingPathComponent("deeper/home")
        _ = try StateDirectory(root: root)
        for path in ["", "encoders", "heads", "runs", "staging"] {
            let url = root.appendingPathComponent(path)
            let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
            #expect(attributes[.posixPermissions] as? Int == 0o700, "\(url.path)")
            #expect(attributes[.type] as? FileAttributeType == .typeDirectory)
        }
    }

    @Test("A second daemon on the same directory is told which process uses it")
    func locks() async throws {
        var first: StateDirectory? = try state.directory()
        let error = try await workbenchError { _ = try state.directory() }
        #expect(error.code == .alreadyExists)
        #expect(error.details["process"] == "\(ProcessInfo.processInfo.processIdentifier)")
        withExtendedLifetime(first) {}
        first = nil
        _ = try state.directory()
    }

    @Test("Staging is emptied at start, bundles are not")
    func emptiesStaging() throws {
        try state.write("half a download", to: "staging/abc/model.safetensors")
        try state.write("kept", to: "encoders/minilm/model.safetensors")
        let directory = try state.directory()
        #expect(try state.names("staging").isEmpty)
        #expect(try state.read("encoders/minilm/model.safetensors") == "kept")
        #expect(directory.repairs.count == 1)
    }

    @Test("Installing replaces a bundle as a whole and leaves nothing else behind")
    func replaces() throws {
        let directory = try state.directory()
        try directory.install(staged: directory.stage(["a": "old", "b": "old"]), on: .heads, as: "bank")
        try directory.install(staged: directory.stage(["a": "new"]), on: .heads, as: "bank")
        #expect(try state.names("heads/bank") == ["a"])
        #expect(try state.read("heads/bank/a") == "new")
        #expect(try state.names("heads") == ["bank"])
        #expect(try state.names("staging").isEmpty)
    }

    @Test("Rolling an installation back restores what was there", arguments: [true, false])
    func rollsBack(replacing: Bool) throws {
        let directory = try state.directory()
        if replacing { try directory.install(staged: directory.stage(["a": "old"]), on: .heads, as: "bank") }
        let installation = try directory.beginInstall(staged: directory.stage(["a": "new"]), on: .heads, as: "bank")
        #expect(try state.read("heads/bank/a") == "new")
        try installation.rollBack()
        #expect(state.exists("heads/bank") == replacing)
        if replacing { #expect(try state.read("heads/bank/a") == "old") }
        #expect(try state.names("heads") == (replacing ? ["bank"] : []))
        #expect(try state.names("staging").isEmpty)
    }

    /// Files left by a process that died at each point of a replacement, and the content found afterwards.
    static let crashes: [(moment: String, files: [String: String], expected: String)] = [
        ("before the first rename", ["heads/bank/a": "old", "staging/x/a": "new"], "old"),
        ("between the renames", ["heads/.replaced-bank/a": "old", "staging/x/a": "new"], "old"),
        ("before the deletion", ["heads/.replaced-bank/a": "old", "heads/bank/a": "new"], "new"),
        ("during a roll back", ["heads/.replaced-bank/a": "old", "staging/y/a": "new"], "old"),
        ("after the deletion", ["heads/bank/a": "new"], "new"),
    ]

    @Test("A replacement interrupted anywhere leaves exactly one whole bundle", arguments: crashes.indices)
    func recovers(index: Int) throws {
        let crash = Self.crashes[index]
        for (path, text) in crash.files { try state.write(text, to: path) }
        var directory: StateDirectory? = try state.directory()
        #expect(try state.names("heads") == ["bank"], "\(crash.moment)")
        #expect(try state.read("heads/bank/a") == crash.expected, "\(crash.moment)")
        #expect(try state.names("staging").isEmpty)
        withExtendedLifetime(directory) {}
        directory = nil
        #expect(try state.directory().repairs.isEmpty, "a second start has nothing left to repair")
    }

    @Test("Quarantine keeps every damaged bundle under a name of its own")
    func quarantines() throws {
        let directory = try state.directory()
        var places: Set<URL> = []
        for content in ["one", "two", "three"] {
            try state.write(content, to: "encoders/minilm/model.safetensors")
            let place = try directory.quarantine(directory.folder(.encoders, "minilm"))
            #expect(
                try String(contentsOf: place.appendingPathComponent("model.safetensors"), encoding: .utf8) == content)
            #expect(place.lastPathComponent.hasPrefix("minilm-20"))
            places.insert(place)
        }
        #expect(places.count == 3)
        #expect(try directory.names(on: .encoders).isEmpty)
    }

    @Test("A link in a staged bundle is refused, because it could point anywhere")
    func refusesLinks() async throws {
        let directory = try state.directory()
        let staged = try directory.stage(["a": "x"])
        try FileManager.default.createSymbolicLink(
            atPath: staged.appendingPathComponent("model.safetensors").path, withDestinationPath: "/etc/passwd")
        let error = try await workbenchError { try directory.install(staged: staged, on: .encoders, as: "minilm") }
        #expect(error.code == .invalidData)
        #expect(try directory.names(on: .encoders).isEmpty)
    }

    @Test("Asking for more space than there is says how much is missing")
    func requiresSpace() async throws {
        let directory = try state.directory()
        try directory.requireSpace(bytes: 1, for: "a small file")
        for bytes in [1 << 60, Int.max] {
            let error = try await workbenchError { try directory.requireSpace(bytes: bytes, for: "encoder 'huge'") }
            #expect(error.code == .diskFull)
            #expect(try #require(Int(error.details["missing_bytes"] ?? "")) > 1 << 59)
            #expect(error.message.contains("encoder 'huge'") && error.message.contains("missing"))
        }
    }

    @Test(
        "Sizes are written as people read them",
        arguments: [
            (0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (1_550, "1.6 kB"), (999_949, "999.9 kB"),
            (999_950, "1.0 MB"), (90_868_376, "90.9 MB"), (4 << 30, "4.3 GB"),
        ])
    func byteCounts(bytes: Int, text: String) {
        #expect(ByteCount(bytes).description == text)
    }
}
