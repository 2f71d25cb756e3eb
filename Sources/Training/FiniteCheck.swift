import CKernels
import Checkpoints
import TensorCore

/// Finds what is infinite or not a number, at almost no cost while everything is finite: one sum over each tensor.
enum FiniteCheck {
    /// The first bad tensor, and its first bad element.
    static func firstBad(_ tensors: [Tensor]) -> (tensor: Int, element: Int, value: Float)? {
        if areFinite(tensors) { return nil }
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

    /// Whether everything is finite; false may also be said of large numbers whose sum is infinite. Each thread sums a stretch of
    /// all the tensors together.
    private static func areFinite(_ tensors: [Tensor]) -> Bool {
        guard tensors.allSatisfy(\.isContiguous) else { return false }
        let count = tensors.reduce(0) { $0 + $1.count }
        let threads = WorkerPool.shared.threads, parts = max(1, min(threads, count / 16_384))
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: parts) { sums in
            sums.initialize(repeating: 0)
            WorkerPool.shared.parallel(parts) { part in
                let range = count * part / parts..<count * (part + 1) / parts
                var start = 0
                for tensor in tensors {
                    let own = range.clamped(to: start..<start + tensor.count)
                    sums[part] += ck_sum_f32(own.count, tensor.pointer + (own.lowerBound - start))
                    start += tensor.count
                }
            }
            return sums.allSatisfy(\.isFinite)
        }
    }
}

/// The weights to fall back on when training breaks: a copy made now and then, of finite weights only.
struct WeightSnapshot {
    private let leaves: [Tensor]
    /// In the leaves' order.
    let copies: [Tensor]

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
