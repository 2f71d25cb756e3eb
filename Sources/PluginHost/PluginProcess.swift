import CSpawn
import Foundation
import Glibc

/// A plugin's running process, leader of a session and a group of its own. Owned by the host's thread: the process is killed when
/// the thread that started it ends.
struct PluginProcess {
    let id: pid_t
    /// Polls readable when the process has ended.
    let watch: Int32
    /// What it and its children print.
    let output: Int32
    let started: ContinuousClock.Instant
    let startedAt: Double

    struct Failure: Error { let message: String }

    /// - Throws: `Failure`, in words.
    static func start(_ manifest: PluginManifest, folder: URL, environment: [String: String]) throws(Failure) -> PluginProcess {
        guard let program = find(manifest.command[0], folder: folder, path: environment["PATH"] ?? "") else {
            throw Failure(
                message: "its program \(manifest.command[0]) is neither in its folder, \(folder.path), nor in PATH: build it, and install the "
                    + "plugin again with --replace")
        }
        var ends: [Int32] = [-1, -1]
        guard cspawn_pipe(&ends) == 0 else { throw Failure(message: "no pipe for its output: \(String(cString: strerror(errno)))") }
        var arguments: [UnsafeMutablePointer<CChar>?] = manifest.command.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.sorted { $0.key < $1.key }.map { strdup("\($0)=\($1)") } + [nil]
        defer { for string in arguments + variables { free(string) } }
        var failed: UnsafePointer<CChar>?
        let id = program.withCString { path in
            folder.path.withCString { directory in
                arguments.withUnsafeMutableBufferPointer { arguments in
                    variables.withUnsafeMutableBufferPointer { variables in
                        var description = cspawn_program(
                            path: path, arguments: arguments.baseAddress, environment: variables.baseAddress, directory: directory,
                            output: ends[1], memory_bytes: UInt64(manifest.limits.memoryBytes), open_files: UInt64(manifest.limits.openFiles),
                            cpu_seconds: UInt64(manifest.limits.cpuSeconds ?? 0))
                        return cspawn_start(&description, &failed)
                    }
                }
            }
        }
        close(ends[1])
        let watch = id > 0 ? cspawn_watch(id) : -1
        guard id > 0, watch >= 0 else {
            let number = id > 0 ? errno : -id
            if id > 0 {
                kill(-id, SIGKILL)
                while cspawn_reap(id) == 1000 { usleep(1000) }
            }
            close(ends[0])
            let step = failed.map { String(cString: $0) } ?? "be watched"
            throw Failure(message: "\(program) could not \(step): \(String(cString: strerror(number)))")
        }
        return PluginProcess(id: id, watch: watch, output: ends[0], started: .now, startedAt: Date().timeIntervalSince1970)
    }

    /// To the whole group. The leader, reaped or not, holds the group's number until `reap`.
    func signal(_ number: Int32) { kill(-id, number) }

    /// How it ended, once `watch` is readable; nil while it runs. What is left of its group is killed first.
    func reap() -> (status: Int32, description: String)? {
        var item = pollfd(fd: watch, events: Int16(POLLIN), revents: 0)
        guard poll(&item, 1, 0) == 1 else { return nil }
        signal(SIGKILL)
        let status = cspawn_reap(id)
        guard status != 1000 else { return nil }
        close(watch)
        if status >= 0 { return (status, "it ended with status \(status)") }
        let name = String(cString: strsignal(-status))
        return (status, "it was ended by signal \(-status) (\(name))")
    }

    /// In the plugin's folder, then in `path`; an absolute one as it is.
    private static func find(_ program: String, folder: URL, path: String) -> String? {
        func isProgram(_ path: String) -> Bool {
            var status = stat()
            return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
        }
        if program.hasPrefix("/") { return isProgram(program) ? program : nil }
        let own = folder.path + "/" + program
        if isProgram(own) { return own }
        guard !program.contains("/") else { return nil }
        return path.split(separator: ":").lazy.map { "\($0)/\(program)" }.first(where: isProgram)
    }
}
