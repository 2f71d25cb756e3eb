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

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (weights.packed.multiply(inputs[0], bias: weights.bias, activation: activation), [])
    }

    /// The values before the activation are computed again: keeping them would cost every frozen forward pass memory.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        var dy = gradient
        if activation == .gelu {
            let before = weights.packed.multiply(inputs[0], bias: weights.bias)
            dy = Tensor(uninitialised: gradient.shape)
            ck_gelu_backward_f32(dy.count, before.pointer, gradient.pointer, dy.mutablePointer)
        }
        let dx = Tensor(repeating: 0, inputs[0].shape)
        var column = 0
        for matrix in weights.matrices {
            let dense = matrix.contiguous(), out = matrix.shape[0]
            gemm(
                false, false, dx.shape[0], dx.shape[1], out, dy.pointer + column, dy.shape[1], dense.pointer,
                dx.shape[1],
                beta: 1, dx.mutablePointer, dx.shape[1])
            column += out
        }
        return [dx]
    }
}

/// Frozen weights `[out, in]` with their packed form and joined biases. The packed form is what runs; the originals, usually
/// pages of a mapped file, are only read when a gradient passes through.
package struct FrozenLinear {
    let matrices: [Tensor]
    let packed: PackedMatrix
    let bias: Tensor?

    package init(_ matrices: [Tensor], biases: [Tensor]) {
        precondition(biases.isEmpty || biases.count == matrices.count, "FrozenLinear: a bias for some weights only")
        self.matrices = matrices
        self.packed = PackedMatrix(transposing: matrices)
        self.bias = biases.isEmpty ? nil : Tensor(biases.flatMap(\.values), [packed.columns])
    }

    package var byteCount: Int { packed.byteCount + (bias?.count ?? 0) * MemoryLayout<Float>.stride }
}
