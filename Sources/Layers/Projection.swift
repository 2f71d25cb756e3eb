import Checkpoints
package import TensorCore

/// A linear map inside an encoder, frozen and packed or trained, with or without a low-rank adapter: x `[rows, in]` →
/// `[rows, out]`. The layer around it is the same for all.
package struct Projection {
    private enum Map {
        case packed(FrozenLinear)
        case trained(Linear)
    }

    private let map: Map
    /// The map's own weight `[out, in]`.
    package let weight: Tensor
    package let adapter: LowRankAdapter?

    /// Packs the weights when they are frozen.
    ///
    /// - Parameter passesGradients: whether something below, or its adapter, is trained.
    package init(_ linear: Linear, adapter: LowRankAdapter? = nil, passesGradients: Bool = false) {
        map =
            linear.weight.isTrainable
            ? .trained(linear) : .packed(Linear.frozen([linear], passesGradients: passesGradients))
        weight = linear.weight.value
        self.adapter = adapter
    }

    /// Bytes of the packed form; a trained map has none.
    package var byteCount: Int {
        switch map {
        case .packed(let frozen): frozen.byteCount
        case .trained: 0
        }
    }

    package func callAsFunction(_ x: Tensor, activation: PackedActivation = .identity) -> Tensor {
        var y: Tensor
        switch map {
        case .packed(let frozen):
            guard let adapter else { return PackedLinear(frozen, activation: activation)(x) }
            y = AdaptedLinear(frozen, scale: adapter.scale)(x, adapter.a.value, adapter.b.value)
        case .trained(let linear):
            guard let adapter else { return activation == .gelu ? linear.gelu(x) : linear(x) }
            y = Add()(linear(x), adapter(x))
        }
        switch activation {
        case .identity: return y
        case .gelu: return GELU()(y)
        }
    }
}
