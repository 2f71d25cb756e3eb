package import Encoders
import Foundation
import State
import Synchronization
import TensorCore

/// Features of some inputs, in the inputs' order.
package struct Features: Sendable {
    /// Row-major `[rows, width]`; NaN in rows whose input could not be read.
    package let values: [Float]
    package let width: Int
    package let tokens: [Int]
    package let truncated: [Bool]
    /// Row → why its input could not be read. Texts always can.
    package let problems: [Int: String]
    /// Inputs found in the cache, and inputs that went through the encoder. An input that comes twice counts as a hit.
    package let hits: Int, misses: Int

    package var rows: Int { tokens.count }
    package var truncatedRows: Int { truncated.count { $0 } }

    /// Only these rows, in this order.
    func selecting(_ rows: [Int]) -> Features {
        var values: [Float] = []
        values.reserveCapacity(rows.count * width)
        for row in rows { values += self.values[row * width..<(row + 1) * width] }
        let problems = Dictionary(
            uniqueKeysWithValues: rows.enumerated().compactMap { new, old in self.problems[old].map { (new, $0) } })
        return Features(
            values: values, width: width, tokens: rows.map { tokens[$0] }, truncated: rows.map { truncated[$0] },
            problems: problems, hits: hits, misses: misses)
    }
}

/// Turns inputs into features: from the cache where it has them, through the encoder otherwise, each distinct input once.
package struct FeatureExtractor: Sendable {
    let compute: ComputeService
    let cache: FeatureCache
    /// Cache calls block on a disk, so they have threads of their own: writes in order, reads beside them.
    private let disk = DispatchQueue(label: "hidra.feature-cache.writes", qos: .userInitiated)
    private let reads = DispatchQueue(label: "hidra.feature-cache.reads", qos: .userInitiated, attributes: .concurrent)

    init(compute: ComputeService, cache: FeatureCache) {
        self.compute = compute
        self.cache = cache
    }

    /// - Parameters:
    ///   - keep: store what was computed; false for one-off questions, whose inputs seldom come again.
    ///   - progress: called on the compute thread with the rows that are done.
    package func features(
        _ inputs: [EncoderInput], of loaded: LoadedEncoder, tap: Int, priority: Priority, keep: Bool = true,
        progress: @escaping @Sendable (_ done: Int, _ hits: Int) -> Void = { _, _ in }
    ) async throws -> Features {
        let width = loaded.encoder.taps[tap].width, space = loaded.space(tap: tap)
        let (unique, positions, found) = try await reading {
            let (unique, positions) = Self.distinct(inputs)
            return (unique, positions, try Self.lookup(cache, space, unique, width))
        }
        let missing = unique.indices.filter { found.infos[$0] == nil }
        let hits = inputs.count - missing.count
        progress(hits, hits)
        var values = found.values, infos = found.infos, problems: [Int: String] = [:]
        if !missing.isEmpty {
            let writes = PendingWrites()
            let computed: Extraction.Output
            do {
                computed = try await compute.run(priority) {
                    Extraction(loaded: loaded, tap: tap, inputs: missing.map { unique[$0].input }) { block in
                        progress(hits + block.end, hits)
                        guard keep else { return }
                        let digests = block.rows.map { unique[missing[$0]].digest }
                        writes.add(to: disk) {
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
                infos[index] = computed.infos[row]
                problems[index] = computed.problems[row]
                values.replaceSubrange(
                    index * width..<(index + 1) * width, with: computed.values[row * width..<(row + 1) * width])
            }
        }
        return Self.spread(values, infos, problems, positions, width, hits: hits, misses: missing.count)
    }

    private struct Distinct: Sendable {
        let input: EncoderInput
        let digest: InputDigest
    }

    /// The distinct inputs, and for each input which of them it is.
    private static func distinct(_ inputs: [EncoderInput]) -> (unique: [Distinct], positions: [Int]) {
        var index: [InputDigest: Int] = [:], unique: [Distinct] = []
        let positions = inputs.map { input in
            let digest = InputDigest(of: input)
            if let position = index[digest] { return position }
            index[digest] = unique.count
            unique.append(Distinct(input: input, digest: digest))
            return unique.count - 1
        }
        return (unique, positions)
    }

    private static func lookup(
        _ cache: FeatureCache, _ space: FeatureSpace, _ unique: [Distinct], _ width: Int
    ) throws -> (values: [Float], infos: [FeatureInfo?]) {
        var values = [Float](repeating: 0, count: unique.count * width)
        let infos = try values.withUnsafeMutableBufferPointer {
            try cache.lookup(space, unique.map(\.digest), width: width, into: $0)
        }
        return (values, infos)
    }

    private static func spread(
        _ values: [Float], _ infos: [FeatureInfo?], _ problems: [Int: String], _ positions: [Int], _ width: Int,
        hits: Int,
        misses: Int
    ) -> Features {
        var all = values
        if positions.count != infos.count {
            all = []
            all.reserveCapacity(positions.count * width)
            for position in positions { all += values[position * width..<(position + 1) * width] }
        }
        var spreadProblems: [Int: String] = [:]
        if !problems.isEmpty {
            for (row, position) in positions.enumerated() { spreadProblems[row] = problems[position] }
        }
        return Features(
            values: all, width: width, tokens: positions.map { infos[$0]?.tokens ?? 0 },
            truncated: positions.map { infos[$0]?.truncated ?? false }, problems: spreadProblems, hits: hits,
            misses: misses)
    }

    private func reading<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            reads.async { continuation.resume(with: Result(catching: body)) }
        }
    }
}

/// Writes to the cache that are on their way; remembers the first failure.
private final class PendingWrites: Sendable {
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
