package import Checkpoints
package import TensorCore

/// Stochastic gradient descent with momentum (Sutskever et al. 2013), PyTorch's form:
/// `g += decay · p`, `b = momentum · b + (1 − dampening) · g` (at first `b = g`), `p −= lr · b`, or with Nesterov's look-ahead
/// `p −= lr · (g + momentum · b)`.
package struct SGD: Optimiser {
    package static let name = "sgd"
    package var momentum: Float
    package let dampening: Float
    package let nesterov: Bool
    package var memory: OptimiserMemory

    package init(
        _ parameters: [Parameter], momentum: Float = 0, nesterov: Bool = false, dampening: Float = 0,
        weightDecay: Float = 0
    ) {
        precondition(!nesterov || dampening == 0, "sgd: Nesterov momentum takes no dampening, which is \(dampening)")
        self.momentum = momentum
        self.nesterov = nesterov
        self.dampening = dampening
        memory = OptimiserMemory(parameters, weightDecay: weightDecay, slots: momentum == 0 ? [] : ["momentum"])
    }

    package func update(_ index: Int, _ gradient: Tensor, learningRate: Float, weightDecay: Float) {
        let p = memory.value(index)
        guard !memory.slots.isEmpty else {
            forElements(gradient.count) { range in
                let g = gradient.pointer
                for i in range { p[i] -= learningRate * (g[i] + weightDecay * p[i]) }
            }
            return
        }
        let b = memory.slot(0, index), momentum = momentum, isFirst = memory.steps == 1
        let (keep, share): (Float, Float) = isFirst ? (0, 1) : (momentum, 1 - dampening)
        let (own, ahead): (Float, Float) = nesterov ? (1, momentum) : (0, 1)
        forElements(gradient.count) { range in
            let g = gradient.pointer
            for i in range {
                let slope = g[i] + weightDecay * p[i]
                b[i] = keep * b[i] + share * slope
                p[i] -= learningRate * (own * slope + ahead * b[i])
            }
        }
    }
}
