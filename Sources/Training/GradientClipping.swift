import CKernels
import Glibc
package import TensorCore

/// Keeps gradients from growing too large.
package enum GradientClipping: Sendable, Equatable {
    /// Scales all gradients together so that their norm is at most `largest`: by `min(1, largest / (norm + 1e-6))` (Pascanu et
    /// al. 2013, PyTorch's form). An order of infinity is the largest absolute element.
    case norm(largest: Double, order: Double = 2)
    /// Clamps each element to `±largest`.
    case value(largest: Float)

    /// Clipped gradients, and the norm before when this clips by it. The gradients given are not changed: an op may have returned
    /// one tensor for two parameters.
    package func callAsFunction(_ gradients: [Tensor]) -> (gradients: [Tensor], norm: Double?) {
        switch self {
        case .norm(let largest, let order):
            let norm = Self.norm(gradients, order: order)
            let factor = Float(min(1, largest / (norm + 1e-6)))
            return (factor == 1 ? gradients : gradients.map { map($0) { $0 * factor } }, norm)
        case .value(let largest):
            // A NaN passes: both comparisons fail.
            return (gradients.map { map($0) { $0 > largest ? largest : $0 < -largest ? -largest : $0 } }, nil)
        }
    }

    /// `(Σ |g|^order)^(1 / order)` over all elements of all gradients.
    package static func norm(_ gradients: [Tensor], order: Double = 2) -> Double {
        var total = 0.0
        for gradient in gradients {
            let dense = gradient.contiguous()
            switch order {
            case 2: total += Double(ck_dot_f32(dense.count, dense.pointer, dense.pointer))
            case .infinity:
                for i in 0..<dense.count {
                    let size = Double(abs(dense.pointer[i]))
                    // A NaN stays: nothing is larger.
                    if size > total || size.isNaN { total = size }
                }
            default:
                for i in 0..<dense.count { total += pow(Double(abs(dense.pointer[i])), order) }
            }
        }
        switch order {
        case 2: return total.squareRoot()
        case .infinity: return total
        default: return pow(total, 1 / order)
        }
    }

    private func map(_ x: Tensor, _ body: (Float) -> Float) -> Tensor {
        let dense = x.contiguous(), result = Tensor(uninitialised: x.shape), out = result.mutablePointer
        for i in 0..<dense.count { out[i] = body(dense.pointer[i]) }
        return result
    }
}
