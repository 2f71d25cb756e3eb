import HidraClient
import HidraProtocol

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Whether `hidrad` is there and of which version.
enum DaemonProgram {
    private static let patience = Duration.seconds(3)

    static func check(environment: Environment) async -> Check {
        let install = "Build it with `swift build -c release --product hidrad`, or set HIDRA_DAEMON to its path."
        guard let path = find(environment) else {
            return .fail("hidrad", "not found beside hidra or in PATH", install)
        }
        do {
            let version = try await output(of: path, ["--version"]).filter { !$0.isWhitespace }
            guard !version.isEmpty else { return .fail("hidrad", "\(path) says nothing", install) }
            guard version == Hidra.version else {
                return .warn(
                    "hidrad", "\(path), version \(version); hidra is \(Hidra.version)", "Install both from one build.")
            }
            return .ok("hidrad", "\(path), version \(version)")
        } catch {
            return .fail("hidrad", "\(path) does not run", Failure(error).message)
        }
    }

    /// Where the client looks, in its order: `HIDRA_DAEMON`, beside this program, `PATH`.
    private static func find(_ environment: Environment) -> String? {
        if let named = environment["HIDRA_DAEMON"], !named.isEmpty { return named }
        let beside = Paths.executable.flatMap { path in path.lastIndex(of: "/").map { String(path[..<$0]) } }
        let path = environment["PATH"] ?? ""
        return LocalChecks.find("hidrad", path: beside.map { "\($0):\(path)" } ?? path)
    }

    /// First line that `program` prints. The child is ended when it takes longer than `patience`.
    static func output(of program: String, _ arguments: [String]) async throws -> String {
        var pipeEnds: [Int32] = [0, 0]
        guard pipe(&pipeEnds) == 0 else { throw failed(program, errno) }
        for end in pipeEnds { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, pipeEnds[1], STDOUT_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        let words = ([program] + arguments).map { strdup($0) }
        defer { words.forEach { free($0) } }
        var child = pid_t()
        let result = posix_spawn(&child, program, &actions, nil, words + [nil], environ)
        close(pipeEnds[1])
        guard result == 0 else {
            close(pipeEnds[0])
            throw failed(program, result)
        }
        let pid = child
        let timer = Task {
            try await Task.sleep(for: patience)
            kill(pid, SIGKILL)
        }
        defer { timer.cancel() }
        let line = try await LineFeed(descriptor: pipeEnds[0], name: program).next(limit: 1).first ?? ""
        // Its output has ended, so it is about to; waiting without blocking keeps the thread free.
        var status: Int32 = 0
        while waitpid(pid, &status, WNOHANG) == 0 { try await Task.sleep(for: .milliseconds(2)) }
        return line
    }

    private static func failed(_ program: String, _ code: Int32) -> HidraError {
        HidraError(
            .internalError,
            "\(program) cannot be run: \(String(cString: strerror(code))). Check its permissions.")
    }
}
