import Foundation
import Glibc
import HidraProtocol
import Synchronization
import Testing

@testable import PluginHost

/// A host without a daemon around it; its plugin is a shell script, whose hello the test says.
@Suite("The host of plugins", .serialized)
struct SilenceTests {
    private final class Setting: Sendable {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hidra-host-\(UUID().uuidString)")
        let events = Mutex<[String]>([])

        func host() throws -> PluginHost {
            try FileManager.default.createDirectory(at: folder.appending(path: "staging"), withIntermediateDirectories: true)
            var settings = PluginHost.Settings(
                folder: folder.appending(path: "plugins"), staging: folder.appending(path: "staging"), home: folder.path, environment: [:])
            (settings.timing.firstBackOff, settings.timing.hello) = (.milliseconds(10), .seconds(2))
            return try PluginHost(
                settings, event: { [self] event, _, values in events.withLock { $0.append("\(event) \(values["message"] ?? "")") } },
                note: { Issue.record("\($0)") })
        }

        func script(_ text: String) throws -> URL {
            let source = folder.appending(path: "source")
            try FileManager.default.createDirectory(at: source.appending(path: "bin"), withIntermediateDirectories: true)
            try Data("name: p\nversion: 1\ncommand: [bin/run]\nprotocol: {min: 1}\n".utf8).write(to: source.appending(path: "plugin.yaml"))
            let program = source.appending(path: "bin/run").path
            try Data("#!/bin/sh\n\(text)\n".utf8).write(to: URL(filePath: program))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
            return source
        }

        deinit { try? FileManager.default.removeItem(at: folder) }
    }

    /// The process and token of a plugin that has started, once they differ from `last`.
    private func started(_ host: PluginHost, not last: pid_t = 0) async throws -> (process: pid_t, token: String) {
        for _ in 0..<500 {
            let found = host.state.withLock { state in state.entries["p"].map { ($0.processID, $0.token ?? "") } }
            if let found, found.0 != 0, found.0 != last, !found.1.isEmpty { return found }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw PluginError(.timeout, "not started")
    }

    @Test("one that is silent for three times as long as it promised is started again, SIGSTOP or not")
    func silence() async throws {
        let setting = Setting()
        let host = try setting.host()
        try host.open()
        _ = try await host.install(try setting.script("exec sleep 1000"), replace: false)
        async let answer = host.start("p")
        let (process, token) = try await started(host)
        let pass = try #require(host.greeted(token: token, heartbeat: .milliseconds(200)) { _ in })
        #expect(pass.role == .train && host.role(forPluginToken: token) == .train && host.role(forPluginToken: "") == nil)
        #expect(try await answer.phase == .running)
        for _ in 0..<15 {
            try await Task.sleep(for: .milliseconds(100))
            host.heard(pass)
        }
        #expect(host.list().first?.processID == process)
        kill(process, SIGSTOP)
        let second = try await started(host, not: process)
        #expect(setting.events.withLock { $0.last } == "plugin.restarting it was silent for 0.6 s")
        #expect(host.role(forPluginToken: token) == nil && second.token != token)
        await host.close()
        #expect(kill(second.process, 0) != 0)
    }

    @Test("one whose connection is gone for as long as a hello may take is started again; one that connects anew is not")
    func alone() async throws {
        let setting = Setting()
        let host = try setting.host()
        try host.open()
        _ = try await host.install(try setting.script("exec sleep 1000"), replace: false)
        async let answer = host.start("p")
        let (process, token) = try await started(host)
        let first = try #require(host.greeted(token: token, heartbeat: nil) { _ in })
        _ = try await answer
        host.lost(first)
        try await Task.sleep(for: .milliseconds(1500))
        let second = try #require(host.greeted(token: token, heartbeat: nil) { _ in })
        try await Task.sleep(for: .milliseconds(1500))
        #expect(host.list().first?.processID == process)
        host.lost(second)
        _ = try await started(host, not: process)
        #expect(setting.events.withLock { $0.last } == "plugin.restarting it had no connection for 2 s")
        await host.close()
    }

    @Test("a stop answers everybody who waits, also for a plugin that never comes up")
    func waiters() async throws {
        let setting = Setting()
        let host = try setting.host()
        try host.open()
        _ = try await host.install(try setting.script("exec sleep 1000"), replace: false)
        let starting = Task { try await host.start("p") }
        _ = try await started(host)
        await host.close()
        let error = try await #require(throws: PluginError.self) { _ = try await starting.value }
        #expect(error.code == .unavailable)
        await host.close()
        #expect(throws: PluginError.self) { try host.follow("q", lines: 1) }
    }
}
