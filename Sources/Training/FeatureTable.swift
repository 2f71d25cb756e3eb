import CKernels
package import TensorCore

/// Features of a data set, one row each. The rows live in one tensor `[rows, width]`.
package struct FeatureTable {
    package let values: Tensor
    package var rows: Int { values.shape[0] }
    package var width: Int { values.shape[1] }

    package init(_ values: Tensor) {
        precondition(values.rank == 2, "features of shape \(values.shape)")
        self.values = values.contiguous()
    }

    /// Rows in the order given → `[rows.count, width]`.
    package func gather(_ rows: some Collection<Int>) -> Tensor {
        let result = Tensor(uninitialised: [rows.count, width])
        let copied: Void? = rows.withContiguousStorageIfAvailable { copy($0, to: result) }
        if copied == nil { Array(rows).withUnsafeBufferPointer { copy($0, to: result) } }
        return result
    }

    private func copy(_ rows: UnsafeBufferPointer<Int>, to result: Tensor) {
        guard let first = rows.baseAddress else { return }
        let count = rows.count, parts = max(1, min(WorkerPool.shared.threads, count * width / 8192))
        WorkerPool.shared.parallel(parts) { part in
            let from = count * part / parts, to = count * (part + 1) / parts
            ck_gather_rows_f32(to - from, first + from, width, values.pointer, result.mutablePointer + from * width)
        }
    }
}
