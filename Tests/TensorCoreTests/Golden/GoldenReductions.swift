import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let reductions: [String: GoldenBuilder] = [
        "sum": one { Sum($0.attribute("dims"), keepingAxes: $0.attribute("keepdim") ?? false)(try $0.tensor("x")) },
        "mean": one { Mean($0.attribute("dims"), keepingAxes: $0.attribute("keepdim") ?? false)(try $0.tensor("x")) },
        "amax": one {
            Largest($0.attribute("dims"), keepingAxes: $0.attribute("keepdim") ?? false)(try $0.tensor("x"))
        },
        "amin": one {
            Smallest($0.attribute("dims"), keepingAxes: $0.attribute("keepdim") ?? false)(try $0.tensor("x"))
        },
        "var": one {
            Variance(
                $0.attribute("dims"), correction: try $0.attribute("correction"),
                keepingAxes: $0.attribute("keepdim") ?? false)(try $0.tensor("x"))
        },
        "max": { inputs in
            let x = try inputs.tensor("x"), axis: Int = try inputs.attribute("dim")
            return [
                "output": .tensor(LargestAlongAxis(axis, keepingAxis: inputs.attribute("keepdim") ?? false)(x)),
                "indices": .integers(x.positionsOfLargest(along: axis)),
            ]
        },
        "min": { inputs in
            let x = try inputs.tensor("x"), axis: Int = try inputs.attribute("dim")
            return [
                "output": .tensor(SmallestAlongAxis(axis, keepingAxis: inputs.attribute("keepdim") ?? false)(x)),
                "indices": .integers(x.positionsOfSmallest(along: axis)),
            ]
        },
        "argmax": { inputs in
            let places = try inputs.tensor("x").positionsOfLargest(along: try inputs.attribute("dim"))
            return ["output": .integers(places)]
        },
        "logsumexp": one {
            LogSumExp([try $0.attribute("dim")], keepingAxes: $0.attribute("keepdim") ?? false)(try $0.tensor("x"))
        },
        "cumsum": one { CumulativeSum(try $0.attribute("dim"))(try $0.tensor("x")) },
        "softmax": one {
            let x = try $0.tensor("x")
            return Softmax(axis: try $0.attribute("dim"))(try $0.optional("mask").map { Add()(x, $0) } ?? x)
        },
        "log_softmax": one {
            let x = try $0.tensor("x")
            return LogSoftmax(axis: try $0.attribute("dim"))(try $0.optional("mask").map { Add()(x, $0) } ?? x)
        },
    ]
}
