import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let shapes: [String: GoldenBuilder] = [
        "reshape": one { reshaped(try $0.tensor("x"), try $0.attribute("shape")) },
        "permute": one { Permute(try $0.attribute("dims"))(try $0.tensor("x")) },
        "permute_reshape": one {
            reshaped(Permute(try $0.attribute("dims"))(try $0.tensor("x")), try $0.attribute("shape"))
        },
        "expand": one { Expand(Shape(try $0.attribute("shape", as: [Int].self)))(try $0.tensor("x")) },
        "slice": one {
            Slice(
                axis: try $0.attribute("dim"), $0.attribute("start"), $0.attribute("stop"),
                step: $0.attribute("step") ?? 1)(try $0.tensor("x"))
        },
        "concat": one { Concatenate(axis: try $0.attribute("dim")).apply(try $0.golden.inputs.map($0.tensor)) },
        "stack": one { Stack(axis: try $0.attribute("dim")).apply(try $0.golden.inputs.map($0.tensor)) },
        "split": { inputs in
            let pieces = split(
                try inputs.tensor("x"), axis: try inputs.attribute("dim"), sizes: try inputs.attribute("sizes"))
            return Dictionary(
                uniqueKeysWithValues: pieces.enumerated().map { ("output.\($0.offset)", .tensor($0.element)) })
        },
        "embedding": one {
            let padding: Int? = $0.attribute("padding_idx")
            return Embedding(
                try $0.integers("indices").map(Int32.init), shape: try $0.shape("indices"),
                paddingIndex: padding.map(Int32.init))(try $0.tensor("weight"))
        },
        "gather": one {
            Gather(axis: try $0.attribute("dim"), try $0.indices("index"))(try $0.tensor("x"))
        },
        "index_select": one {
            IndexSelect(axis: try $0.attribute("dim"), try $0.indices("index"))(try $0.tensor("x"))
        },
        "scatter_add": one {
            Scatter(axis: try $0.attribute("dim"), try $0.indices("index"), mode: .add)(
                try $0.tensor("x"), try $0.tensor("src"))
        },
    ]

    private static func reshaped(_ x: Tensor, _ dimensions: [Int]) -> Tensor {
        guard let shape = Shape(dimensions, fitting: x.count) else { fatalError("\(dimensions) for \(x.shape)") }
        return Reshape(shape)(x)
    }
}
