import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let products: [String: GoldenBuilder] = [
        "matmul": one {
            MatrixProduct(
                transposeA: $0.attribute("transpose_a") ?? false, transposeB: $0.attribute("transpose_b") ?? false)(
                    try $0.tensor("a"), try $0.tensor("b"))
        },
        "linear": one {
            LinearProduct().apply(
                [try $0.tensor("x"), try $0.tensor("weight"), try $0.optional("bias")].compactMap { $0 })
        },
    ]
}
