package import TensorCore

/// What a head learns to predict, encoded as numbers.
package enum Targets: Sendable {
    /// One class for each row.
    case classes([Int32])
    /// 0 or 1 for each row and label, row-major `[rows, labels]`.
    case labels([Float], count: Int)
    /// One number for each row.
    case values([Float])
    /// A class for each word of each row.
    case tags([[Int32]])

    package var rows: Int {
        switch self {
        case .classes(let classes): classes.count
        case .labels(let flags, let count): count == 0 ? 0 : flags.count / count
        case .values(let values): values.count
        case .tags(let tags): tags.count
        }
    }

    package func selecting(_ rows: some Sequence<Int>) -> Targets {
        switch self {
        case .classes(let classes): .classes(rows.map { classes[$0] })
        case .labels(let flags, let count): .labels(rows.flatMap { flags[$0 * count..<($0 + 1) * count] }, count: count)
        case .values(let values): .values(rows.map { values[$0] })
        case .tags(let tags): .tags(rows.map { tags[$0] })
        }
    }
}

/// The loss of a task, ready for any batch of it.
package struct Objective: Sendable {
    package var classWeights: [Float]?
    package var smoothing: Float = 0
    /// Of numbers.
    package var difference = Difference.squared

    /// How far a number is from its target.
    package enum Difference: String, Sendable, Codable {
        case squared = "mean_squared_error"
        case absolute = "l1"
        case huber
    }

    package init(classWeights: [Float]? = nil, smoothing: Float = 0, difference: Difference = .squared) {
        self.classWeights = classWeights
        self.smoothing = smoothing
        self.difference = difference
    }

    /// Mean loss of outputs `[rows, outputs]`.
    package func callAsFunction(_ outputs: Tensor, _ targets: Targets) -> Tensor {
        switch targets {
        case .classes(let classes):
            return CrossEntropy(targets: classes, classWeights: classWeights, smoothing: smoothing)(outputs)
        case .labels(let flags, _):
            return BinaryCrossEntropy(targets: flags, positiveWeights: classWeights)(outputs)
        case .values(let values):
            let truth = Tensor(values, [values.count, 1])
            return switch difference {
            case .squared: MeanSquaredError()(outputs, truth)
            case .absolute: MeanAbsoluteError()(outputs, truth)
            case .huber: HuberLoss()(outputs, truth)
            }
        // Of a network without a chain of its own: each word for itself.
        case .tags(let tags):
            return CrossEntropy(targets: tags.flatMap { $0 }, classWeights: classWeights, smoothing: smoothing)(outputs)
        }
    }
}
