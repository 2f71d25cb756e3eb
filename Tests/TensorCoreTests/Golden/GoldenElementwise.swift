import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let elementwise: [String: GoldenBuilder] = [
        "add": one { Add()(try $0.tensor("a"), try $0.tensor("b")) },
        "sub": one { Subtract()(try $0.tensor("a"), try $0.tensor("b")) },
        "mul": one { Multiply()(try $0.tensor("a"), try $0.tensor("b")) },
        "div": one { Divide()(try $0.tensor("a"), try $0.tensor("b")) },
    ]
}
