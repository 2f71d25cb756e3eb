import ArgumentParser
import Foundation
import HidraProtocol
import PluginHost
import TestSupport
import Testing

@testable import hidra

private let programs: URL = {
    let daemon = ProcessInfo.processInfo.environment["HIDRA_DAEMON"] ?? Golden.packageRoot.appending(path: ".build/release/hidrad").path
    return URL(filePath: daemon).deletingLastPathComponent()
}()
private let hasEncoder = FileManager.default.fileExists(atPath: Home.default.path + "/encoders/minilm/model.safetensors")
private let pythonFolder = Golden.packageRoot.appending(path: ".build/python/bin").path
private let hasPython = FileManager.default.isExecutableFile(atPath: pythonFolder + "/python3")
private let isBuilt = FileManager.default.isExecutableFile(atPath: programs.appending(path: "hidra").path)

@Suite("Plugins to start from")
struct ScaffoldTests {
    /// Runs a command in a folder, with our programs and the tests' Python first in `PATH`.
    private static func run(_ command: String, in folder: URL) async throws -> (status: Int32, output: String) {
        try await withCheckedThrowingContinuation { continuation in
            let process = Process()
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments = ["-c", command + " 2>&1"]
            process.currentDirectoryURL = folder
            var environment = ProcessInfo.processInfo.environment
            environment["PATH"] = "\(programs.path):\(pythonFolder):\(environment["PATH"] ?? "/usr/bin:/bin")"
            environment["HIDRA_DAEMON"] = programs.appending(path: "hidrad").path
            process.environment = environment
            let pipe = Pipe()
            process.standardOutput = pipe
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        try process.run()
                        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
                        process.waitUntilExit()
                        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
                    })
            }
        }
    }

    @Test("in every language the manifest is valid, names the plugin, and nothing is left to fill in", arguments: Scaffold.Language.allCases)
    func files(_ language: Scaffold.Language) throws {
        let scaffold = Scaffold(language, name: "my-plugin.1", sdk: "/some/where/Hidra")
        for file in scaffold.files { #expect(!file.text.contains(/\{\{[a-z]+\}\}/) && file.text.hasSuffix("\n"), "\(file.path)") }
        let manifest = try #require(scaffold.files.first { $0.path == "plugin.yaml" })
        let read = try ManifestReader.parse(Data(manifest.text.utf8), file: manifest.path)
        #expect(read.name == "my-plugin.1" && read.heads == ["my-plugin.1"] && read.role == .train && read.encoders == ["minilm"])
        #expect(scaffold.files.contains { $0.path == "README.md" } && scaffold.files.contains { $0.path == "data/examples.tsv" })
        if language == .swift {
            let package = try #require(scaffold.files.first { $0.path == "Package.swift" }).text
            #expect(package.contains("package: \"hidra\"") && package.contains("path: \"/some/where/Hidra\""))
            #expect(scaffold.files.contains { $0.text.contains("@testable import my_plugin_1\n") })
        }
    }

    @Test("what is mistyped is named: verbs, languages, names", arguments: [
        (["plugin", "strat"], "Did you mean 'hidra plugin start'?"), (["plugin", "new", "a", "--language", "pyton"], "'swift', 'python' or 'c'"),
        (["plugin", "new", "../a", "--language", "c"], "cannot be a plugin's name"), (["plugin", "logs", "a", "-n", "0"], "1 to 100000"),
    ])
    func mistakes(_ arguments: [String], _ message: String) throws {
        var text = ""
        do {
            try UnknownVerb.check(arguments)
            _ = try Hidra.parseAsRoot(arguments)
        } catch { text = Hidra.fullMessage(for: error) }
        #expect(text.contains(message), "\(text)")
    }

    @Test("in C it builds, passes its own test and `hidra plugin test`", .enabled(if: isBuilt && hasEncoder, "hidra is not built, or has no encoder"))
    func c() async throws {
        try await passes("c", build: "make CFLAGS=-O0 && make check CFLAGS=-O0")
    }

    @Test("in Python it passes its own test and `hidra plugin test`", .enabled(if: isBuilt && hasEncoder && hasPython, "hidra is not built, has no encoder, or there is no .build/python"))
    func python() async throws {
        try await passes("python", build: "python3 -m unittest")
    }

    private func passes(_ language: String, build: String) async throws {
        let folder = try TemporaryFolder()
        let made = try await Self.run("hidra plugin new sorter --language \(language) --sdk '\(Golden.packageRoot.path)' --json", in: folder.url)
        #expect(made.status == 0 && made.output.hasPrefix("{\"event\":\"result\",\"name\":\"sorter\""), "\(made.output)")
        let again = try await Self.run("hidra plugin new sorter --language \(language) --sdk '\(Golden.packageRoot.path)'", in: folder.url)
        #expect(again.status == 5 && again.output.contains("exists"))
        let plugin = folder.url.appending(path: "sorter")
        let built = try await Self.run(build, in: plugin)
        #expect(built.status == 0, "\(built.output)")
        let tested = try await Self.run("hidra plugin test .", in: plugin)
        #expect(tested.status == 0 && tested.output.hasSuffix("10 passed, 0 failed\n"), "\(tested.output)")
    }

    @Test("`hidra plugin test` finds a plugin that says no hello, and says what else it skipped", .enabled(if: isBuilt, "hidra is not built"))
    func fails() async throws {
        let folder = try TemporaryFolder()
        try Data("name: broken\nversion: 1\ncommand: [/bin/false]\nprotocol: {min: 1}\n".utf8).write(to: folder.url.appending(path: "plugin.yaml"))
        let tested = try await Self.run("hidra plugin test .", in: folder.url)
        #expect(tested.status == 1 && tested.output.contains("3 passed, 1 failed, 6 skipped\n"), "\(tested.output)")
        #expect(tested.output.contains("it ended with status 1 before it had said hello"), "\(tested.output)")
    }
}
