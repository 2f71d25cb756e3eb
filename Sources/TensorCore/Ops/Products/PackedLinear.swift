import CKernels

/// `activation(x Wᵀ + b)` with frozen weights that were packed once; several weights side by side make one product (the queries,
/// keys and values of an attention layer). x `[rows, in]` → `[rows, Σ out]`. A gradient reaches x only: the weights are frozen.
package struct PackedLinear: DifferentiableOp {
    package static let name = "packed_linear"
    package let weights: FrozenLinear
    package let activation: PackedActivation

    package init(_ weights: FrozenLinear, activation: PackedActivation = .identity) {
        self.weights = weights
        self.activation = activation
    }

    /// Of an activation its slope is kept: both need the same erf, and the backward pass is then a multiplication.
    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        guard activation == .gelu else { return (untrackedForward(inputs), []) }
        let slope = Tensor(uninitialised: [inputs[0].shape[0], weights.packed.columns])
        return (weights.packed.multiply(inputs[0], bias: weights.bias, activation: .gelu, slope: slope), [slope])
    }

    package func untrackedForward(_ inputs: [Tensor]) -> Tensor {
        weights.packed.multiply(inputs[0], bias: weights.bias, activation: activation)
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let dy = activation == .gelu ? elementwise(ck_zip_multiply, Self.name, gradient, saved[0]) : gradient
        return [weights.transposed(Self.name).multiply(dy)]
    }
}

/// `x Wᵀ + b + scale · (x Aᵀ) Bᵀ`: a frozen, packed map with a low-rank adapter beside it (LoRA, Hu et al. 2022). Inputs: x
/// `[rows, in]`, A `[rank, in]`, B `[out, rank]` → `[rows, out]`.
package struct AdaptedLinear: DifferentiableOp {
    package static let name = "adapted_linear"
    package let weights: FrozenLinear
    package let scale: Float

    package init(_ weights: FrozenLinear, scale: Float) {
        self.weights = weights
        self.scale = scale
    }

    /// Kept: `scale · x Aᵀ`; the narrow side is the cheap one to scale.
    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0], a = inputs[1], b = inputs[2]
        precondition(
            a.shape[1] == x.shape[1] && b.shape == [weights.packed.columns, a.shape[0]],
            "adapted_linear: x \(x.shape), A \(a.shape), B \(b.shape), \(weights.packed.columns) outputs")
        let inner = scaled(multiply(x, a, transposeB: true))
        let y = weights.packed.multiply(x, bias: weights.bias)
        accumulate(MatrixView(inner), MatrixView(b).transposed, into: y)
        return (y, [inner])
    }

    /// With `h = scale · x Aᵀ` and `dh = scale · dy B`: `dB = dyᵀ h`, `dA = dhᵀ x`, `dx = dy W + dh A`.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let x = inputs[0], a = inputs[1], b = inputs[2], inner = saved[0]
        let dinner = needs[0] || needs[1] ? scaled(multiply(gradient, b)) : inner
        var dx: Tensor?
        if needs[0] {
            let sum = weights.transposed(Self.name).multiply(gradient)
            accumulate(MatrixView(dinner), MatrixView(a), into: sum)
            dx = sum
        }
        return [
            dx, needs[1] ? multiply(dinner, transposeA: true, x) : nil,
            needs[2] ? multiply(gradient, transposeA: true, inner) : nil,
        ]
    }

    private func accumulate(_ a: MatrixView, _ b: MatrixView, into c: Tensor) {
        product(a, b, into: c.mutablePointer, rowStride: c.shape[1], ProductEpilogue(accumulate: true))
    }

    private func scaled(_ x: Tensor) -> Tensor {
        if scale != 1 { for i in 0..<x.count { x.mutablePointer[i] *= scale } }
        return x
    }
}

/// Frozen weights `[out, in]` in packed form with their joined biases. The originals, usually pages of a mapped file, are not read
/// again.
package struct FrozenLinear {
    let packed: PackedMatrix
    let bias: Tensor?
    /// Packed the other way round, for gradients.
    private let reversed: PackedMatrix?

    /// - Parameter passesGradients: whether gradients are to pass through it, for which a second form is packed.
    package init(_ matrices: [Tensor], biases: [Tensor], passesGradients: Bool = false) {
        precondition(biases.isEmpty || biases.count == matrices.count, "FrozenLinear: a bias for some weights only")
        packed = PackedMatrix(transposing: matrices)
        bias = biases.isEmpty ? nil : Tensor(biases.flatMap(\.values), [packed.columns])
        reversed = passesGradients ? PackedMatrix(stacking: matrices) : nil
    }

    func transposed(_ op: String) -> PackedMatrix {
        guard let reversed else { preconditionFailure("\(op): weights packed for inference were given a tracked input") }
        return reversed
    }

    package var byteCount: Int {
        packed.byteCount + (reversed?.byteCount ?? 0) + (bias?.count ?? 0) * MemoryLayout<Float>.stride
    }
}
