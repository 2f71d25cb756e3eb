import Dispatch
package import Foundation
package import State
import Synchronization

/// The workbench of one home: its registry, feature cache, compute thread, encoders and heads. What the daemon serves.
package final class Workbench: Sendable {
    package let registry: Registry
    package let cache: FeatureCache
    package let compute: ComputeService
    package let encoders: EncoderHouse
    package let extractor: FeatureExtractor
    let heads: HeadShelf
    let attachments = AttachmentTable()
    /// Clients that preprocess, or make predictions, for heads.
    package let served = ServedHeads()
    /// Clients that compute losses of sessions' heads.
    package let losses = LossProviders()
    let sessions = SessionTable()
    /// Heads being trained now, each with its encoders: two runs must not race for one name, nor lose an encoder.
    let training = Mutex<[String: Set<String>]>([:])
    /// What the records of runs say of the daemon.
    let circumstances: RunCircumstances
    private let stopping = Atomic<Bool>(false)

    /// Opens or creates a home.
    ///
    /// - Returns: also what start-up found and repaired, for the log.
    package static func open(
        _ root: URL, cacheLimit: Int = FeatureCache.defaultLimit, budget: UnitBudget = UnitBudget(),
        circumstances: RunCircumstances = RunCircumstances(),
        didLoad: @escaping @Sendable (LoadedEncoder) -> Void = { _ in },
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> (workbench: Workbench, report: StartupReport) {
        let directory = try StateDirectory(root: root)
        let (registry, report) = try Registry.open(directory)
        let cache = try FeatureCache(at: directory.features, limit: cacheLimit, note: log)
        return (
            Workbench(registry: registry, cache: cache, budget: budget, circumstances: circumstances, didLoad: didLoad), report
        )
    }

    private init(
        registry: Registry, cache: FeatureCache, budget: UnitBudget, circumstances: RunCircumstances,
        didLoad: @escaping @Sendable (LoadedEncoder) -> Void
    ) {
        self.registry = registry
        self.circumstances = circumstances
        self.cache = cache
        compute = ComputeService()
        encoders = EncoderHouse(registry: registry, budget: budget, didLoad: didLoad)
        heads = HeadShelf(registry: registry)
        extractor = FeatureExtractor(compute: compute, cache: cache, budget: budget)
    }

    /// From now on a cancelled run counts as interrupted: it was not the user who gave it up.
    package func beginStopping() { stopping.store(true, ordering: .relaxed) }

    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    package func cacheStatistics() async throws -> FeatureCache.Statistics {
        try await Workbench.offPool { [cache] in try cache.statistics() }
    }

    /// Ends the compute thread after the unit in progress and closes the databases.
    package func close() async throws {
        try await releaseAllAttachments()
        await suspendSessions()
        await compute.stop()
        try cache.close()
        try registry.close()
    }

    /// Removes an encoder or a head from disk, memory and cache.
    package func remove(_ name: String, withHeads: Bool) async throws -> Removal {
        if let head = training.withLock({ $0.first { $0.value.contains(name) || $0.key == name }?.key }) {
            throw WorkbenchError(
                .conflict,
                "'\(name)' is in use: head '\(head)' is being trained. Wait for it, or cancel it (`hidra ps` lists it)."
            )
        }
        if let session = sessions.user(of: name) {
            throw WorkbenchError(
                .conflict, "'\(name)' is in use: session '\(session)' is running. Wait for it, or pause it (`hidra session pause \(session)`).",
                details: ["name": name, "session": session])
        }
        let removal = try await registry.remove(named: name, withHeads: withHeads)
        for name in removal.names {
            encoders.forget(name)
            heads.forget(name)
        }
        if !removal.weightsDigests.isEmpty {
            try await Workbench.offPool { [cache] in
                for digest in removal.weightsDigests { try cache.removeSpaces(weights: digest) }
            }
        }
        return removal
    }

    /// Runs blocking or lengthy work outside Swift's cooperative pool, whose few threads everyone shares.
    package static func offPool<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global(qos: .userInitiated).async { continuation.resume(with: Result(catching: body)) }
        }
    }
}
