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
        let correction1 = 1 - powf(beta1, Float(memory.steps)), correction2 = 1 - powf(beta2, Float(memory.steps))
        let value = memory.value(index), first = memory.slot(0, index), second = memory.slot(1, index)
        let settings = (beta1, beta2, eps)
        forElements(gradient.count) { range in
            let from = range.lowerBound
            ck_adamw_f32(
                range.count, value + from, gradient.pointer + from, first + from, second + from, learningRate,
                settings.0,
                settings.1, settings.2, weightDecay, correction1, correction2)
        }
    }
}
