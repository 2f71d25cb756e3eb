package import Encoders
import Foundation
package import State
import Synchronization
import TensorCore

/// An encoder in memory, with what its features are keyed by.
package struct LoadedEncoder: Sendable {
    package let record: EncoderRecord
    package let encoder: any FeatureEncoder
    /// The encoder that it was trained from; nil for one that is whole.
    package let base: EncoderRecord?
    /// Of each tap.
    private let spaces: [FeatureSpace]

    init(record: EncoderRecord, encoder: any FeatureEncoder, base: EncoderRecord? = nil) {
        self.record = record
        self.encoder = encoder
        self.base = base
        let tokenizer = (base ?? record).files.first { $0.path == "tokenizer.json" }?.sha256 ?? ""
        spaces = encoder.taps.indices.map { tap in
            // Up to the cut the features are the base's.
            let isBases = record.base.map { tap <= $0.cut } ?? false
            return FeatureSpace(
                weights: isBases ? base?.digest ?? record.digest : record.digest, tap: "\(tap)/\(encoder.poolingName)",
                preprocessing: "\(tokenizer)/\(encoder.preprocessing)", precision: encoder.precision.rawValue)
        }
    }

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
    package func space(tap: Int) -> FeatureSpace { spaces[tap] }
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
    private let availableMemory: @Sendable () -> Int?

    private struct Key: Hashable {
        let name: String
        let precision: Precision
    }

    private let residents = Mutex<[Key: Resident]>([:])
    /// Loads one encoder at a time, off the compute thread: whoever computes need not wait for a disk.
    private let loading = DispatchQueue(label: "hidra.encoder-loading", qos: .userInitiated)
    private let didLoad: @Sendable (LoadedEncoder) -> Void

    package init(
        registry: Registry, budget: UnitBudget = UnitBudget(),
        availableMemory: @escaping @Sendable () -> Int? = MemoryEstimate.available,
        didLoad: @escaping @Sendable (LoadedEncoder) -> Void = { _ in }
    ) {
        self.registry = registry
        self.budget = budget
        self.availableMemory = availableMemory
        self.didLoad = didLoad
    }

    /// The encoder of this name, loaded when it is not in memory.
    ///
    /// - Parameter precision: what it computes in; nil: as it is set.
    /// - Throws: `notFound` with the nearest name; `corrupt` when its files do not have the digests they were registered with;
    ///   `unsupported` for a precision it cannot have; `limitExceeded` when there is no memory for it.
    package func encoder(named name: String, precision: Precision? = nil) async throws -> LoadedEncoder {
        let generation = registry.generation
        if let resident = resident(name, precision, generation) { return resident }
        let record = try await registry.encoder(named: name), folder = registry.folder(of: record)
        let base = try await base(of: record, precision ?? record.precision)
        return try await withCheckedThrowingContinuation { continuation in
            loading.async { [self] in
                continuation.resume(with: Result { try load(record, precision ?? record.precision, folder, generation, base) })
            }
        }
    }

    /// The encoder that one was trained from, in memory.
    private func base(of record: EncoderRecord, _ precision: Precision) async throws -> LoadedEncoder? {
        guard let base = record.base else { return nil }
        let loaded: LoadedEncoder
        do {
            loaded = try await encoder(named: base.name, precision: precision)
        } catch var error as WorkbenchError where error.code == .notFound {
            error.message =
                "Encoder '\(record.name)' was trained from encoder '\(base.name)', which is not registered. Pull the same encoder "
                + "again under this name."
            throw error
        }
        guard loaded.record.digest == base.digest, loaded.record.base == nil else {
            throw WorkbenchError(
                .corrupt,
                "Encoder '\(record.name)' was trained from other weights than those of encoder '\(base.name)'. Register the former ones "
                    + "under this name again, or remove '\(record.name)'.",
                details: ["name": record.name, "expected": base.digest, "found": loaded.record.digest])
        }
        return loaded
    }

    /// On the loading queue: someone before us may have loaded it.
    private func load(
        _ record: EncoderRecord, _ precision: Precision, _ folder: URL, _ generation: UInt64, _ base: LoadedEncoder?
    ) throws -> LoadedEncoder {
        if let resident = resident(record, precision, generation) { return resident }
        try MemoryEstimate(record, precision).require(available: availableMemory())
        let loaded = LoadedEncoder(
            record: record, encoder: try Self.loadVerified(record, folder, precision, base), base: base?.record)
        try budget.require(room: loaded.encoder, record.name)
        // Packing took temporary buffers as large as the weights.
        releaseCachedBuffers()
        residents.withLock {
            $0[Key(name: record.name, precision: precision)] = Resident(loaded: loaded, lastUse: .now, generation: generation)
        }
        didLoad(loaded)
        return loaded
    }

    /// Digests the files and loads them side by side, each on a core of its own; nothing is handed out unless the digests are right.
    private static func loadVerified(
        _ record: EncoderRecord, _ folder: URL, _ precision: Precision, _ base: LoadedEncoder?
    ) throws -> any FeatureEncoder {
        let verification = Mutex<Result<Void, any Error>>(.success(())), verifying = DispatchGroup()
        DispatchQueue.global(qos: .userInitiated).async(group: verifying) {
            let result = Result { try record.files.verify(folder, .digests) }
            verification.withLock { $0 = result }
        }
        let encoder = Result { try load(folder, record.name, precision, base: base?.encoder) }
        verifying.wait()
        try verification.withLock { $0 }.get()
        return try encoder.get()
    }

    /// Loads a folder that is not registered yet, to see whether it is an encoder.
    ///
    /// - Parameter base: of an adapted encoder, in that precision.
    static func load(
        _ folder: URL, _ name: String, _ precision: Precision = .fp32, base: (any FeatureEncoder)? = nil
    ) throws -> any FeatureEncoder {
        do {
            if let base { return try EncoderFolder.loadAdapted(folder, base: base) }
            return try EncoderFolder.load(folder, precision: precision)
        } catch let error as PrecisionError {
            throw WorkbenchError(.unsupported, "Encoder '\(name)': \(error)", details: ["name": name], cause: error)
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

    package func forget(_ name: String) { residents.withLock { $0 = $0.filter { $0.key.name != name } } }

    /// Encoders in memory and for how many seconds each has not been used.
    package var list: [(loaded: LoadedEncoder, idle: Double)] {
        residents.withLock { residents in
            residents.values.map { ($0.loaded, (ContinuousClock.now - $0.lastUse) / .seconds(1)) }
                .sorted { ($0.0.record.name, $0.0.encoder.precision.rawValue) < ($1.0.record.name, $1.0.encoder.precision.rawValue) }
        }
    }

    private func resident(_ name: String, _ precision: Precision?, _ generation: UInt64) -> LoadedEncoder? {
        residents.withLock { residents in
            let key = residents.first {
                $0.key.name == name && $0.value.generation == generation
                    && $0.key.precision == precision ?? $0.value.loaded.record.precision
            }?.key
            guard let key else { return nil }
            residents[key]?.lastUse = .now
            return residents[key]?.loaded
        }
    }

    private func resident(_ record: EncoderRecord, _ precision: Precision, _ generation: UInt64) -> LoadedEncoder? {
        residents.withLock { residents in
            let key = Key(name: record.name, precision: precision)
            // A name that was removed and pulled again has other weights.
            guard let resident = residents[key], resident.loaded.record.digest == record.digest else { return nil }
            let loaded = LoadedEncoder(record: record, encoder: resident.loaded.encoder, base: resident.loaded.base)
            residents[key] = Resident(loaded: loaded, lastUse: .now, generation: generation)
            return loaded
        }
    }
}
