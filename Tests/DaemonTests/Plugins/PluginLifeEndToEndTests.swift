import Foundation
import Glibc
import HidraClient
import HidraProtocol
import PluginHost
import TestSupport
import Testing

/// With real processes, on real sockets.
@Suite("Plugins that the daemon runs", .serialized)
struct PluginLifeEndToEndTests {
    private func daemon(_ timing: PluginLife.Timing = ProbePlugin.timing, folder: TemporaryFolder? = nil) throws -> RunningDaemon {
        try RunningDaemon(folder: folder, environment: ["PATH": "/usr/bin:/bin", "HOME": "/root", "SECRET": "hush"], pluginTiming: timing)
    }

    private func install(_ name: String, _ arguments: [String], limits: String = "", _ daemon: RunningDaemon, _ client: HidraClient) async throws {
        let folder = try await ProbePlugin.folder(name, arguments, limits: limits, in: daemon.folder.url)
        _ = try await client.installPlugin(folder)
    }

    @Test("is installed, started, stopped, listed and removed, and knows next to nothing of the daemon")
    func life() async throws {
        let daemon = try daemon()
        let client = try await daemon.connect()
        try await install("tell", ["tell"], limits: "limits: {memory: 256 MB, open_files: 99}", daemon, client)
        let installed = try #require(try await client.listPlugins().first)
        #expect(installed.state == "stopped" && installed.processID == 0 && installed.role == "train" && installed.heads == ["tell-head"])

        let running = try await client.controlPlugin("tell", .start)
        #expect(running.state == "running" && running.restarts == 0 && isAlive(pid_t(running.processID)))
        let lines = try await client.log(of: "tell")
        let variables = lines.filter { $0.hasPrefix("variable ") }.map { $0.dropFirst("variable ".count).prefix { $0 != "=" } }.sorted()
        #expect(variables == ["HIDRA_HOME", "HIDRA_PLUGIN_NAME", "HIDRA_PLUGIN_TOKEN", "HOME", "LANG", "PATH", "TMPDIR"])
        let descriptors = lines.filter { $0.hasPrefix("descriptor ") }.map { $0.split(separator: " ") }
        #expect(descriptors.map { $0[1] } == ["0", "1", "2"] && descriptors[0][2] == "/dev/null" && descriptors[1][2].hasPrefix("pipe:"))
        #expect(lines.contains("leader 1 1") && lines.contains("limits \(256 << 20) 99 0"), "\(lines)")
        #expect(lines.contains("folder \(running.directory)") && running.directory.hasPrefix(daemon.home.path + "/plugins/tell"))

        let stopped = try await client.controlPlugin("tell", .stop)
        #expect(stopped.state == "stopped" && !isAlive(pid_t(running.processID)))
        #expect(try await client.log(of: "tell").contains { $0.contains("goodbye: hidrad closed the connection: stopped by hand") })
        _ = try await client.controlPlugin("tell", .remove)
        #expect(try await client.listPlugins().isEmpty)
        #expect(!FileManager.default.fileExists(atPath: daemon.home.path + "/plugins/tell"))
        #expect(try await client.happened(to: "tell") == ["plugin.installed", "plugin.started", "plugin.stopped", "plugin.removed"])
        try await daemon.stop()
    }

    @Test("one that crashes is started again, later each time, and in the end no more")
    func crash() async throws {
        let daemon = try daemon()
        let client = try await daemon.connect()
        try await install("crash", ["crash"], daemon, client)
        _ = try await client.controlPlugin("crash", .start)
        let failed = try await client.plugin("crash") { $0.state == "failed" }
        #expect(failed.state == "failed" && failed.restarts == 3 && failed.problem == "it ended with status 3")
        let names = try await client.happened(to: "crash")
        let cycle = ["plugin.started", "plugin.restarting"]
        #expect(names == ["plugin.installed"] + cycle + cycle + cycle + ["plugin.started", "plugin.failed"])
        let waits = try await client.log(of: "crash").compactMap { $0.split(separator: " starts again in ").dropFirst().first }
        #expect(waits == ["0.1 s", "0.1 s", "0.2 s"])
        try await daemon.stop()
    }

    @Test("one that hangs before its hello is killed, though it ignores SIGTERM")
    func hang() async throws {
        var timing = ProbePlugin.timing
        (timing.hello, timing.restarts) = (.milliseconds(200), 1)
        let daemon = try daemon(timing)
        let client = try await daemon.connect()
        try await install("mute", ["mute"], daemon, client)
        let error = try await #require(throws: HidraError.self) { try await client.controlPlugin("mute", .start) }
        #expect(error.code == .unavailable && error.message.contains("did not say hello within 0.2 s"), "\(error.message)")
        let failed = try await client.plugin("mute") { $0.state == "failed" }
        #expect(failed.state == "failed" && failed.processID == 0)
        try await daemon.stop()
    }

    @Test("a stop of the daemon does not wait for a hello that does not come")
    func stopsWhileStarting() async throws {
        var timing = ProbePlugin.timing
        timing.hello = .seconds(60)
        let daemon = try daemon(timing)
        let client = try await daemon.connect()
        try await install("mute", ["mute"], daemon, client)
        let starting = Task { try await client.controlPlugin("mute", .start) }
        let process = pid_t(try await client.plugin("mute") { $0.processID > 0 }.processID)
        let start = ContinuousClock.now
        try await daemon.stop(grace: .milliseconds(100))
        #expect(ContinuousClock.now - start < .seconds(5) && !isAlive(process))
        let error = try await #require(throws: HidraError.self) { try await starting.value }
        #expect(error.code == .interrupted, "\(error)")
    }

