import Foundation
import Glibc
import HidraClient
import HidraProtocol
import PluginHost
import TestSupport
import Testing

/// Plugins made of the program `Programs/plugin_probe.c`, compiled once, which behaves as its argument says.
enum ProbePlugin {
    /// Patience for tests: everything happens within a second or two.
    static var timing: PluginLife.Timing {
        var timing = PluginLife.Timing()
        (timing.hello, timing.goodbye, timing.terminate) = (.seconds(5), .milliseconds(400), .milliseconds(400))
        (timing.firstBackOff, timing.restarts) = (.milliseconds(50), 3)
        return timing
    }

    /// Writes a plugin's folder.
    ///
    /// - Parameter limits: lines of the manifest.
    static func folder(_ name: String, _ arguments: [String], limits: String = "", in parent: URL) async throws -> String {
        let folder = parent.appending(path: "source-\(name)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let program = try await program.value
        let command = ([program] + arguments).map { "\"\($0)\"" }.joined(separator: ", ")
        let manifest = """
            name: \(name)
            version: 1.0.0
            command: [\(command)]
            protocol: {min: 1, max: 1}
            tasks: [classify]
            heads: [\(name)-head]
            \(limits)

            """
        try Data(manifest.utf8).write(to: folder.appending(path: "plugin.yaml"))
        return folder.path
    }

    private static let program = Task<String, any Error> {
        try await onThread {
            let program = Golden.packageRoot.appending(path: ".build/c/plugin_probe").path
            try run("make -s -C Sources/CHidraPlugin")
            try run(
                "cc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 -ISources/CHidraPlugin/include Tests/DaemonTests/Programs/plugin_probe.c "
                    + ".build/c/libhidra.a -lzmq -lprotobuf-c -lpthread -lm -o \(program)")
            return program
        }
    }

    private static func run(_ command: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", command]
        process.currentDirectoryURL = Golden.packageRoot
        try process.run()
        process.waitUntilExit()
        // Thrown, not recorded: this runs in no test's own task.
        guard process.terminationStatus == 0 else { throw RawPeer.Failure(message: "status \(process.terminationStatus): \(command)") }
    }

    private static func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await RawPeer.onThread(work)
    }
}

extension HidraClient {
    /// The plugin once it fits, or as it is after 10 s.
    func plugin(_ name: String, when fits: (Hidra_V1_Plugin) -> Bool) async throws -> Hidra_V1_Plugin {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let plugin = try #require(try await listPlugins().first { $0.name == name })
            if fits(plugin) || deadline < .now { return plugin }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// What the plugin has printed, without times.
    func log(of name: String) async throws -> [String] {
        let lines = Recorder<[String]>()
        try await pluginLogs(name, lines: 10_000) { lines.append($0) }
        return lines.values.joined().map { String($0.drop { $0 != " " }.dropFirst()) }
    }

    /// Events about the plugin so far.
    func happened(to name: String) async throws -> [String] {
        var names: [String] = []
        let probe = Task {
            var names: [String] = []
            for try await event in events(from: 0) where event.subject == name { names.append(event.name) }
            return names
        }
        try await Task.sleep(for: .milliseconds(200))
        probe.cancel()
        names = try await probe.value
        return names
    }
}

/// Whether a process runs; one that has ended and is not reaped does not.
func isAlive(_ process: pid_t) -> Bool {
    guard let status = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return false }
    let text = String(decoding: status, as: UTF8.self)
    return text.split(separator: ")").last?.split(separator: " ").first != "Z"
}

/// Waits until none of the processes runs; false after 5 s.
func haveEnded(_ processes: [pid_t]) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(5)
    while processes.contains(where: isAlive) {
        if deadline < .now { return false }
        try await Task.sleep(for: .milliseconds(10))
    }
    return true
}
