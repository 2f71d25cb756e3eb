import CHidraPlugin
import Foundation
import Glibc
import HidraClient
import HidraProtocol
import Synchronization
import TestSupport
import Testing

@Suite("From C, when it goes wrong", .serialized, .enabled(if: StartedDaemon.isBuilt, "hidrad is not built"))
struct FailureTests {
    @Test(
        "what the user got wrong is an error that helps",
        arguments: [
            ("head", "not_found", "letters"), ("column", "not_found", "label"), ("encoder", "not_found", "tiny"),
            ("data", "not_found", "append"), ("kind", "invalid_argument", "linear"),
            ("exists", "already_exists", "letters"),
            ("name", "invalid_argument", "missing"), ("ragged", "limit_exceeded", "4096"),
        ])
    func helpfulErrors(_ mistake: String, _ code: String, _ part: String) async throws {
        let daemon = try await StartedDaemon()
        try await onThread { [client = daemon.client] in
            try client.append(letters(80), to: "rows")
            _ = try client.train("letters", on: "rows")
            let error = #expect(throws: CError.self) {
                switch mistake {
                case "head": _ = try client.predict(["lettres"], ["a"])
                case "ragged": _ = try client.predict(["letters"], Array(repeating: "a", count: 5000))
                default:
                    _ = try client.train(
                        mistake == "exists" ? "letters" : "other", on: mistake == "data" ? "nothing" : "rows"
                    ) {
                        switch mistake {
                        case "column": $0.label_column = $1.one("lable")
                        case "encoder": $0.encoder = $1.one("tinny")
                        case "kind": $0.kind = $1.one("transformer")
                        case "name": $0.head = nil
                        default: break
                        }
                    }
                }
            }
            #expect(error?.code == code)
            let whole = "\(error?.message ?? "") \(error?.details ?? [:])"
            #expect(whole.contains(part), "\(whole)")
            if mistake == "head" { #expect(error?.details["suggestion"] == "letters") }
        }
        try await daemon.stop()
    }

    @Test(
        "a training ends when its callback, another thread or its time-out says so",
        arguments: ["callback", "thread", "timeout"])
    func cancel(_ way: String) async throws {
        let daemon = try await StartedDaemon()
        let began = AsyncStream.makeStream(of: Void.self)
        async let ended = onThread { [client = daemon.client] in
            try client.append(letters(256), to: "rows")
            var call = hidra_call()
            call.tag = 5
            call.timeout = way == "timeout" ? 0.5 : 0
            let progress = { (phase: String) in
                if phase == "training" { began.continuation.yield() }
                return way != "callback" || phase != "training"
            }
            let error = #expect(throws: CError.self) {
                try client.train("long", on: "rows", call: call, progress: progress) { training, _ in
                    training.epochs = 10_000
                    training.batch_size = 1
                    training.patience = 10_000
                }
            }
            return error?.code
        }
        for await _ in began.stream { break }
        if way == "thread" {
            #expect(daemon.client.cancel(tag: 6) == 0)
            #expect(daemon.client.cancel(tag: 5) == 1)
        }
        #expect(try await ended == (way == "timeout" ? "timeout" : "cancelled"))
        try await onThread { [client = daemon.client] in
            // The daemon has been told: its job goes, and no head is left.
            let deadline = ContinuousClock.now + .seconds(10)
            while try client.jobs() != [], ContinuousClock.now < deadline { usleep(20_000) }
            #expect(try client.jobs() == [])
            #expect(try client.heads() == [])
        }
        try await daemon.stop()
    }

    @Test("a progress function may use the client")
    func callFromCallback() async throws {
        let daemon = try await StartedDaemon()
        try await onThread { [client = daemon.client] in
            try client.append(letters(256), to: "rows")
            var jobs: [String] = []
            _ = try client.train(
                "busy", on: "rows", call: hidra_call(),
                progress: { phase in
                    if phase == "training", jobs.isEmpty { jobs = (try? client.jobs()) ?? ["status failed"] }
                    return true
                }
            ) { training, _ in training.epochs = 200 }
            #expect(jobs == ["busy"])
        }
        try await daemon.stop()
    }

    /// proc_pid_stat(5): the state stands behind the name, which is in parentheses.
    private static func isZombie(_ process: pid_t) throws -> Bool {
        try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8).contains(") Z ")
    }

    @Test("a daemon that is killed ends the call at once, and what comes after")
    func killed() async throws {
        let daemon = try await StartedDaemon()
        let killed = Mutex<ContinuousClock.Instant?>(nil)
        try await onThread { [client = daemon.client, process = daemon.processID] in
            try client.append(letters(256), to: "rows")
            let error = #expect(throws: CError.self) {
                try client.train(
                    "long", on: "rows", call: hidra_call(),
                    progress: { phase in
                        if phase == "training", killed.withLock({ $0 == nil }) {
                            killed.withLock { $0 = .now }
                            kill(process, SIGKILL)
                        }
                        return true
                    }
                ) { training, _ in
                    training.epochs = 10_000
                    training.batch_size = 1
                    training.patience = 10_000
                }
            }
            #expect(error?.code == "unavailable" && error?.message.contains("gone") == true)
            let began = try #require(killed.withLock { $0 })
            #expect(began.duration(to: .now) < .seconds(3))
            #expect(throws: CError.self) { try client.heads() }
            let deadline = ContinuousClock.now + .seconds(10)
            while try !Self.isZombie(process), ContinuousClock.now < deadline { usleep(5000) }
            client.goodbye()
            // It was this process's child, and is reaped.
            #expect(kill(process, 0) == -1)
            // The home it leaves is found empty of daemons, and another can be started there.
        }
        try await onThread { [home = daemon.home.path] in
            let error = #expect(throws: CError.self) { try CClient(home: home) }
            #expect(error?.code == "unavailable")
            let again = try CClient(home: home, daemon: StartedDaemon.executable)
            #expect(try again.heads() == [])
            kill(pid_t(again.greeting.process_id), SIGTERM)
            again.goodbye()
        }
    }

    @Test("a daemon that cannot start is an error with what it printed")
    func cannotStart() async throws {
        let folder = try TemporaryFolder()
        let script = folder.url.appending(path: "hidrad").path
        try Data("#!/bin/sh\necho registry.sqlite is damaged >&2; exit 10\n".utf8).write(to: URL(filePath: script))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
        try await onThread {
            let error = #expect(throws: CError.self) { try CClient(home: folder.url.path + "/home", daemon: script) }
            #expect(error?.code == "unavailable" && error?.message.contains("registry.sqlite is damaged") == true)
        }
    }
}
