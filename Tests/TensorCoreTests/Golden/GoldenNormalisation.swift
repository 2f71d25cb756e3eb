import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let normalisation: [String: GoldenBuilder] = [
        "layer_norm": one {
            let trailing: [Int] = try $0.attribute("normalized_shape")
            return LayerNormalisation(eps: try $0.attribute("eps"), axes: trailing.count).apply(
                [try $0.tensor("x"), try $0.optional("weight"), try $0.optional("bias")].compactMap { $0 })
        },
        "rms_norm": one {
            RMSNormalisation(eps: try $0.attribute("eps")).apply(
                [try $0.tensor("x"), try $0.optional("weight")].compactMap { $0 })
        },
        "l2_normalize": one {
            L2Normalisation(axis: try $0.attribute("dim"), eps: try $0.attribute("eps"))(try $0.tensor("x"))
        },
    ]
}
