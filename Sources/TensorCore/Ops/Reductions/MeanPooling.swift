import CKernels

/// Where each sequence of a packed tensor begins: sequence `i` is rows `starts[i]..<starts[i + 1]`.
package struct SequenceOffsets: Sendable, Equatable {
    package let starts: [Int]

    /// From the lengths of the sequences, in order.
    package init(lengths: [Int]) {
        var starts = [0]
        starts.reserveCapacity(lengths.count + 1)
        for length in lengths { starts.append(starts[starts.count - 1] + length) }
        self.starts = starts
    }

    package var count: Int { starts.count - 1 }
    package var rows: Int { starts[starts.count - 1] }
    package subscript(_ sequence: Int) -> Range<Int> { starts[sequence]..<starts[sequence + 1] }
}

/// Mean of each sequence's rows: packed `[rows, width]` → `[sequences, width]`. Sequences must not be empty.
package struct MeanPooling: DifferentiableOp {
    package static let name = "mean_pooling"
    package let offsets: SequenceOffsets

    package init(_ offsets: SequenceOffsets) { self.offsets = offsets }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous(), width = x.shape.last
        precondition(x.shape == [offsets.rows, width], "mean_pooling: \(x.shape) for \(offsets.rows) packed rows")
        let y = Tensor(uninitialised: [offsets.count, width])
        for sequence in 0..<offsets.count {
            let rows = offsets[sequence]
            ck_mean_rows_f32(
                rows.count, width, x.pointer + rows.lowerBound * width, width, y.mutablePointer + sequence * width)
        }
        return (y, [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let width = gradient.shape.last, dx = Tensor(uninitialised: inputs[0].shape)
        for sequence in 0..<offsets.count {
            let rows = offsets[sequence], scale = 1 / Float(rows.count)
            for row in rows {
                for i in 0..<width {
                    dx.mutablePointer[row * width + i] = gradient.pointer[sequence * width + i] * scale
                }
            }
        }
        return [dx]
    }
}
