import CKernels
import Checkpoints
import TensorCore

/// Finds what is infinite or not a number, at almost no cost while everything is finite: one sum over each tensor.
enum FiniteCheck {
    /// The first bad tensor, and its first bad element.
    static func firstBad(_ tensors: [Tensor]) -> (tensor: Int, element: Int, value: Float)? {
        for (index, tensor) in tensors.enumerated() {
            let dense = tensor.contiguous()
            // Finite numbers can sum to infinity, so a bad sum is only a suspicion.
            if ck_sum_f32(dense.count, dense.pointer).isFinite { continue }
            for element in 0..<dense.count where !dense.pointer[element].isFinite {
                return (index, element, dense.pointer[element])
            }
        }
        return nil
    }
}

/// The weights to fall back on when training breaks: a copy made now and then, of finite weights only.
struct WeightSnapshot {
    private let leaves: [Tensor]
    private let copies: [Tensor]

    init(_ leaves: [Tensor]) {
        self.leaves = leaves
        copies = leaves.map { Tensor($0.values, $0.shape) }
    }

    /// Takes the weights, unless one is not finite. Whether it did.
    @discardableResult
    func take() -> Bool {
        if FiniteCheck.firstBad(leaves) != nil { return false }
        for (leaf, copy) in zip(leaves, copies) { copy.mutablePointer.update(from: leaf.pointer, count: leaf.count) }
        return true
    }

    func restore() {
        for (leaf, copy) in zip(leaves, copies) { leaf.mutablePointer.update(from: copy.pointer, count: leaf.count) }
    }
}
