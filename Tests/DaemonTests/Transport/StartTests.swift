import Foundation
import Glibc
import HidraClient
import HidraProtocol
import Testing

/// Stand-ins for `hidrad`: shell scripts, named by an environment variable, hence one after the other.
@Suite("Starting the daemon", .serialized)
struct StartTests {
    private static func standIn(_ script: String, in home: TemporaryHome) throws {
        try FileManager.default.createDirectory(atPath: home.home.path, withIntermediateDirectories: true)
        let path = home.home.path + "/stand-in"
        try Data(("#!/bin/sh\n" + script + "\n").utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        setenv("HIDRA_DAEMON", path, 1)
    }

    private static func connect(_ home: TemporaryHome, timeout: Duration = .seconds(10)) async throws -> HidraClient {
        defer { unsetenv("HIDRA_DAEMON") }
        return try await HidraClient.connect(home: home.home, client: "tests", timeout: timeout)
    }

    @Test("A daemon that cannot start is an error with what it printed")
    func failing() async throws {
        let home = TemporaryHome()
        try Self.standIn("echo first; echo 'registry.sqlite is damaged' >&2; exit 10", in: home)
        let error = await #expect(throws: HidraError.self) { try await Self.connect(home) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("first\nregistry.sqlite is damaged") == true)
        #expect(error?.details["log"] == home.home.logPath)
    }

    @Test("Only what this start printed is shown")
    func oldLog() async throws {
        let home = TemporaryHome()
        try Self.standIn("echo new; exit 1", in: home)
        try Data("old\n".utf8).write(to: URL(fileURLWithPath: home.home.logPath))
        let error = await #expect(throws: HidraError.self) { try await Self.connect(home) }
        #expect(error?.message.contains("new") == true)
        #expect(error?.message.contains("old") == false)
    }

    @Test("A daemon that never listens is given up at the time-out")
    func neverListens() async throws {
        let home = TemporaryHome()
        try Self.standIn("echo waiting; exec sleep 2", in: home)
        let error = await #expect(throws: HidraError.self) { try await Self.connect(home, timeout: .milliseconds(300)) }
        #expect(error?.message.contains("did not answer in time") == true)
        #expect(error?.message.contains("waiting") == true)
    }

    @Test("On first use the home is made, for its owner alone")
    func firstUse() async throws {
        let home = TemporaryHome()
        setenv("HIDRA_DAEMON", "/bin/false", 1)
        let error = await #expect(throws: HidraError.self) { try await Self.connect(home) }
        #expect(error?.message.contains("stopped at once") == true)
        let mode = try FileManager.default.attributesOfItem(atPath: home.home.path)[.posixPermissions] as? Int
        #expect(mode == 0o700)
    }

    @Test("A daemon that is not there is an error that names it")
    func missing() async throws {
        let home = TemporaryHome()
        setenv("HIDRA_DAEMON", "/nonexistent/hidrad", 1)
        let error = await #expect(throws: HidraError.self) { try await Self.connect(home) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("/nonexistent/hidrad") == true)
    }

    @Test("The daemon starts in a session of its own with its home, and is waited for")
    func starts() async throws {
        let home = TemporaryHome()
        // Process, session and home, then the descriptors it was left.
        try Self.standIn(
            "echo $(cut -d' ' -f1,6 /proc/$$/stat) \"$HIDRA_HOME\" > \"$HIDRA_HOME/started\"\n"
                + "ls /proc/$$/fd > \"$HIDRA_HOME/descriptors\"; mv \"$HIDRA_HOME/started\" \"$HIDRA_HOME/ready\"\n"
                + "exec sleep 3", in: home)
        // A descriptor that would leak: without close-on-exec.
        #expect(dup2(STDIN_FILENO, 201) == 201)
        defer { close(201) }
        async let client = Self.connect(home)
        while !FileManager.default.fileExists(atPath: home.home.path + "/ready") { await Task.yield() }
        let daemon = try EchoDaemon(home: home)
        _ = try await client
        let words = try String(contentsOfFile: home.home.path + "/ready", encoding: .utf8).split(
            whereSeparator: \.isWhitespace)
        #expect(words.count == 3 && words[0] == words[1])
        #expect(words.last.map(String.init) == home.home.path)
        let descriptors = try String(contentsOfFile: home.home.path + "/descriptors", encoding: .utf8)
        #expect(descriptors.split(separator: "\n").contains("1"))
        #expect(!descriptors.split(separator: "\n").contains("201"), "\(descriptors)")
        if let process = words.first.flatMap({ Int32($0) }) { kill(process, SIGTERM) }
        await daemon.stop()
    }

    @Test("A start that loses against another waits for that one")
    func lostRace() async throws {
        let home = TemporaryHome()
        try Self.standIn("exit \(ErrorCode.alreadyRunning.exitCode)", in: home)
        async let client = Self.connect(home)
        try await Task.sleep(for: .milliseconds(100))
        let daemon = try EchoDaemon(home: home)
        #expect(try await client.welcome.daemonVersion == "echo")
        await daemon.stop()
    }
}
