import Checkpoints
import Foundation

@testable import Heads
@testable import TensorCore
@testable import Training

/// Two layers of tanh over rows of numbers: the smallest body with a top and something below it.
final class TinyBody: TrainableBody {
    let parameters: [BodyParameter]
    let width = 5
    private let tables: [FeatureTable]
    private(set) var passes = 0

    init(_ tables: [FeatureTable], seed: UInt64 = 3) {
        self.tables = tables
        let scope = ParameterScope(initialisedFrom: seed)
        let lower = scope.parameter("lower", [6, 4], initial: .uniform(fanIn: 4))
        let upper = scope.parameter("upper", [5, 6], initial: .uniform(fanIn: 6))
        parameters = [BodyParameter(upper, depth: 0), BodyParameter(lower, depth: 1)]
    }

    func features(_ batch: [JointRows], dropoutSeed: UInt64?) throws -> Tensor {
        passes += 1
        let parts = batch.map { tables[$0.dataset].gather($0.rows) }
        let x = Concatenate(axis: 0).apply(parts)
        return Tanh()(LinearProduct()(Tanh()(LinearProduct()(x, parameters[1].parameter.value)), parameters[0].parameter.value))
    }
}

/// Two data sets and three heads: two classifiers, one of them on both labels of the first data set's rows, and a regression.
struct TinySession {
    static let rows = [60, 24]
    let tables: [FeatureTable]
    let heads: [JointHead]
    let body: TinyBody?

    /// - Parameter hasBody: whether the features come from a body, or are the tables' own.
    init(hasBody: Bool, external: Bool = false) {
        var random = Random(seed: 5)
        let tables = Self.rows.map { rows in
            FeatureTable(Tensor((0..<rows * 4).map { _ in random.uniform() * 2 - 1 }, [rows, 4]))
        }
        self.tables = tables
        body = hasBody ? TinyBody(tables) : nil
        let width = hasBody ? 5 : 4
        func network(_ kind: HeadKind, _ outputs: Int, _ seed: UInt64) -> HeadNetwork {
            HeadNetwork(kind, width: width, outputs: outputs, in: ParameterScope(initialisedFrom: seed))
        }
        func classes(_ dataset: Int, _ count: Int, of column: Int) -> [Int32] {
            (0..<Self.rows[dataset]).map { row in
                let value = tables[dataset].values.pointer[row * 4 + column]
                return Int32(min(count - 1, Int((value + 1) / 2 * Float(count))))
            }
        }
        let numbers = (0..<Self.rows[1]).map { row in
            tables[1].values.pointer[row * 4] - tables[1].values.pointer[row * 4 + 3]
        }
        heads = [
            JointHead("colour", network(.linear, 3, 1), dataset: 0, targets: .classes(classes(0, 3, of: 0)), hasExternalLoss: external),
            JointHead(
                "shape", network(.mlp(hidden: 7, dropout: 0.3), 2, 2), dataset: 0, targets: .classes(classes(0, 2, of: 1)),
                weight: 0.5),
            JointHead("size", network(.linear, 1, 4), dataset: 1, targets: .values(numbers)),
        ]
    }

    func trainer(_ settings: JointSettings) throws -> JointTrainer {
        let datasets = tables.enumerated().map { index, table in
            JointDataset("data \(index)", body == nil ? .table(table) : .body(rows: table.rows))
        }
        return try JointTrainer(datasets: datasets, heads: heads, body: body, settings: settings)
    }

    static var settings: JointSettings {
        var settings = JointSettings()
        settings.epochs = 4
        settings.batchSize = 8
        settings.validation = 0.2
        settings.learningRate = 0.02
        settings.bodyLearningRate = 0.01
        settings.layerDecay = 0.8
        return settings
    }
}

extension JointTrainer {
    /// Everything that anybody can see of it, as bytes.
    func bytes() throws -> Data { try state().encoded() }

    func run() throws { while !isFinished { _ = try advance() } }
}