    @Test("one that ignores the goodbye gets SIGTERM, and one that ignores that, SIGKILL")
    func stubborn() async throws {
        let daemon = try daemon()
        let client = try await daemon.connect()
        try await install("stubborn", ["stubborn"], daemon, client)
        let process = pid_t(try await client.controlPlugin("stubborn", .start).processID)
        let start = ContinuousClock.now
        _ = try await client.controlPlugin("stubborn", .stop)
        let needed = ContinuousClock.now - start
        #expect(!isAlive(process) && needed > .milliseconds(780) && needed < .seconds(4), "\(needed)")
        try await daemon.stop()
    }

    @Test("one that is done is not started again; one that cannot be run says why")
    func ends() async throws {
        let daemon = try daemon()
        let client = try await daemon.connect()
        try await install("done", ["done"], daemon, client)
        _ = try await client.controlPlugin("done", .start)
        #expect(try await client.plugin("done") { $0.state == "stopped" }.state == "stopped")
        let folder = daemon.folder.url.appending(path: "absent")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data("name: absent\nversion: 1\ncommand: [no-such-program]\nprotocol: {min: 1}\n".utf8).write(to: folder.appending(path: "plugin.yaml"))
        _ = try await client.installPlugin(folder.path)
        let error = try await #require(throws: HidraError.self) { try await client.controlPlugin("absent", .start) }
        #expect(error.message.contains("no-such-program is neither in its folder"), "\(error.message)")
        try await daemon.stop()
    }

    @Test("all that a plugin has started dies with it, even what has left its session")
    func children() async throws {
        let daemon = try daemon()
        let client = try await daemon.connect()
        try await install("parent", ["children"], daemon, client)
        func family() async throws -> [pid_t] {
            for _ in 0..<200 {
                let lines = try await client.log(of: "parent")
                let children = lines.filter { $0.hasPrefix("child ") }.suffix(2).compactMap { pid_t($0.dropFirst(6)) }
                if children.count == 2, children.allSatisfy(isAlive) { return children }
                try await Task.sleep(for: .milliseconds(10))
            }
            return []
        }
        let first = try await client.controlPlugin("parent", .start)
        let children = try await family()
        #expect(children.count == 2)
        kill(pid_t(first.processID), SIGKILL)
        #expect(try await haveEnded(children))
        let second = try await client.plugin("parent") { $0.state == "running" && $0.processID != first.processID }
        #expect(second.state == "running" && second.restarts == 1)
        let others = try await family()
        _ = try await client.controlPlugin("parent", .stop)
        #expect(others.count == 2 && !others.contains(where: isAlive))
        try await daemon.stop()
    }

    @Test("a stop of the daemon ends its plugins, and the next daemon starts those that ran")
    func comesBack() async throws {
        let first = try daemon()
        let client = try await first.connect()
        for name in ["wanted", "unwanted"] {
            try await install(name, ["serve"], first, client)
            _ = try await client.controlPlugin(name, .start)
        }
        _ = try await client.controlPlugin("unwanted", .stop)
        let process = pid_t(try await client.plugin("wanted") { $0.state == "running" }.processID)
        await client.close()
        try await first.stop()
        #expect(!isAlive(process))

        let second = try daemon(folder: first.folder)
        let again = try await second.connect()
        #expect(try await again.plugin("wanted") { $0.state == "running" }.state == "running")
        #expect(try await again.plugin("unwanted") { $0.state == "stopped" }.state == "stopped")
        try await second.stop()
    }

    @Test("a plugin is replaced while it runs; refusals say what to do")
    func replaces() async throws {
        let daemon = try daemon()
        let client = try await daemon.connect()
        try await install("one", ["serve"], daemon, client)
        let before = try await client.controlPlugin("one", .start)
        let folder = try await ProbePlugin.folder("one", ["tell"], in: daemon.folder.url)
        let taken = try await #require(throws: HidraError.self) { try await client.installPlugin(folder) }
        #expect(taken.code == .alreadyExists && taken.message.contains("--replace"))
        _ = try await client.installPlugin(folder, replace: true)
        let after = try await client.plugin("one") { $0.state == "running" }
        #expect(after.processID != before.processID && after.command.last == "tell")

        let missing = try await #require(throws: HidraError.self) { try await client.controlPlugin("oen", .start) }
        #expect(missing.code == .notFound && missing.details["suggestion"] == "one")
        let relative = try await #require(throws: HidraError.self) { try await client.installPlugin("here") }
        #expect(relative.code == .invalidArgument)
        let empty = try await #require(throws: HidraError.self) { try await client.installPlugin(daemon.folder.url.path) }
        #expect(empty.code == .notFound && empty.message.contains("plugin.yaml"))
        try FileManager.default.createSymbolicLink(atPath: folder + "/out", withDestinationPath: "/etc/passwd")
        let link = try await #require(throws: HidraError.self) { try await client.installPlugin(folder, replace: true) }
        #expect(link.code == .invalidArgument && link.message.contains("is a link out of"))
        // Nothing of that has touched what runs.
        #expect(try await client.plugin("one") { $0.state == "running" }.processID == after.processID)
        try await daemon.stop()
    }
}
