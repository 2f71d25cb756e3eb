import CKernels

/// `PackedAttention` for inference: queries, keys and values `[tokens, 3 · width]` side by side → `[tokens, width]`. No gradient
/// passes through it.
///
/// The softmax is computed for sixteen queries at a time, so that its sums are rounded in another order than `PackedAttention`'s.
package struct JoinedAttention {
    package let offsets: SequenceOffsets
    package let heads: Int

    package init(_ offsets: SequenceOffsets, heads: Int) {
        self.offsets = offsets
        self.heads = heads
    }

    package func callAsFunction(_ projected: Tensor) -> Tensor {
        precondition(
            projected.rank == 2 && projected.shape[0] == offsets.rows && projected.shape[1] % (3 * heads) == 0
                && !projected.isTracked,
            "joined attention: \(projected.shape) for \(offsets.rows) packed rows and \(heads) heads")
        let input = projected.contiguous(), width = input.shape[1] / 3, size = width / heads
        let output = Tensor(uninitialised: [offsets.rows, width])
        let longest = (0..<offsets.count).map { offsets[$0].count }.max() ?? 0
        // One task for each head of each sequence.
        let tasks = offsets.count * heads, cost = max(2 * longest * longest * size, 1)
        WorkerPool.shared.forFreeRanges(tasks, grain: 1 + Self.leastOperations / cost) { range in
            let scratch = Tensor(uninitialised: [ck_attention_scratch(longest, size)])
            for task in range {
                let rows = offsets[task / heads], column = task % heads * size
                let queries = input.pointer + rows.lowerBound * 3 * width + column
                var attention = ck_attention()
                (attention.length, attention.size) = (rows.count, size)
                (attention.q, attention.k, attention.v) = (queries, queries + width, queries + 2 * width)
                attention.ld = 3 * width
                attention.scale = 1 / Float(size).squareRoot()
                (attention.y, attention.ldy) = (output.mutablePointer + rows.lowerBound * width + column, width)
                ck_attention_f32(&attention, scratch.mutablePointer)
            }
        }
        return output
    }

    /// Multiply-adds that are worth waking a thread for: some microseconds, the softmax included.
    private static let leastOperations = 1 << 16
}
