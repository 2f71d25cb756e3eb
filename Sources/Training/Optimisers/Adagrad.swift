package import Checkpoints
package import TensorCore

/// Adagrad (Duchi et al. 2011), PyTorch's form: `s += g²`, `p −= lr / (1 + (t − 1) · decay) · g / (√s + eps)`.
package struct Adagrad: Optimiser {
    package static let name = "adagrad"
    package let learningRateDecay: Float
    package let eps: Float
    package var memory: OptimiserMemory

    package init(_ parameters: [Parameter], learningRateDecay: Float = 0, eps: Float = 1e-10, weightDecay: Float = 0) {
        self.learningRateDecay = learningRateDecay
        self.eps = eps
        memory = OptimiserMemory(parameters, weightDecay: weightDecay, slots: ["sum"])
    }

    package func update(_ index: Int, _ gradient: Tensor, learningRate: Float, weightDecay: Float) {
        let p = memory.value(index), s = memory.slot(0, index), eps = eps
        let rate = learningRate / (1 + Float(memory.steps - 1) * learningRateDecay)
        forElements(gradient.count) { range in
            let g = gradient.pointer
            for i in range {
                let slope = g[i] + weightDecay * p[i]
                s[i] += slope * slope
                p[i] -= rate * slope / (s[i].squareRoot() + eps)
            }
        }
    }
}
