internal import Glibc
internal import HidraProtocol
internal import Synchronization
internal import ZeroMQ

/// A `hidrad` this process has started: in a session of its own, so that it outlives the terminal, with its output in
/// the home's log.
///
/// A thread starts it and waits for it: neither may block the cooperative pool, and a daemon that dies before its
/// parent must not stay a zombie.
final class DaemonProcess: Sendable {
    enum Status: Sendable, Equatable {
        case running
        case exited(Int32)
        case killed(signal: Int32)
    }

    let executable: String
    private let home: Home
    /// Where in the log this daemon's output begins.
    private let logStart: Int64
    private let current = Mutex(Status.running)

    private init(_ executable: String, _ home: Home) {
        (self.executable, self.home) = (executable, home)
        var status = stat()
        logStart = stat(home.logPath, &status) == 0 ? Int64(status.st_size) : 0
    }

    var status: Status { current.withLock { $0 } }

    /// - Parameter arguments: for the tests' stand-ins.
    static func start(
        _ home: Home, executable: String, arguments: [String] = []
    ) async throws -> DaemonProcess {
        let process = DaemonProcess(executable, home)
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            do {
                try OwnedThread.start("hidra-spawn") {
                    switch process.spawn(arguments) {
                    case .failure(let error): continuation.resume(throwing: error)
                    case .success(let id):
                        continuation.resume()
                        process.wait(for: id)
                    }
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
        return process
    }

    /// The last lines the daemon has printed, or nil when it printed nothing.
    func logTail(lines: Int = 8) -> String? {
        let file = open(home.logPath, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let end = Int64(lseek(file, 0, SEEK_END))
        let count = pread(file, &bytes, bytes.count, off_t(max(logStart, end - Int64(bytes.count))))
        guard count > 0 else { return nil }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
    }

    private func spawn(_ arguments: [String]) -> Result<pid_t, HidraError> {
        // On first use there is no home yet, and the log goes there.
        do { try home.makeDirectory() } catch { return .failure(HidraError(error.code, error.message)) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(
            &actions, STDOUT_FILENO, home.logPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        // A pipe that the daemon kept open would never end for its reader.
        for descriptor in Self.openDescriptors() { posix_spawn_file_actions_addclose(&actions, descriptor) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // This thread blocks all signals and the program may ignore some; the daemon starts with neither.
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let newSession: Int32 = 0x80  // POSIX_SPAWN_SETSID, which glibc's headers show to GNU sources only.
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | Int32(POSIX_SPAWN_SETSIGDEF) | newSession))

        var arguments: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment().map { strdup($0) } + [nil]
        defer { for string in arguments + variables { free(string) } }
        var id = pid_t()
        let code = posix_spawn(&id, executable, &actions, &attributes, &arguments, &variables)
        if code == 0 { return .success(id) }
        return .failure(
            HidraError(
                .unavailable,
                "Could not start \(executable): \(String(cString: strerror(code))). Its output would go to "
                    + "\(home.logPath)."))
    }

    /// Descriptors beyond standard error.
    private static func openDescriptors() -> [Int32] {
        guard let directory = opendir("/proc/self/fd") else { return [] }
        defer { closedir(directory) }
        var descriptors: [Int32] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let descriptor = Int32(name), descriptor > STDERR_FILENO { descriptors.append(descriptor) }
        }
        return descriptors
    }

    /// This process's environment (the daemon needs PATH, proxies, the hub's token) with the home made explicit.
    private func environment() -> [String] {
        var variables: [String] = []
        var entry = environ
        while let variable = entry.pointee {
            let text = String(cString: variable)
            if !text.hasPrefix("HIDRA_HOME=") { variables.append(text) }
            entry += 1
        }
        return variables + ["HIDRA_HOME=" + home.path]
    }

    private func wait(for id: pid_t) {
        var raw: Int32 = 0
        while waitpid(id, &raw, 0) < 0 {
            if errno != EINTR { return }
        }
        // The layout behind WIFEXITED and WTERMSIG, macros that Swift does not see.
        let signal = raw & 0x7F
        current.withLock { $0 = signal == 0 ? .exited((raw >> 8) & 0xFF) : .killed(signal: signal) }
    }
}
