import Foundation
import Synchronization
import Testing

@testable import Hub

/// A staging folder and a cache of its own for each test, and settings that do not wait.
struct FetchHarness: Sendable {
    let folder: TemporaryFolder
    var environment: [String: String]
    var settings: FetchSettings
    var catalogue = Catalogue.builtIn

    init(_ environment: [String: String] = [:]) throws {
        folder = try TemporaryFolder()
        self.environment = environment
        settings = FetchSettings()
        settings.firstDelay = .milliseconds(5)
        settings.longestDelay = .milliseconds(20)
        settings.attempts = 4
        settings.idleTimeout = .seconds(10)
    }

    init(_ server: HubServer) throws {
        try self.init(hub: server.endpoint)
    }

    init(hub endpoint: String) throws {
        try self.init(["HF_ENDPOINT": endpoint, "PATH": Self.path])
    }

    static let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    static let hasCurl = Executable.find("curl", ["PATH": path]) != nil

    var staging: URL {
        folder.file("staging")
    }

    var cache: URL {
        folder.file("cache")
    }

    static let repository = PullSource.hub(HubRepository(organisation: "org", name: "name"))

    @discardableResult
    func fetch(
        _ source: PullSource = Self.repository, token: String? = nil,
        progress: @escaping @Sendable (FetchProgress) -> Void = { _ in }
    ) async throws -> FetchedEncoder {
        try await Fetcher(catalogue: catalogue, environment: environment, settings: settings)
            .fetch(source, into: staging, cache: cache, token: token, progress: progress)
    }

    /// Fetches, expects a failure, and expects that nothing is left in staging.
    func failure(_ source: PullSource = Self.repository, token: String? = nil) async -> HubError {
        do {
            try await fetch(source, token: token)
            Issue.record("the fetch succeeded")
        } catch let error as HubError {
            #expect(!staged.contains { _ in true }, "left in staging: \(staged)")
            return error
        } catch {
            Issue.record("not a HubError: \(error)")
        }
        return HubError(.internalError, "")
    }

    /// Paths in staging.
    var staged: Set<String> {
        folder.paths(below: "staging")
    }

    /// Paths in the cache, other than the lock.
    var cached: Set<String> {
        folder.paths(below: "cache").subtracting(["lock"])
    }
}

extension TemporaryFolder {
    func paths(below name: String) -> Set<String> {
        Set(files.filter { $0.hasPrefix(name + "/") }.map { String($0.dropFirst(name.count + 1)) })
    }
}

/// Collects progress from any thread.
final class ProgressLog: Sendable {
    private let entries = Mutex<[FetchProgress]>([])

    func add(_ progress: FetchProgress) {
        entries.withLock { $0.append(progress) }
    }

    var all: [FetchProgress] {
        entries.withLock { $0 }
    }
}
