import Foundation
import HidraProtocol
import Testing

@testable import PluginHost

@Suite("plugin.yaml")
struct ManifestTests {
    private static let whole = """
        name: ticket-triage
        version: 1.0
        description: "Sorts messages: by intent."
        command: [python3, plugin.py, --serve]
        protocol: {min: 1, max: 2}
        tasks: [classify, regress]
        role: train
        limits: {memory: 1.5 GB, open_files: 64, processes: 3, cpu_seconds: 60}
        encoders: [minilm]
        heads:
          - intent
          - urgency

        """

    private func parse(_ text: String) throws -> PluginManifest {
        try ManifestReader.parse(Data(text.utf8), file: "plugin.yaml")
    }

    @Test("every key is read")
    func reads() throws {
        let manifest = try parse(Self.whole)
        #expect(manifest.name == "ticket-triage" && manifest.version == "1.0")
        #expect(manifest.description == "Sorts messages: by intent.")
        #expect(manifest.command == ["python3", "plugin.py", "--serve"])
        #expect(manifest.protocolRange == 1...2 && manifest.tasks == ["classify", "regress"] && manifest.role == .train)
        #expect(manifest.limits.memoryBytes == 3 << 29 && manifest.limits.openFiles == 64)
        #expect(manifest.limits.processes == 3 && manifest.limits.cpuSeconds == 60)
        #expect(manifest.encoders == ["minilm"] && manifest.heads == ["intent", "urgency"])
    }

    @Test("what is left out has a default")
    func defaults() throws {
        let manifest = try parse("name: a\nversion: 1\ncommand: [b]\nprotocol: {min: 1}\n")
        #expect(manifest.protocolRange == 1...1 && manifest.role == .train && manifest.limits == PluginManifest.Limits())
    }

    @Test(
        "what it does not know it refuses, with the line and the nearest name",
        arguments: [
            ("descripton: x", "'descripton' is no key of a plugin. Did you mean `description`?", "description"),
            ("limits: {memry: 1 GB}", "'memry' is no key of `limits`. Did you mean `memory`?", "memory"),
            ("tasks: [clasify]", "'clasify' is no task. Did you mean `classify`?", "classify"),
            ("role: trian", "'trian' is no role. Did you mean `train`?", "train"),
            ("zzzzzz: 1", "'zzzzzz' is no key of a plugin. There are", nil),
        ] as [(String, String, String?)])
    func unknown(_ line: String, _ message: String, _ suggestion: String?) throws {
        let error = try #require(throws: PluginError.self) {
            try parse("name: a\nversion: 1\ncommand: [b]\nprotocol: {min: 1}\n\(line)\n")
        }
        #expect(error.code == .invalidArgument && error.message.contains(message) && error.message.contains("line 5"), "\(error.message)")
        #expect(error.details["suggestion"] == suggestion)
    }

    @Test(
        "values out of range are refused",
        arguments: [
            "limits: {memory: 1 MB}", "limits: {memory: 2000 TB}", "limits: {memory: much}", "limits: {memory: 1e300 GB}", "limits: {open_files: 15}",
            "limits: {processes: 0}", "limits: {cpu_seconds: -1}", "limits: [1]", "tasks: classify", "description: [a]", "heads: [{a: b}]",
            "version: 2", "name: ../evil",
        ])
    func ranges(_ line: String) throws {
        let error = try #require(throws: PluginError.self) {
            try parse("name: a\nversion: 1\ncommand: [b]\nprotocol: {min: 1}\n\(line)\n")
        }
        #expect(error.code == .invalidArgument)
    }

    @Test(
        "what is no manifest is refused",
        arguments: [
            "", "[]", "name", "\u{0}", "name: [", "name: a\n", "name: a\nversion: 1\n", "name: a\nversion: 1\ncommand: []\nprotocol: {min: 1}",
            "name: a\nversion: 1\ncommand: [b]\n", "name: a\nversion: 1\ncommand: [b]\nprotocol: {min: 2, max: 1}\n",
            "name: a\nversion: 1\ncommand: [b]\nprotocol: 1\n", "? [a]\n: b\n", "name: -a\nversion: 1\ncommand: [b]\nprotocol: {min: 1}\n",
        ])
    func broken(_ text: String) throws {
        let error = try #require(throws: PluginError.self) { try parse(text) }
        #expect(error.code == .invalidArgument, "\(error)")
    }

    @Test("a file that is too large or too deep is refused, before it is taken apart", arguments: ["[", "- ", "? ", "{a: ", "a:\n", "&a [*a, "])
    func bombs(_ piece: String) throws {
        for count in [40, 8000, 40_000] {
            let error = try #require(throws: PluginError.self) { try parse(String(repeating: piece, count: count)) }
            #expect(error.code == .invalidArgument)
        }
        #expect(throws: PluginError.self) { try parse((0..<150).map { String(repeating: " ", count: $0) + "a:\n" }.joined()) }
    }
}
