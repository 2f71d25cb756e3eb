import Foundation
import Graphs
import TensorCore
import TestSupport

/// A head that `Fixtures/export_heads.py` exported, with what PyTorch made of it.
struct HeadFixture: Decodable {
    struct Values: Decodable {
        let shape: [Int]
        let type: String
        let values: [Double]

        var value: GraphValue {
            get throws {
                if type == "int64" {
                    let bytes = values.reduce(into: Data()) { data, value in
                        withUnsafeBytes(of: Int64(value).littleEndian) { data.append(contentsOf: $0) }
                    }
                    return try GraphValue(type: .int64, shape: shape, bytes: bytes)
                }
                return GraphValue(Tensor(values.map { Float($0) }, Shape(shape)))
            }
        }
    }

    struct Steps: Decodable {
        let rate: Float
        let decay: Float?
        let losses: [Float]
    }

    let inputs: [String: Values]
    let output: Values
    let target: Values?
    let loss: String?
    let sgd: Steps?
    let adamw: Steps?
    let parameters: Int?

    static let folder = Golden.packageRoot.appending(path: "Tests/GraphsTests/Fixtures")
    static let names = [
        "mlp", "transformer", "lstm_tagger", "gru_tagger", "conv_decoder", "attention_pooling", "gated_fusion",
    ]

    static func load(_ name: String) throws -> HeadFixture {
        try JSONDecoder().decode(HeadFixture.self, from: Data(contentsOf: folder.appending(path: "\(name).json")))
    }

    static func model(_ name: String) throws -> GraphModel {
        try GraphModel(data: Data(contentsOf: folder.appending(path: "\(name).onnx")))
    }

    var values: [String: GraphValue] {
        get throws { try inputs.mapValues { try $0.value } }
    }

    /// The loss the fixture was trained with, of an output.
    func loss(of output: Tensor) -> Tensor {
        guard let target, loss == "classes" || loss == "tags" else {
            return MeanSquaredError()(output, Tensor((target?.values ?? []).map { Float($0) }, output.shape))
        }
        let rows = Reshape([output.shape.rows, output.shape.last])(output)
        return CrossEntropy(targets: target.values.map { Int32($0) })(rows)
    }
}

/// The worst difference of two lists of numbers, and where it is.
func worst(_ actual: [Float], _ expected: [Float]) -> (difference: Float, index: Int) {
    guard actual.count == expected.count else { return (.infinity, -1) }
    var worst: (difference: Float, index: Int) = (0, 0)
    for (index, (a, e)) in zip(actual, expected).enumerated() {
        let difference = a == e || (a.isNaN && e.isNaN) ? 0 : abs(a - e)
        if !(difference <= worst.difference) { worst = (difference, index) }
    }
    return worst
}
