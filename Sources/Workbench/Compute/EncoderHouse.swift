package import Encoders
import Foundation
package import State
import Synchronization
import TensorCore

/// An encoder in memory, with what its features are keyed by.
package struct LoadedEncoder: Sendable {
    package let record: EncoderRecord
    package let encoder: any FeatureEncoder

    /// The tap of this name; the top for an empty one.
    ///
    /// - Throws: `invalidArgument` naming the taps there are.
    package func tap(named name: String) throws -> Int {
        if let tap = encoder.tap(named: name) { return tap }
        let names = encoder.taps.map(\.name)
        let shown =
            names.count <= 24
            ? names.joined(separator: ", ") : "\(names.prefix(20).joined(separator: ", ")), … \(names[names.count - 1])"
        throw WorkbenchError(
            .invalidArgument, "Encoder '\(record.name)' has no tap \"\(name)\"; it has: \(shown).",
            details: ["taps": shown])
    }

    /// - Throws: `invalidArgument` when the encoder reads something else.
    func require(_ modality: Modality) throws {
        guard modality != encoder.modality else { return }
        throw WorkbenchError(
            .invalidArgument,
            "Encoder '\(record.name)' reads \(encoder.modality.plural), but it was given \(modality.plural).",
            details: ["modality": encoder.modality.rawValue])
    }

    /// The features of a tap in the cache.
    package func space(tap: Int) -> FeatureSpace {
        let tokenizer = record.files.first { $0.path == "tokenizer.json" }?.sha256 ?? ""
        return FeatureSpace(
            weights: record.digest, tap: "\(tap)/\(encoder.poolingName)",
            preprocessing: "\(tokenizer)/\(encoder.preprocessing)",
            precision: "fp32")
    }
}

/// Keeps encoders in memory once they are used; whoever asks shares one copy.
package final class EncoderHouse: Sendable {
    private struct Resident {
        var loaded: LoadedEncoder
        var lastUse: ContinuousClock.Instant
        /// Of the registry, when the record was last looked up.
        var generation: UInt64
    }

    private let registry: Registry
    private let budget: UnitBudget
    private let residents = Mutex<[String: Resident]>([:])
    /// Loads one encoder at a time, off the compute thread: whoever computes need not wait for a disk.
    private let loading = DispatchQueue(label: "hidra.encoder-loading", qos: .userInitiated)
    private let didLoad: @Sendable (LoadedEncoder) -> Void

    package init(
        registry: Registry, budget: UnitBudget = UnitBudget(), didLoad: @escaping @Sendable (LoadedEncoder) -> Void = { _ in }
    ) {
        self.registry = registry
        self.budget = budget
        self.didLoad = didLoad
    }

    /// The encoder of this name, loaded when it is not in memory.
    ///
    /// - Throws: `notFound` with the nearest name; `corrupt` when its files do not have the digests they were registered with.
    package func encoder(named name: String) async throws -> LoadedEncoder {
        let generation = registry.generation
        if let resident = resident(name, generation) { return resident }
        let record = try await registry.encoder(named: name)
        if let resident = resident(record, generation) { return resident }
        let folder = registry.folder(of: record)
        return try await withCheckedThrowingContinuation { continuation in
            loading.async { [self] in
                continuation.resume(
                    with: Result {
                        // Someone before us in the queue may have loaded it.
                        if let resident = resident(record, generation) { return resident }
                        try record.files.verify(folder, .digests)
                        let loaded = LoadedEncoder(record: record, encoder: try Self.load(folder, record.name))
                        try budget.require(room: loaded.encoder, name)
                        // Packing took temporary buffers as large as the weights.
                        releaseCachedBuffers()
                        residents.withLock {
                            $0[name] = Resident(loaded: loaded, lastUse: .now, generation: generation)
                        }
                        didLoad(loaded)
                        return loaded
                    })
            }
        }
    }

    /// Loads a folder that is not registered yet, to see whether it is an encoder.
    static func load(_ folder: URL, _ name: String) throws -> any FeatureEncoder {
        do {
            return try EncoderFolder.load(folder)
        } catch {
            throw WorkbenchError(
                .corrupt, "Encoder '\(name)' cannot be loaded: \(error)", details: ["name": name], cause: error)
        }
    }

    /// Lets the system have what is only kept for speed: buffers, and pages of mapped weights.
    package func trim() {
        for resident in residents.withLock({ Array($0.values) }) { resident.loaded.encoder.releasePages() }
        releaseCachedBuffers()
    }

    package func forget(_ name: String) { residents.withLock { $0[name] = nil } }

    /// Encoders in memory and for how many seconds each has not been used.
    package var list: [(loaded: LoadedEncoder, idle: Double)] {
        residents.withLock { residents in
            residents.values.map { ($0.loaded, (ContinuousClock.now - $0.lastUse) / .seconds(1)) }
                .sorted { $0.0.record.name < $1.0.record.name }
        }
    }

    private func resident(_ name: String, _ generation: UInt64) -> LoadedEncoder? {
        residents.withLock { residents in
            guard residents[name]?.generation == generation else { return nil }
            residents[name]?.lastUse = .now
            return residents[name]?.loaded
        }
    }

    private func resident(_ record: EncoderRecord, _ generation: UInt64) -> LoadedEncoder? {
        residents.withLock { residents in
            // A name that was removed and pulled again has other weights.
            guard let resident = residents[record.name], resident.loaded.record.digest == record.digest else {
                return nil
            }
            residents[record.name]?.generation = generation
            residents[record.name]?.lastUse = .now
            return resident.loaded
        }
    }
}
