import Encoders
import State
import TensorCore
package import Training

/// Hidden states of some inputs, in the inputs' order.
package struct StateFeatures: Sendable {
    package let states: TokenStates
    package let truncated: [Bool]
    /// As in `Features`.
    package let hits: Int, misses: Int
}

/// What one input of a head reads of some rows.
enum InputFeatures: Sendable {
    case vectors(Features)
    case states(StateFeatures)

    var rows: Int {
        switch self {
        case .vectors(let features): features.rows
        case .states(let features): features.states.rows
        }
    }

    var tokens: [Int] {
        switch self {
        case .vectors(let features): features.tokens
        case .states(let features): features.states.places.map(\.tokens)
        }
    }

    var truncated: [Bool] {
        switch self {
        case .vectors(let features): features.truncated
        case .states(let features): features.truncated
        }
    }

    /// Row → why its input could not be read.
    var problems: [Int: String] {
        if case .vectors(let features) = self { features.problems } else { [:] }
    }

    var hits: Int {
        switch self {
        case .vectors(let features): features.hits
        case .states(let features): features.hits
        }
    }

    var misses: Int {
        switch self {
        case .vectors(let features): features.misses
        case .states(let features): features.misses
        }
    }

    /// Only these rows, in this order.
    func selecting(_ rows: [Int]) -> InputFeatures {
        switch self {
        case .vectors(let features): .vectors(features.selecting(rows))
        case .states(let features):
            .states(
                StateFeatures(
                    states: features.states.selecting(rows), truncated: rows.map { features.truncated[$0] },
                    hits: features.hits, misses: features.misses))
        }
    }

    var column: FeatureColumn {
        switch self {
        case .vectors(let features): .vectors(Tensor(features.values, [features.rows, features.width]))
        case .states(let features): .states(features.states)
        }
    }
}

/// What all inputs of a head read of some rows, in the inputs' order; equal sources share.
struct RowFeatures: Sendable {
    let inputs: [InputFeatures]
    /// Inputs that share their features with an earlier one, which count only once.
    private let shared: Set<Int>

    init(_ inputs: [InputFeatures], sources: [FeatureSource]) {
        self.inputs = inputs
        var seen: Set<FeatureSource.Identity> = []
        shared = Set(sources.indices.filter { !seen.insert(sources[$0].identity).inserted })
    }

    private init(_ inputs: [InputFeatures], shared: Set<Int>) {
        self.inputs = inputs
        self.shared = shared
    }

    private var own: [InputFeatures] { inputs.indices.filter { !shared.contains($0) }.map { inputs[$0] } }

    var rows: Int { inputs[0].rows }
    var hits: Int { own.reduce(0) { $0 + $1.hits } }
    var misses: Int { own.reduce(0) { $0 + $1.misses } }

    /// Whether any of a row's texts was cut.
    var truncated: [Bool] {
        inputs.count == 1
            ? inputs[0].truncated : (0..<rows).map { row in inputs.contains { $0.truncated[row] } }
    }

    var truncatedRows: Int { truncated.count { $0 } }

    /// Row → why the first of its inputs that cannot be read cannot.
    var problems: [Int: String] {
        inputs.reduce(into: [:]) { $0.merge($1.problems) { first, _ in first } }
    }

    func selecting(_ rows: [Int]) -> RowFeatures { RowFeatures(inputs.map { $0.selecting(rows) }, shared: shared) }

    /// On the thread that computes with it.
    var table: FeatureTable { FeatureTable(inputs.map(\.column)) }
}
