package import Checkpoints
import Glibc
package import TensorCore

/// Adam (Kingma & Ba 2015), with PyTorch's order of operations: weight decay is added to the gradient (L2).
/// `amsgrad` divides by the largest second moment so far (Reddi et al. 2018).
package struct Adam: Optimiser {
    package static let name = "adam"
    package var beta1: Float = 0.9
    package var beta2: Float = 0.999
    package var eps: Float = 1e-8
    package let amsgrad: Bool
    package var memory: OptimiserMemory

    package init(_ parameters: [Parameter], weightDecay: Float = 0, amsgrad: Bool = false) {
        self.amsgrad = amsgrad
        memory = OptimiserMemory(parameters, weightDecay: weightDecay, slots: Adam.slots(amsgrad))
    }

    package func update(_ index: Int, _ gradient: Tensor, learningRate: Float, weightDecay: Float) {
        Self.update(
            memory, index, gradient, AdamFactors(beta1, beta2, eps, learningRate, memory.steps), l2: weightDecay)
    }

    static func slots(_ amsgrad: Bool) -> [String] {
        ["first_moment", "second_moment"] + (amsgrad ? ["largest_second_moment"] : [])
    }

    /// With decay added to the gradient (`l2`) or taken from the weights (`decoupled`).
    static func update(
        _ memory: OptimiserMemory, _ index: Int, _ gradient: Tensor, _ factors: AdamFactors, l2: Float = 0,
        decoupled: Float = 0
    ) {
        let p = memory.value(index), m = memory.slot(0, index), v = memory.slot(1, index)
        let largest = memory.slots.count > 2 ? memory.slot(2, index) : nil
        let keep = 1 - factors.learningRate * decoupled
        forElements(gradient.count) { range in
            let g = gradient.pointer
            for i in range {
                let slope = g[i] + l2 * p[i]
                m[i] += (slope - m[i]) * factors.share1
                v[i] = v[i] * factors.beta2 + factors.share2 * slope * slope
            }
            let bound = largest ?? v
            if let largest {
                for i in range { largest[i] = largest[i] < v[i] ? v[i] : largest[i] }
            }
            for i in range {
                p[i] = p[i] * keep - factors.rate * (m[i] / (bound[i].squareRoot() * factors.scale + factors.eps))
            }
        }
    }
}

/// The numbers of one step of Adam, computed in double precision.
struct AdamFactors {
    let beta2: Float, share1: Float, share2: Float, eps: Float
    let learningRate: Float
    /// `lr / (1 − beta1^t)`
    let rate: Float
    /// `1 / √(1 − beta2^t)`
    let scale: Float

    init(_ beta1: Float, _ beta2: Float, _ eps: Float, _ learningRate: Float, _ step: Int) {
        let first = Double(beta1), second = Double(beta2)
        self.beta2 = beta2
        self.eps = eps
        self.learningRate = learningRate
        share1 = Float(1 - first)
        share2 = Float(1 - second)
        rate = Float(Double(learningRate) / (1 - pow(first, Double(step))))
        scale = Float(1 / (1 - pow(second, Double(step))).squareRoot())
    }
}
