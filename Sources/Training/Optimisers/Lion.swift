package import Checkpoints
package import TensorCore

/// Lion (Chen et al. 2023): `p −= lr · (sign(beta1 · m + (1 − beta1) · g) + decay · p)`, then
/// `m = beta2 · m + (1 − beta2) · g`.
package struct Lion: Optimiser {
    package static let name = "lion"
    package let beta1: Float
    package let beta2: Float
    package var memory: OptimiserMemory

    package init(_ parameters: [Parameter], beta1: Float = 0.9, beta2: Float = 0.99, weightDecay: Float = 0) {
        self.beta1 = beta1
        self.beta2 = beta2
        memory = OptimiserMemory(parameters, weightDecay: weightDecay, slots: ["momentum"])
    }

    package func update(_ index: Int, _ gradient: Tensor, learningRate: Float, weightDecay: Float) {
        let p = memory.value(index), m = memory.slot(0, index)
        let (beta1, beta2) = (beta1, beta2), share1 = Float(1 - Double(beta1)), share2 = Float(1 - Double(beta2))
        let keep = 1 - learningRate * weightDecay
        forElements(gradient.count) { range in
            let g = gradient.pointer
            for i in range {
                let direction = beta1 * m[i] + share1 * g[i]
                // A NaN direction must reach the weights, so it is not turned into a sign.
                let sign: Float = direction > 0 ? 1 : direction < 0 ? -1 : direction
                p[i] = p[i] * keep - learningRate * sign
                m[i] = beta2 * m[i] + share2 * g[i]
            }
        }
    }
}
