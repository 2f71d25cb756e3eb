package import Encoders
import Foundation
package import Scheduling
import State
import Synchronization
import TensorCore

/// Turns inputs into features: from the cache where it has them, through the encoder otherwise, each distinct input once.
package struct FeatureExtractor: Sendable {
    let compute: ComputeService
    let cache: FeatureCache
    let batcher: DynamicBatcher
    /// Cache calls block on a disk, so they have threads of their own: writes in order, reads beside them.
    let disk = DispatchQueue(label: "hidra.feature-cache.writes", qos: .userInitiated)
    private let reads = DispatchQueue(label: "hidra.feature-cache.reads", qos: .userInitiated, attributes: .concurrent)

    /// Bytes of memory that are free; nil where nothing says.
    let availableMemory: @Sendable () -> Int?

    init(
        compute: ComputeService, cache: FeatureCache, budget: UnitBudget,
        availableMemory: @escaping @Sendable () -> Int? = MemoryEstimate.available
    ) {
        self.compute = compute
        self.cache = cache
        self.availableMemory = availableMemory
        batcher = DynamicBatcher(compute: compute, budget: budget)
    }

    /// Features of a few inputs that somebody waits for. What others ask at the same time is encoded with them; what is computed is not
    /// kept, because one-off questions seldom come again.
    package func answer(_ inputs: [EncoderInput], of loaded: LoadedEncoder, tap: Int) async throws -> Features {
        let width = loaded.encoder.taps[tap].width, space = loaded.space(tap: tap)
        let (distinct, known, missing, prepared) = try await reading {
            let distinct = DistinctInputs(inputs)
            let known = try DistinctFeatures(distinct, in: cache, space, width: width), missing = known.missing
            return (distinct, known, missing, missing.map { index in Result { try loaded.encoder.prepare(distinct.inputs[index]) } })
        }
        var features = known, readable: [(index: Int, input: PreparedInput)] = []
        for (index, result) in zip(missing, prepared) {
            switch result {
            case .success(let input): readable.append((index, input))
            case .failure(let error): features.set(index, problem: String(describing: error))
            }
        }
        let computed = try await batcher.features(
            DynamicBatcher.Question(tap: tap, digests: readable.map { distinct.digests[$0.index] }, inputs: readable.map(\.input)),
            of: loaded)
        for (row, (index, input)) in readable.enumerated() {
            features.set(
                index, computed[row * width..<(row + 1) * width],
                FeatureInfo(tokens: input.tokens, truncated: input.isTruncated))
        }
        return features.spread(over: distinct.positions, misses: missing.count)
    }

    /// Features of a data set.
    ///
    /// - Parameters:
    ///   - keep: store what was computed; false for one-off questions, whose inputs seldom come again.
    ///   - progress: called on the compute thread with the rows that are done.
    package func features(
        _ inputs: [EncoderInput], of loaded: LoadedEncoder, tap: Int, priority: Priority, keep: Bool = true,
        progress: @escaping @Sendable (_ done: Int, _ hits: Int) -> Void = { _, _ in }
    ) async throws -> Features {
        let width = loaded.encoder.taps[tap].width, space = loaded.space(tap: tap), budget = batcher.budget
        let (distinct, known) = try await reading {
            let distinct = DistinctInputs(inputs)
            return (distinct, try DistinctFeatures(distinct, in: cache, space, width: width))
        }
        let missing = known.missing, hits = inputs.count - missing.count
        progress(hits, hits)
        var features = known
        if !missing.isEmpty {
            let writes = PendingWrites(), meter = Meter.current
            let computed: Extraction.Output
            do {
                computed = try await compute.run(priority) {
                    Extraction(loaded: loaded, tap: tap, inputs: missing.map { distinct.inputs[$0] }, budget: budget) { block in
                        progress(hits + block.end, hits)
                        guard keep else { return }
                        let digests = block.rows.map { distinct.digests[missing[$0]] }
                        writes.add(to: disk) {
                            try meter?.spend(cacheBytes: block.values.count * MemoryLayout<Float>.size)
                            try block.values.withUnsafeBufferPointer {
                                try cache.insert(space, digests, infos: block.infos, width: width, vectors: $0)
                            }
                        }
                    }
                }
            } catch {
                // What was computed is in the cache when the caller reads of the failure: nothing is computed twice.
                _ = await writes.finished(on: disk)
                throw error
            }
            if let failure = await writes.finished(on: disk) { throw failure }
            for (row, index) in missing.enumerated() {
                if let info = computed.infos[row] {
                    features.set(index, computed.values[row * width..<(row + 1) * width], info)
                } else {
                    features.set(index, problem: computed.problems[row] ?? "it cannot be read")
                }
            }
        }
        return features.spread(over: distinct.positions, misses: missing.count)
    }

    func reading<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            reads.async { continuation.resume(with: Result(catching: body)) }
        }
    }
}

/// Writes to the cache that are on their way; remembers the first failure.
final class PendingWrites: Sendable {
    private let failure = Mutex<(any Error)?>(nil)

    func add(to queue: DispatchQueue, _ write: @escaping @Sendable () throws -> Void) {
        queue.async { [self] in
            do { try write() } catch { failure.withLock { $0 = $0 ?? error } }
        }
    }

    /// Waits for all of them.
    func finished(on queue: DispatchQueue) async -> (any Error)? {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume() }
        }
        return failure.withLock { $0 }
    }
}
