import CKernels

/// In training, each element is dropped with probability `rate` and the others are scaled by `1 / (1 − rate)`
/// (Srivastava et al. 2014). The mask depends on `seed` alone. A rate of 0 is the identity.
package struct Dropout: DifferentiableOp {
    package static let name = "dropout"
    package let rate: Float
    package let seed: UInt64

    package init(rate: Float, seed: UInt64) {
        precondition((0..<1).contains(rate), "dropout: rate \(rate) is not in 0..<1")
        self.rate = rate
        self.seed = seed
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        if rate == 0 { return (inputs[0], []) }
        let x = inputs[0].contiguous(), mask = Tensor(uninitialised: x.shape), y = Tensor(uninitialised: x.shape)
        WorkerPool.shared.forRanges(x.count, grain: 1 << 13) { range in
            let start = range.lowerBound
            ck_dropout_f32(
                range.count, seed, UInt64(start), rate, x.pointer + start, y.mutablePointer + start,
                mask.mutablePointer + start)
        }
        return (y, [mask])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [saved.first.map { elementwise(ck_zip_multiply, Self.name, gradient, $0) } ?? gradient]
    }
}
