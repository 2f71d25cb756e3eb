package import TensorCore

/// What a head says about one text.
package enum HeadPrediction: Sendable, Equatable {
    /// Labels with their probabilities, best first.
    case labels([LabelScore])
    case value(Double)
    /// Pieces of the text, in its order.
    case spans([TextSpan])
}

/// A piece of a text, counted in Unicode scalars.
package struct TextSpan: Sendable, Equatable {
    package let label: String
    package let range: Range<Int>
    /// Probability of its least certain word.
    package let score: Double

    package init(label: String, range: Range<Int>, score: Double) {
        self.label = label
        self.range = range
        self.score = score
    }
}

package struct LabelScore: Sendable, Equatable {
    package let label: String
    package let score: Double

    package init(label: String, score: Double) {
        self.label = label
        self.score = score
    }
}

extension LabelEncoding {
    /// Probability from which a label of a multilabel head applies, where none was tuned.
    package static let threshold = 0.5

    /// Reads a head's outputs `[rows, outputs]`.
    ///
    /// - Parameter top: labels for each row; 0 means the best one, or for multilabel all from the threshold up.
    package func predictions(_ outputs: Tensor, top: Int = 0) -> [HeadPrediction] {
        switch task {
        case .tag: preconditionFailure("the tags of words are not read row by row")
        case .regress:
            return outputs.values.map { .value(Double($0) * scaling.deviation + scaling.mean) }
        case .classify:
            let probabilities = Softmax()(calibrated(outputs))
            return (0..<outputs.shape[0]).map { .labels(ranked(probabilities, $0, count: max(top, 1))) }
        case .multilabel:
            let probabilities = Sigmoid()(calibrated(outputs))
            let least = calibration?.thresholds.map { Dictionary(uniqueKeysWithValues: zip(labels, $0)) }
            return (0..<outputs.shape[0]).map { row in
                let all = ranked(probabilities, row, count: top > 0 ? top : labels.count)
                return .labels(top > 0 ? all : all.filter { $0.score >= least?[$0.label] ?? Self.threshold })
            }
        }
    }

    private func calibrated(_ outputs: Tensor) -> Tensor {
        guard let calibration, calibration.temperature != 1 else { return outputs }
        return Multiply()(outputs, Tensor(scalar: Float(1 / calibration.temperature)))
    }

    private func ranked(_ probabilities: Tensor, _ row: Int, count: Int) -> [LabelScore] {
        let start = row * labels.count
        if count == 1 {
            let best = probabilities.pointer.best(start, labels.count)
            return [LabelScore(label: labels[best], score: Double(probabilities.pointer[start + best]))]
        }
        let scores = labels.indices.map {
            LabelScore(label: labels[$0], score: Double(probabilities.pointer[start + $0]))
        }
        return Array(scores.sorted { ($1.score, $0.label) < ($0.score, $1.label) }.prefix(count))
    }
}

extension UnsafePointer<Float> {
    fileprivate func best(_ start: Int, _ count: Int) -> Int {
        (0..<count).max { self[start + $0] < self[start + $1] } ?? 0
    }
}
