package import Encoders
import Foundation
package import Scheduling
import State
import Synchronization
import TensorCore
import Training

extension FeatureExtractor {
    /// Share of the memory that is there which token states may take; the rest is for the encoder, the training and everyone else.
    private static let memoryShare = 0.75
    /// Inputs looked up, or computed, for one buffer of states.
    private static let chunkRows = 1024

    /// Hidden states of texts: from the cache where it has them, through the encoder otherwise, each distinct text once. They need a
    /// hundred times the memory of vectors, so that their size is found out first, by tokenising.
    ///
    /// - Parameters:
    ///   - keep: store what was computed; false for one-off questions, whose inputs seldom come again.
    ///   - progress: called on the compute thread with the rows that are done.
    /// - Throws: `limitExceeded` with the numbers, before anything is encoded, when they would not fit into memory;
    ///   `invalidData` for a text without tokens.
    package func states(
        _ inputs: [EncoderInput], of loaded: LoadedEncoder, tap: Int, priority: Priority, keep: Bool = true,
        progress: @escaping @Sendable (_ done: Int, _ hits: Int) -> Void = { _, _ in }
    ) async throws -> StateFeatures {
        let width = loaded.encoder.taps[tap].width, space = loaded.space(tap: tap, form: .states)
        let available = availableMemory() ?? Int(clamping: ProcessInfo.processInfo.physicalMemory / 2)
        let (unique, tokens) = try await reading {
            let unique = DistinctInputs(inputs)
            return (unique, try Self.tokens(unique, loaded))
        }
        let count = unique.inputs.count, positions = unique.positions, budget = batcher.budget
        let total = tokens.reduce(0, +), bytes = total * width * MemoryLayout<Float>.stride
        guard Double(bytes) <= Self.memoryShare * Double(available) else {
            throw WorkbenchError(
                .limitExceeded,
                "The token states of \(count) different texts (\(total) tokens × \(width) numbers × 4 bytes) take "
                    + "\(Self.megabytes(bytes)), and of the \(Self.megabytes(available)) of memory that are free they may take "
                    + "\(Self.megabytes(Int(Self.memoryShare * Double(available)))). Use fewer or shorter texts, or a head that reads "
                    + "one vector a row.",
                details: ["needed_bytes": String(bytes), "available_bytes": String(available)])
        }
        // More than that would only push itself, and everything else, out of the cache.
        let keep = keep && bytes <= cache.limit / 2
        let collected = Mutex(Collected(count: count))
        for start in stride(from: 0, to: count, by: Self.chunkRows) {
            let digests = Array(unique.digests[start..<min(start + Self.chunkRows, count)])
            let found = try await reading { [cache] in try cache.lookupStates(space, digests, width: width) }
            collected.withLock { $0.add(found.values, found.infos, found.starts, at: digests.indices.map { start + $0 }) }
        }
        let missing = collected.withLock { collected in (0..<count).filter { collected.infos[$0] == nil } }
        let hits = inputs.count - missing.count
        progress(hits, hits)
        if !missing.isEmpty {
            let writes = PendingWrites(), meter = Meter.current
            do {
                _ = try await compute.run(priority) {
                    Extraction(
                        loaded: loaded, tap: tap, form: .states, inputs: missing.map { unique.inputs[$0] }, budget: budget
                    ) { block in
                        progress(hits + block.end, hits)
                        let rows = block.rows.map { missing[$0] }
                        collected.withLock { $0.add(block, width, at: rows) }
                        guard keep else { return }
                        writes.add(to: disk) { [cache] in
                            try meter?.spend(cacheBytes: block.values.count * MemoryLayout<Float>.size)
                            try block.values.withUnsafeBufferPointer {
                                try cache.insertStates(
                                    space, rows.map { unique.digests[$0] }, infos: block.infos, width: width, states: $0)
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
        }
        return try collected.withLock { collected in
            let places = try positions.enumerated().map { row, position in
                guard let place = collected.places[position] else {
                    throw WorkbenchError(.internalError, "Row \(row + 1) has no token states. Report this with the log.")
                }
                return place
            }
            return StateFeatures(
                states: TokenStates(chunks: collected.chunks, places: places, width: width),
                truncated: positions.map { collected.infos[$0]?.truncated ?? false }, hits: hits, misses: missing.count)
        }
    }

    /// Tokens of each distinct text.
    private static func tokens(_ unique: DistinctInputs, _ loaded: LoadedEncoder) throws -> [Int] {
        try unique.inputs.enumerated().map { index, input in
            let tokens = try loaded.encoder.prepare(input).tokens
            guard tokens > 0 else {
                let row = unique.positions.firstIndex(of: index) ?? index
                throw WorkbenchError(
                    .invalidData, "The text of row \(row + 1) has no tokens, so that there are no states to read. Remove the row.",
                    details: ["row": String(row + 1)])
            }
            return tokens
        }
    }

    private static func megabytes(_ bytes: Int) -> String { "\((bytes + 999_999) / 1_000_000) MB" }

    /// States of distinct texts as they come.
    private struct Collected {
        var chunks: [[Float]] = []
        var infos: [FeatureInfo?]
        var places: [TokenStates.Place?]

        init(count: Int) {
            infos = [FeatureInfo?](repeating: nil, count: count)
            places = [TokenStates.Place?](repeating: nil, count: count)
        }

        mutating func add(_ values: [Float], _ infos: [FeatureInfo?], _ starts: [Int], at rows: [Int]) {
            for (index, row) in rows.enumerated() {
                guard let info = infos[index] else { continue }
                self.infos[row] = info
                places[row] = TokenStates.Place(chunk: chunks.count, start: starts[index], tokens: info.tokens)
            }
            if !values.isEmpty { chunks.append(values) }
        }

        mutating func add(_ block: Extraction.Block, _ width: Int, at rows: [Int]) {
            let starts = block.infos.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.tokens * width) }
            add(block.values, block.infos, starts, at: rows)
        }
    }
}

extension FeatureExtractor {
    /// What all inputs of a head read of the columns' rows.
    ///
    /// - Parameters:
    ///   - keep: store what was computed; false for one-off questions, whose inputs seldom come again.
    ///   - progress: called with the rows that are done, each row counted once for each different source.
    func features(
        _ columns: [[EncoderInput]], for sources: [FeatureSource], priority: Priority, keep: Bool = true,
        progress: @escaping @Sendable (_ done: Int, _ hits: Int) -> Void = { _, _ in }
    ) async throws -> RowFeatures {
        var known: [FeatureSource.Identity: InputFeatures] = [:], inputs: [InputFeatures] = []
        var before = 0, hitsBefore = 0
        for source in sources {
            if let features = known[source.identity] {
                inputs.append(features)
                continue
            }
            let (done, hits) = (before, hitsBefore)
            let features = try await features(columns[source.column], of: source, priority: priority, keep: keep) {
                progress(done + $0, hits + $1)
            }
            known[source.identity] = features
            inputs.append(features)
            before += features.rows
            hitsBefore += features.hits
        }
        return RowFeatures(inputs, sources: sources)
    }

    private func features(
        _ inputs: [EncoderInput], of source: FeatureSource, priority: Priority, keep: Bool,
        progress: @escaping @Sendable (_ done: Int, _ hits: Int) -> Void
    ) async throws -> InputFeatures {
        switch source.input.form {
        // What somebody waits for shares its batch with what others ask at the same time.
        case .pooled where priority == .interactive:
            .vectors(try await answer(inputs, of: source.loaded, tap: source.tap))
        case .pooled:
            .vectors(
                try await features(
                    inputs, of: source.loaded, tap: source.tap, priority: priority, keep: keep, progress: progress))
        case .states:
            .states(
                try await states(
                    inputs, of: source.loaded, tap: source.tap, priority: priority, keep: keep, progress: progress))
        }
    }
}
