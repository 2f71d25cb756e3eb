import Encoders
import Foundation
import Synchronization
import TensorCore

/// Features of some texts, in the texts' order.
package struct Features: Sendable {
    /// Row-major `[rows, width]`.
    package let values: [Float]
    package let width: Int
    package let tokens: [Int]
    package let truncated: [Bool]
    /// Texts found in the cache, and texts that went through the encoder. A text that comes twice counts as a hit.
    package let hits: Int, misses: Int

    package var rows: Int { tokens.count }
    package var truncatedRows: Int { truncated.count { $0 } }
}

/// Turns texts into features: from the cache where it has them, through the encoder otherwise, each distinct text once.
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
    ///   - keep: store what was computed; false for one-off questions, whose texts seldom come again.
    ///   - progress: called on the compute thread with the rows that are done.
    package func features(
        _ texts: [String], of loaded: LoadedEncoder, tap: Int, priority: Priority, keep: Bool = true,
        progress: @escaping @Sendable (_ done: Int, _ hits: Int) -> Void = { _, _ in }
    ) async throws -> Features {
        let width = loaded.encoder.width, space = loaded.space(tap: tap)
        let (unique, positions, found) = try await reading {
            let (unique, positions) = Self.distinct(texts)
            return (unique, positions, try Self.lookup(cache, space, unique, width))
        }
        let missing = unique.indices.filter { found.infos[$0] == nil }
        let hits = texts.count - missing.count
        progress(hits, hits)
        var values = found.values, infos = found.infos
        if !missing.isEmpty {
            let writes = PendingWrites()
            let computed: Extraction.Output
            do {
                computed = try await compute.run(priority) {
                    Extraction(loaded: loaded, tap: tap, texts: missing.map { unique[$0].text }) { block in
                        progress(hits + block.end, hits)
                        guard keep else { return }
                        let digests = missing[block.start..<block.end].map { unique[$0].digest }
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
                values.replaceSubrange(
                    index * width..<(index + 1) * width, with: computed.values[row * width..<(row + 1) * width])
            }
        }
        return try Self.spread(values, infos, positions, width, hits: hits, misses: missing.count)
    }

    private struct Distinct: Sendable {
        let text: String
        let digest: InputDigest
    }

    /// The distinct texts, and for each text which of them it is.
    private static func distinct(_ texts: [String]) -> (unique: [Distinct], positions: [Int]) {
        var index: [InputDigest: Int] = [:], unique: [Distinct] = []
        let positions = texts.map { text in
            let digest = InputDigest(text: text)
            if let position = index[digest] { return position }
            index[digest] = unique.count
            unique.append(Distinct(text: text, digest: digest))
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
        _ values: [Float], _ infos: [FeatureInfo?], _ positions: [Int], _ width: Int, hits: Int, misses: Int
    ) throws -> Features {
        let complete = try infos.map { info in
            guard let info else { throw WorkbenchError(.internalError, "A text was left without features; please report this.") }
            return info
        }
        var all = values
        if positions.count != complete.count {
            all = []
            all.reserveCapacity(positions.count * width)
            for position in positions { all += values[position * width..<(position + 1) * width] }
        }
        return Features(
            values: all, width: width, tokens: positions.map { complete[$0].tokens },
            truncated: positions.map { complete[$0].truncated }, hits: hits, misses: misses)
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

/// The compute task: tokenises and encodes as many texts at a time as make one unit.
private struct Extraction: ComputeTask {
    struct Output: Sendable {
        var values: [Float] = []
        var infos: [FeatureInfo] = []
    }

    /// Rows that were just computed, enough of them to be worth a transaction.
    struct Block: Sendable {
        let start: Int, end: Int
        let values: [Float]
        let infos: [FeatureInfo]
    }

    /// Tokens of one unit, for each thread: some 25 milliseconds, which is what a prediction may have to wait for.
    static let unitTokens = 80
    static let blockRows = 256

    let loaded: LoadedEncoder
    let tap: Int
    let texts: [String]
    let didCompute: (Block) -> Void
    private var next = 0
    private var reported = 0
    private var pending: TokenizedText?
    private var output = Output()

    init(loaded: LoadedEncoder, tap: Int, texts: [String], didCompute: @escaping (Block) -> Void) {
        self.loaded = loaded
        self.tap = tap
        self.texts = texts
        self.didCompute = didCompute
        output.values.reserveCapacity(texts.count * loaded.encoder.width)
    }

    mutating func step() throws -> Output? {
        let budget = Self.unitTokens * WorkerPool.shared.threads
        var batch: [TokenizedText] = [], tokens = 0
        while next + batch.count < texts.count {
            let text = pending ?? loaded.encoder.tokenize(texts[next + batch.count])
            pending = nil
            if !batch.isEmpty, tokens + text.count > budget {
                pending = text
                break
            }
            batch.append(text)
            tokens += text.count
        }
        output.values += loaded.encoder.features(batch, tap: tap).values
        output.infos += batch.map { FeatureInfo(tokens: $0.count, truncated: $0.truncated > 0) }
        next += batch.count
        let isLast = next == texts.count
        if isLast || next - reported >= Self.blockRows { report() }
        return isLast ? output : nil
    }

    private mutating func report() {
        let width = loaded.encoder.width
        didCompute(
            Block(
                start: reported, end: next, values: Array(output.values[reported * width..<next * width]),
                infos: Array(output.infos[reported..<next])))
        reported = next
    }
}
