import CKernels
package import Checkpoints
import Glibc
package import TensorCore

/// AdamW (Loshchilov & Hutter 2019), with PyTorch's order of operations: the weights decay apart from the gradients.
/// `amsgrad` divides by the largest second moment so far (Reddi et al. 2018).
package struct AdamW: Optimiser {
    package static let name = "adamw"
    package var beta1: Float = 0.9
    package var beta2: Float = 0.999
    package var eps: Float = 1e-8
    package let amsgrad: Bool
    package var memory: OptimiserMemory

    package init(_ parameters: [Parameter], weightDecay: Float = 1e-2, amsgrad: Bool = false) {
        self.amsgrad = amsgrad
        memory = OptimiserMemory(parameters, weightDecay: weightDecay, slots: Adam.slots(amsgrad))
    }

    package func update(_ index: Int, _ gradient: Tensor, learningRate: Float, weightDecay: Float) {
        if amsgrad {
            Adam.update(
                memory, index, gradient, AdamFactors(beta1, beta2, eps, learningRate, memory.steps),
                decoupled: weightDecay)
            return
        }
        let value = memory.value(index), first = memory.slot(0, index), second = memory.slot(1, index)
        let factors = factors(learningRate: learningRate, weightDecay: weightDecay)
        forElements(gradient.count) { range in
            let from = range.lowerBound
            withUnsafePointer(to: factors) {
                ck_adamw_f32($0, range.count, value + from, gradient.pointer + from, first + from, second + from)
            }
        }
    }

    /// The numbers of the present step of parameter `index`, without `amsgrad`.
    func factors(_ index: Int, _ learningRate: Float) -> ck_adamw {
        let group = memory.groups[index]
        return factors(learningRate: learningRate * group.learningRateFactor, weightDecay: group.weightDecay)
    }

    private func factors(learningRate: Float, weightDecay: Float) -> ck_adamw {
        ck_adamw_factors(learningRate, beta1, beta2, eps, weightDecay, UInt64(memory.steps))
    }
}
