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
        for (target, row) in rows.enumerated() {
            result.mutablePointer.advanced(by: target * width).update(from: values.pointer + row * width, count: width)
        }
        return result
    }
}
