import Foundation
import HidraProtocol
import TestSupport
import Testing

/// Programs in C, compiled without Swift and run against a daemon.
@Suite("From C, programs", .serialized, .enabled(if: StartedDaemon.isBuilt, "hidrad is not built"))
struct ProgramTests {
    private static let root = Golden.packageRoot

    /// - Returns: exit status and standard output.
    private static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> (
        status: Int32, output: String
    ) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.currentDirectoryURL = root
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    /// Compiles sources with the library's own Makefile, warnings being errors.
    private static func compile(_ sources: [String], in folder: URL) throws -> String {
        let program = folder.appending(path: "program").path
        let library = folder.appending(path: "c").path
        let made = try run(["make", "-s", "-C", "Sources/CHidraPlugin", "BUILD=\(library)", "CFLAGS=-O0"])
        #expect(made.status == 0, "\(made.output)")
        let flags = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-ISources/CHidraPlugin/include"]
        let libraries = ["\(library)/libhidra.a", "-lzmq", "-lprotobuf-c", "-lpthread", "-lm", "-o", program]
        let compiled = try run(["cc"] + flags + sources + libraries)
        #expect(compiled.status == 0, "\(compiled.output)")
        return program
    }

    @Test(
        "the examples of the READMEs compile and run",
        arguments: [
            ("README.md", "my order has not arrived: (delivery|fault)\n"), ("Sources/CHidraPlugin/README.md", "mean loss [0-9.]+\n"),
        ])
    func example(_ readme: String, expected: String) async throws {
        let daemon = try await StartedDaemon(encoder: "minilm")
        let text = try String(contentsOf: Self.root.appending(path: readme), encoding: .utf8)
        let start = try #require(text.range(of: "```c\n")).upperBound
        let end = try #require(text.range(of: "```\n", range: start..<text.endIndex)).lowerBound
        let source = daemon.folder.url.appending(path: "example.c")
        try Data(text[start..<end].utf8).write(to: source)
        let (folder, home) = (daemon.folder.url, daemon.home.path)
        let result = try await onThread {
            let program = try Self.compile([source.path], in: folder)
            return try Self.run([program], environment: ["HIDRA_HOME": home])
        }
        #expect(result.status == 0)
        #expect(try result.output.wholeMatch(of: Regex(expected)) != nil, "\(result.output)")
        try await daemon.stop()
    }

    @Test(
        "heads trained step by step, callbacks, several columns, graphs and events do as the header says",
        arguments: ["steps", "callbacks"])
    func exercised(_ name: String) async throws {
        let daemon = try await StartedDaemon()
        let (folder, home) = (daemon.folder.url, daemon.home.path)
        let result = try await onThread {
            let program = try Self.compile(["Tests/CHidraPluginTests/Programs/\(name).c"], in: folder)
            return try Self.run([program, home, "tiny"])
        }
        #expect(result.status == 0 && result.output == "0 not as expected\n", "\(result.output)")
        try await daemon.stop()
    }

    @Test("price-regressor trains on its data and says how far off it is")
    func priceRegressor() async throws {
        let daemon = try await StartedDaemon()
        let (folder, home) = (daemon.folder.url, daemon.home.path)
        let result = try await onThread {
            let sources = ["main.c", "prices.c"].map { "Plugins/price-regressor/Sources/" + $0 }
            let program = try Self.compile(sources, in: folder)
            let wrong = try Self.run([program, "--data", "/nowhere"], environment: ["HIDRA_HOME": home])
            #expect(wrong.status == 4)
            return try Self.run([program, "--encoder", "tiny"], environment: ["HIDRA_HOME": home])
        }
        #expect(result.status == 0)
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 7 && lines[0].hasPrefix("134 rows to learn from, 33 held out"), "\(result.output)")
        #expect(lines.count == 7 && lines[1].contains(/^MAE [0-9.]+ and R2 -?[0-9.]+/))
        try await daemon.stop()
    }
}
