package import Checkpoints
package import TensorCore

/// RMSprop (Tieleman & Hinton 2012), PyTorch's form: `v = alpha · v + (1 − alpha) · g²`, `p −= lr · g / (√v + eps)`.
/// `centred` takes the square of the gradients' mean from v (Graves 2013); momentum gathers the steps.
package struct RMSprop: Optimiser {
    package static let name = "rmsprop"
    package let alpha: Float
    package let eps: Float
    package var momentum: Float
    package let centred: Bool
    package var memory: OptimiserMemory

    package init(
        _ parameters: [Parameter], alpha: Float = 0.99, eps: Float = 1e-8, momentum: Float = 0, centred: Bool = false,
        weightDecay: Float = 0
    ) {
        self.alpha = alpha
        self.eps = eps
        self.momentum = momentum
        self.centred = centred
        memory = OptimiserMemory(
            parameters, weightDecay: weightDecay,
            slots: ["second_moment", "momentum"] + (centred ? ["first_moment"] : []))
    }

    package func update(_ index: Int, _ gradient: Tensor, learningRate: Float, weightDecay: Float) {
        let p = memory.value(index), v = memory.slot(0, index), b = memory.slot(1, index)
        let mean = centred ? memory.slot(2, index) : nil
        let (alpha, eps, momentum, share) = (alpha, eps, momentum, Float(1 - Double(alpha)))
        forElements(gradient.count) { range in
            let g = gradient.pointer
            for i in range {
                let slope = g[i] + weightDecay * p[i]
                v[i] = alpha * v[i] + share * slope * slope
                var spread = v[i]
                if let mean {
                    mean[i] = alpha * mean[i] + share * slope
                    spread -= mean[i] * mean[i]
                }
                b[i] = momentum * b[i] + slope / (spread.squareRoot() + eps)
                p[i] -= learningRate * b[i]
            }
        }
    }
}
