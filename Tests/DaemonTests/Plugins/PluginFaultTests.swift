import Foundation
import Glibc
import HidraClient
import HidraProtocol
import PluginHost
import TestSupport
import Testing

/// Plugins that do what they should not, and everybody else, who must not notice.
@Suite("Plugins that misbehave", .serialized)
struct PluginFaultTests {
    private func daemon() throws -> RunningDaemon {
        try RunningDaemon(environment: ["PATH": "/usr/bin:/bin"], pluginTiming: ProbePlugin.timing)
    }

    private func start(_ name: String, _ arguments: [String], limits: String = "", _ daemon: RunningDaemon, _ client: HidraClient) async throws -> Hidra_V1_Plugin {
        let folder = try await ProbePlugin.folder(name, arguments, limits: limits, in: daemon.folder.url)
        _ = try await client.installPlugin(folder)
        return try await client.controlPlugin(name, .start)
    }

    @Test("a flooded log is bounded and costs the daemon little: it answers as ever")
    func flood() async throws {
        let daemon = try daemon()
        let client = try await daemon.connect()
        _ = try await start("flood", ["flood"], daemon, client)
        var slowest = Duration.zero
        let before = processorSeconds(), start = ContinuousClock.now
        for _ in 0..<60 {
            let asked = ContinuousClock.now
            _ = try await client.status()
            slowest = max(slowest, ContinuousClock.now - asked)
            try await Task.sleep(for: .milliseconds(25))
        }
        let share = (processorSeconds() - before) / ((ContinuousClock.now - start) / .seconds(1))
        #expect(slowest < .milliseconds(500), "\(slowest)")
        #expect(share < 0.5, "the daemon used \(share) of a core")
        let dropped = try await client.pluginLogs("flood", lines: 1) { _ in }
        #expect(dropped > 1000)
        let folder = daemon.home.path + "/plugins/flood"
        let sizes = try ["log", "log.1"].filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }.map {
            try FileManager.default.attributesOfItem(atPath: "\(folder)/\($0)")[.size] as? Int ?? 0
        }
        #expect(sizes.reduce(0, +) < 3 << 20, "\(sizes)")
        _ = try await client.controlPlugin("flood", .stop)
        try await daemon.stop()
    }

    @Test("one that leaks runs into its limit; one that hoards shared memory, or forks too much, is ended")
    func limits() async throws {
        let daemon = try daemon()
        let client = try await daemon.connect()
        for (name, limits, why) in [
            ("leak", "limits: {memory: 64 MB}", "signal 6"), ("hoard", "limits: {memory: 64 MB}", "of memory, more than 64 MB"),
            ("bomb", "limits: {processes: 10}", "processes, more than 10"),
        ] {
            _ = try await start(name, [name], limits: limits, daemon, client)
            let plugin = try await client.plugin(name) { !$0.problem.isEmpty }
            #expect(plugin.problem.contains(why), "\(name): \(plugin.problem)")
            _ = try await client.controlPlugin(name, .stop)
        }
        #expect(try await client.log(of: "leak").contains { $0.hasPrefix("no memory after") })
        try await daemon.stop()
    }

    @Test("garbage on every socket is answered or ignored, and nobody else notices")
    func garbage() async throws {
        let daemon = try daemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(64))
        _ = try await start("garbage", ["garbage", Endpoints.current(daemon.home).directory], daemon, client)
        let reply = try await client.train(trainRequest("beside", data))
        #expect(reply.head.name == "beside")
        _ = try await client.plugin("garbage") { _ in true }
        for _ in 0..<500 where try await !client.log(of: "garbage").contains("garbage sent") { try await Task.sleep(for: .milliseconds(10)) }
        #expect(try await client.log(of: "garbage").contains("garbage sent"))
        #expect(try await client.plugin("garbage") { $0.state == "running" }.restarts == 0)
        #expect(try await client.predict(heads: ["beside"], .texts(["aa a"])).inputs.count == 1)
        try await daemon.stop()
    }

    @Test("a plugin's crashes leave another's training as it would have been, and its heads go on answering")
    func others() async throws {
        let daemon = try daemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(256))
        let alone = try await client.train(trainRequest("alone", data, epochs: 40))

        _ = try await start("maker", ["train", "made"], daemon, client)
        for _ in 0..<500 where try await !client.list().heads.contains(where: { $0.name == "made" }) { try await Task.sleep(for: .milliseconds(10)) }
        let answer = try await client.predict(heads: ["made"], .texts(["bb a"]))
        _ = try await start("crash", ["crash"], daemon, client)
        async let training = client.train(trainRequest("beside", data, epochs: 40))
        let maker = try await client.plugin("maker") { $0.state == "running" }
        kill(pid_t(maker.processID), SIGKILL)
        let dead = try await client.predict(heads: ["made"], .texts(["bb a"]))
        #expect(dead.inputs == answer.inputs)
        #expect(try await training.head.digest == alone.head.digest)
        _ = try await client.controlPlugin("maker", .remove)
        #expect(try await client.predict(heads: ["made"], .texts(["bb a"])).inputs == answer.inputs)
        try await daemon.stop()
    }

    @Test("a token that no running plugin has opens nothing")
    func token() async throws {
        let daemon = try daemon()
        let client = try await daemon.connect()
        for token in ["0", String(repeating: "f", count: 64)] {
            var hello = Hidra_V1_Hello()
            (hello.protocolMin, hello.protocolMax, hello.pluginToken) = (1, 1, token)
            let frames = try Frames.encode(WireMessage(.reply(to: 1, .hello(hello))), limit: 1 << 20)
            let endpoint = Endpoints.current(daemon.home).control
            let replies = try await RawPeer.onThread { try RawPeer.exchange(endpoint, [frames], expecting: 1) }
            #expect(replies.first?.error.code == ErrorCode.permissionDenied.rawValue)
        }
        await client.close()
        try await daemon.stop()
    }

    @Test("a daemon that is killed leaves no plugin behind: the next one ends what is left, and starts it again")
    func killed() async throws {
        let executable = ProcessInfo.processInfo.environment["HIDRA_DAEMON"] ?? Golden.packageRoot.appending(path: ".build/release/hidrad").path
        try #require(access(executable, X_OK) == 0, "hidrad is not built")
        setenv("HIDRA_DAEMON", executable, 1)
        let folder = try TemporaryFolder()
        let home = Home(path: folder.url.appending(path: "home").path)
        let first = try await HidraClient.connect(home: home, client: "test")
        _ = try await first.installPlugin(try await ProbePlugin.folder("orphan", ["children"], in: folder.url))
        let plugin = pid_t(try await first.controlPlugin("orphan", .start).processID)
        var children: [pid_t] = []
        for _ in 0..<200 where children.count < 2 {
            children = try await first.log(of: "orphan").filter { $0.hasPrefix("child ") }.compactMap { pid_t($0.dropFirst(6)) }
            try await Task.sleep(for: .milliseconds(10))
        }
        let daemon = pid_t(first.welcome.processID)
        kill(daemon, SIGKILL)
        #expect(try await haveEnded([daemon, plugin]))
        #expect(children.count == 2 && children.contains(where: isAlive))

        let second = try await HidraClient.connect(home: home, client: "test")
        #expect(try await haveEnded(children))
        let again = try await second.plugin("orphan") { $0.state == "running" }
        #expect(again.state == "running" && pid_t(again.processID) != plugin)
        _ = try await second.shutdown(grace: .seconds(5))
        #expect(try await haveEnded([pid_t(second.welcome.processID), pid_t(again.processID)]))
    }

    /// Of this process, in which the daemon runs.
    private func processorSeconds() -> Double {
        var use = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &use)
        return Double(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + Double(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6
    }
}
