import Foundation
import Synchronization
import Testing

@testable import Hub

@Suite("Child process")
struct ChildProcessTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func run(
        _ script: String, stall: Duration = .seconds(20), environment: [String: String] = ["PATH": "/usr/bin:/bin"],
        progress: @escaping @Sendable () -> Int64 = { 0 }
    ) async throws -> ChildProcess.Outcome {
        let directory = folder.url
        return try await OwnedThread.run("child") { cancellation in
            try ChildProcess.run(
                URL(fileURLWithPath: "/bin/sh"), ["-c", script], environment: environment, directory: directory,
                stall: stall, cancellation: cancellation, progress: progress)
        }
    }

    /// Waits until `path` in the folder is there, then returns the number in it.
    private func processNumber(in path: String) async throws -> pid_t {
        while true {
            if let text = FileManager.default.contents(atPath: folder.file(path).path),
                let number = pid_t(String(decoding: text, as: UTF8.self).trimmingCharacters(in: .newlines))
            {
                return number
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// True once no process of that number exists, or only its remains.
    private func isGone(_ number: pid_t) -> Bool {
        guard kill(number, 0) == 0 else { return true }
        let status = FileManager.default.contents(atPath: "/proc/\(number)/stat").map {
            String(decoding: $0, as: UTF8.self)
        }
        return status?.contains(") Z") ?? true
    }

    @Test("Status and both outputs are reported")
    func reports() async throws {
        let outcome = try await run("echo out; echo err >&2; exit 3")
        #expect(outcome.status == 3 && !outcome.wasKilled)
        #expect(outcome.output.contains("out") && outcome.output.contains("err"))
    }

    @Test("A signal is told from a status")
    func reportsSignal() async throws {
        let outcome = try await run("kill -9 $$")
        #expect(outcome.status == 9 && outcome.wasKilled)
    }

    @Test("A flood on the error output does not block the program, and its end is kept")
    func survivesFlood() async throws {
        let outcome = try await run("head -c 3000000 /dev/zero | tr '\\0' 'x' >&2; echo the end >&2")
        #expect(outcome.status == 0)
        #expect(outcome.output.hasSuffix("the end\n"))
        #expect(outcome.output.utf8.count <= 8 << 10)
    }

    @Test("The program gets the environment it is given, and the folder, and nothing to read")
    func isolates() async throws {
        let outcome = try await run(
            "env; pwd; cat; ls /proc/self/fd", environment: ["PATH": "/usr/bin:/bin", "A": "b"])
        #expect(outcome.output.contains("A=b"))
        #expect(!outcome.output.contains("HOME="))
        #expect(outcome.output.contains(folder.url.lastPathComponent))
    }

    @Test("Output is handed on as it comes, apart from errors, and input arrives")
    func passesOutput() async throws {
        let collected = Collected()
        let directory = folder.url
        let outcome = try await OwnedThread.run("child") { cancellation in
            try ChildProcess.run(
                URL(fileURLWithPath: "/bin/sh"), ["-c", "cat; head -c 1000000 /dev/zero; echo oh >&2"],
                input: Data("in".utf8), environment: ["PATH": "/usr/bin:/bin"], directory: directory,
                stall: .seconds(20), cancellation: cancellation, output: { collected.add($0.count) })
        }
        #expect(collected.count == 1_000_002)
        #expect(outcome.output == "oh\n")
    }

    @Test("What cannot take the output stops the program")
    func stopsWhenOutputFails() async throws {
        let directory = folder.url
        await #expect(throws: HubError.self) {
            try await OwnedThread.run("child") { cancellation in
                try ChildProcess.run(
                    URL(fileURLWithPath: "/bin/sh"), ["-c", "echo x; sleep 600"],
                    environment: ["PATH": "/usr/bin:/bin"],
                    directory: directory, stall: .seconds(20), cancellation: cancellation,
                    output: { _ in throw HubError(.diskFull, "full") })
            }
        }
    }

    @Test("Cancelling ends the program and what it has started")
    func cancels() async throws {
        let task = Task { try await run("sleep 600 & echo $! > child; echo $$ > own; trap '' TERM; wait; sleep 600") }
        let child = try await processNumber(in: "child"), own = try await processNumber(in: "own")
        let start = ContinuousClock.now
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        // Well below a second, unless the machine is very busy; without cancelling it would be ten minutes.
        #expect(ContinuousClock.now - start < .seconds(30))
        #expect(isGone(own))
        #expect(isGone(child))
    }

    @Test("A stopped program hears SIGTERM first, and may tidy up")
    func asksFirst() async throws {
        let task = Task { try await run("trap 'echo done > tidied; exit' TERM; echo $$ > own; sleep 600 & wait") }
        _ = try await processNumber(in: "own")
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(FileManager.default.fileExists(atPath: folder.file("tidied").path))
    }

    @Test("A program that does nothing is stopped; one that makes progress is not")
    func stopsStalled() async throws {
        await #expect {
            try await run("sleep 600", stall: .milliseconds(300))
        } throws: {
            ($0 as? HubError)?.code == .timeout
        }
        let counter = Counter()
        let outcome = try await run("sleep 1", stall: .milliseconds(500)) { counter.next() }
        #expect(outcome.status == 0)
    }

    @Test("Running programs leaves no files open", .timeLimit(.minutes(1)))
    func closesPipes() async throws {
        func openFiles() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        }
        _ = try await run("true")
        let before = try openFiles()
        for _ in 0..<40 { _ = try await run("true") }
        // Other tests have files open at the same time, but close them; a leak would be 80 and stay.
        while try openFiles() >= before + 40 { try await Task.sleep(for: .milliseconds(20)) }
    }

    @Test("A program that cannot be started is an error")
    func reportsUnstartable() async throws {
        let file = try folder.write("no program", to: "file")
        await #expect(throws: HubError.self) {
            try await OwnedThread.run("child") { cancellation in
                try ChildProcess.run(
                    file, [], environment: [:], directory: file.deletingLastPathComponent(), stall: .seconds(1),
                    cancellation: cancellation, progress: { 0 })
            }
        }
    }
}

private final class Collected: Sendable {
    private let total = Atomic(0)

    func add(_ count: Int) {
        total.add(count, ordering: .relaxed)
    }

    var count: Int {
        total.load(ordering: .relaxed)
    }
}

private final class Counter: Sendable {
    private let start = ContinuousClock.now

    func next() -> Int64 {
        (ContinuousClock.now - start).components.attoseconds / 1_000_000_000_000
    }
}
