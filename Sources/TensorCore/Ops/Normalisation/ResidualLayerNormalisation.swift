import CKernels

/// `layer_norm(x + residual)`, fused: the closing step of each half of a transformer layer.
/// Inputs: x `[…, n]`, residual `[…, n]`, weight `[n]`, bias `[n]`.
package struct ResidualLayerNormalisation: DifferentiableOp {
    package static let name = "residual_layer_norm"
    package let eps: Float

    package init(eps: Float) { self.eps = eps }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous(), residual = inputs[1].contiguous()
        let weight = inputs[2].contiguous(), bias = inputs[3].contiguous()
        precondition(
            x.shape == residual.shape && weight.shape == [x.shape.last] && bias.shape == weight.shape,
            "residual_layer_norm: x \(x.shape), residual \(residual.shape), weight \(weight.shape), bias \(bias.shape)")
        let y = Tensor(uninitialised: x.shape)
        ck_layer_norm_f32(
            x.shape.rows, x.shape.last, x.pointer, residual.pointer, weight.pointer, bias.pointer, eps,
            y.mutablePointer, nil, nil)
        return (y, [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let norm = LayerNormalisation(eps: eps)
        let operands = [broadcast(Self.name, inputs[0], inputs[1], +), inputs[2], inputs[3]]
        let (_, statistics) = norm.forward(operands)
        let gradients = norm.backward(
            gradient, inputs: operands, saved: statistics, needs: [needs[0] || needs[1], needs[2], needs[3]])
        return [gradients[0], gradients[0], gradients[1], gradients[2]]
    }
}
