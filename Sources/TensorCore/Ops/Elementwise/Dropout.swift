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
        let mask = Tensor(uninitialised: inputs[0].shape), to = mask.mutablePointer
        let keep = 1 / (1 - rate)
        WorkerPool.shared.forRanges(mask.count, grain: 1 << 14) { range in
            // Numbers of one stream, each thread from its own place: the mask does not depend on the threads.
            var random = Random(seed: seed)
            random.skip(range.lowerBound)
            for i in range { to[i] = random.uniform() < rate ? 0 : keep }
        }
        return (elementwise(ck_zip_multiply, Self.name, inputs[0], mask), [mask])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [saved.first.map { elementwise(ck_zip_multiply, Self.name, gradient, $0) } ?? gradient]
    }
}
