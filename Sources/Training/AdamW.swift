import CKernels
package import Checkpoints
import Glibc
package import TensorCore

/// AdamW (Loshchilov & Hutter 2019), with PyTorch's order of operations. Parameters change in place.
package struct AdamW {
    package var beta1: Float = 0.9
    package var beta2: Float = 0.999
    package var eps: Float = 1e-8
    package let weightDecay: Float
    private let parameters: [Parameter]
    private var firstMoments: [Tensor]
    private var secondMoments: [Tensor]
    private(set) var steps = 0

    package init(_ parameters: [Parameter], weightDecay: Float) {
        self.parameters = parameters
        self.weightDecay = weightDecay
        firstMoments = parameters.map { Tensor(repeating: 0, $0.value.shape) }
        secondMoments = firstMoments.map { Tensor(repeating: 0, $0.shape) }
    }

    /// `gradients` in the order of the parameters.
    package mutating func step(_ gradients: [Tensor], learningRate: Float) {
        precondition(gradients.count == parameters.count, "\(gradients.count) gradients for \(parameters.count) parameters")
        steps += 1
        let correction1 = 1 - powf(beta1, Float(steps)), correction2 = 1 - powf(beta2, Float(steps))
        let settings = (beta1, beta2, eps, weightDecay)
        for (index, parameter) in parameters.enumerated() {
            let gradient = gradients[index].contiguous(), count = parameter.value.count
            precondition(gradient.shape == parameter.value.shape, "\(parameter.name): gradient \(gradient.shape)")
            let (value, first, second) = (
                parameter.value.mutablePointer, firstMoments[index].mutablePointer, secondMoments[index].mutablePointer
            )
            // Large parameters are split: the step is bound by memory, and each element is its own.
            let parts = max(1, min(WorkerPool.shared.threads, count / 8192))
            WorkerPool.shared.parallel(parts) { part in
                let from = count * part / parts, size = count * (part + 1) / parts - from
                ck_adamw_f32(
                    size, value + from, gradient.pointer + from, first + from, second + from, learningRate, settings.0,
                    settings.1, settings.2, settings.3, correction1, correction2)
            }
        }
    }
}
