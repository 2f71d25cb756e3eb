package import Encoders
package import Foundation
package import Heads
import Scheduling
import State
import Synchronization
import TensorCore
import Training

/// What several heads say about some inputs.
package struct Predictions: Sendable {
    /// For each input, each head's answer in the order of the request; none when the input could not be read.
    package var inputs: [[HeadPrediction]]
    /// Input → why it could not be read.
    package var problems: [Int: String]
    package var tokens: [Int]
    package var truncated: [Bool]
    package var encoded: Int, cached: Int
}

extension Workbench {
    /// Most inputs of a request that somebody waits for; more count as bulk work.
    static let fewInputs = 64

    /// Answers of heads that read one vector of each input; heads that read the same features share one encoder pass.
    func predictVectors(_ all: [LoadedHead], _ asked: Question) async throws -> Predictions {
        let inputs = asked.columns.first ?? [], top = asked.top
        var groups: [FeatureGroup] = []
        for (position, head) in all.enumerated() {
            let loaded = try await sources(of: head, asked.precision)[0].loaded
            for input in inputs.prefix(1) { try loaded.require(input.modality) }
            let space = loaded.space(tap: head.bundle.description.tap)
            if let index = groups.firstIndex(where: { $0.space == space }) {
                groups[index].heads.append((position, head))
            } else {
                groups.append(
                    FeatureGroup(space: space, loaded: loaded, tap: head.bundle.description.tap, heads: [(position, head)]))
            }
        }
        var result = Predictions(
            inputs: [[HeadPrediction]](
                repeating: [HeadPrediction](repeating: .value(0), count: all.count), count: inputs.count),
            problems: [:], tokens: [Int](repeating: 0, count: inputs.count),
            truncated: [Bool](repeating: false, count: inputs.count), encoded: 0, cached: 0)
        // All groups at once: what they ask of one encoder goes in one batch.
        try await withThrowingTaskGroup(of: (FeatureGroup, Features).self) { tasks in
            for group in groups {
                tasks.addTask {
                    (group, try await self.features(inputs, of: group.loaded, tap: group.tap, asked.priority, keep: false))
                }
            }
            for try await (group, features) in tasks {
                let answers = try await group.answers(features, top: top)
                for ((position, _), predictions) in zip(group.heads, answers) {
                    for (row, prediction) in predictions.enumerated() { result.inputs[row][position] = prediction }
                }
                result.tokens = features.tokens
                for (row, truncated) in features.truncated.enumerated() where truncated { result.truncated[row] = true }
                result.problems.merge(features.problems) { first, _ in first }
                result.encoded += features.misses
                result.cached += features.hits
            }
        }
        for row in result.problems.keys { result.inputs[row] = [] }
        return result
    }

    /// What somebody waits for shares batches with everybody's, and is not kept.
    private func features(
        _ inputs: [EncoderInput], of loaded: LoadedEncoder, tap: Int, _ priority: Priority, keep: Bool
    ) async throws -> Features {
        priority == .interactive
            ? try await extractor.answer(inputs, of: loaded, tap: tap)
            : try await extractor.features(inputs, of: loaded, tap: tap, priority: priority, keep: keep)
    }

    /// Heads that read the same features.
    private struct FeatureGroup: Sendable {
        let space: FeatureSpace
        let loaded: LoadedEncoder
        let tap: Int
        var heads: [(position: Int, head: LoadedHead)]

        /// Each head's answers. Not on the compute thread: a head is a thousandth of the encoder's work, and would wait for another's
        /// unit.
        func answers(_ features: Features, top: Int) async throws -> [[HeadPrediction]] {
            try await Workbench.offPool {
                let answers = Mutex([Result<[HeadPrediction], any Error>?](repeating: nil, count: heads.count))
                let parts = max(1, min(WorkerPool.shared.threads, heads.count / 8))
                WorkerPool.shared.parallel(parts) { part in
                    let table = FeatureTable(Tensor(features.values, [features.rows, features.width])), rows = Array(0..<table.rows)
                    for index in heads.count * part / parts..<heads.count * (part + 1) / parts {
                        let bundle = heads[index].head.bundle
                        let answer = Result { try bundle.encoding.predictions(bundle.network.evaluate(table, rows: rows), top: top) }
                        answers.withLock { $0[index] = answer }
                    }
                }
                return try answers.withLock { $0 }.map { answer in
                    guard let answer else { preconditionFailure("a head was not asked") }
                    return try answer.get()
                }
            }
        }
    }

    /// A head as an ONNX model: what its inputs read in; outputs before any softmax out, or of a regression the value itself.
    package func export(head name: String) async throws -> Data {
        let head = try await heads.head(named: name)
        return try await Workbench.offPool { try head.exported() }
    }

    /// Pooled features of inputs: `[inputs, width]`.
    package func embed(
        encoder name: String, inputs: [EncoderInput], tap: String, precision: Precision? = nil
    ) async throws -> Features {
        let loaded = try await encoders.encoder(named: name, precision: precision)
        for input in inputs.prefix(1) { try loaded.require(input.modality) }
        let tap = try loaded.tap(named: tap)
        return try await features(
            inputs, of: loaded, tap: tap, inputs.count > Self.fewInputs ? .bulk : .interactive, keep: true)
    }
}
