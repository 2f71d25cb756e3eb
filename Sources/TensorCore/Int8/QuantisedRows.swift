import CKernels

/// Rows of activations in eight bits: `x ≈ scale · (q − zero)`, q in 0…255, with a scale and a zero point of its own for each row, so
/// that a row's numbers do not depend on the others. An inference type: no gradient passes through it.
///
/// The range of a row is that of its values and zero. A row with a NaN or an infinity is not hidden: every product with it is NaN.
package struct QuantisedRows {
    package let rows: Int
    package let columns: Int
    /// Bytes from one row to the next.
    let stride: Int
    /// `[rows, stride]` bytes, then `[rows]` scales, then `[rows]` zero points of 32 bits.
    private let storage: Storage

    private init(_ rows: Int, _ columns: Int) {
        self.rows = rows
        self.columns = columns
        // Whole cache lines: rows stay apart when several threads write them.
        stride = (columns + 63) / 64 * 64
        storage = Storage(count: rows * (stride / MemoryLayout<Float>.stride + 2))
    }

    var values: UnsafeMutablePointer<UInt8> {
        UnsafeMutableRawPointer(storage.pointer).assumingMemoryBound(to: UInt8.self)
    }
    var scales: UnsafeMutablePointer<Float> { storage.pointer + rows * stride / MemoryLayout<Float>.stride }
    var zeros: UnsafeMutablePointer<Int32> {
        UnsafeMutableRawPointer(scales + rows).assumingMemoryBound(to: Int32.self)
    }

    /// Quantises x `[rows, columns]`; rows may be strided.
    package init(_ x: Tensor) {
        precondition(x.rank == 2 && !x.isTracked, "quantised rows: \(x.shape)\(x.isTracked ? ", tracked" : "")")
        self.init(x.shape[0], x.shape[1])
        let input = x.step(along: 1) == 1 ? x : x.contiguous()
        let step = input.step(along: 0)
        forRows { range in
            let first = range.lowerBound
            ck_int8_quantise(
                range.count, columns, input.pointer + first * step, step, values + first * stride, stride, scales + first,
                zeros + first)
        }
    }

    /// `layer_norm(x + residual)` `[rows, columns]` in both forms: the residual of what follows, and its input.
    package static func layerNorm(
        _ x: Tensor, residual: Tensor, weight: Tensor, bias: Tensor, eps: Float
    ) -> (values: Tensor, quantised: QuantisedRows) {
        precondition(
            x.rank == 2 && x.shape == residual.shape && weight.shape == [x.shape[1]] && bias.shape == weight.shape,
            "quantised layer norm: x \(x.shape), residual \(residual.shape), weight \(weight.shape), bias \(bias.shape)")
        let x = x.contiguous(), residual = residual.contiguous(), weight = weight.contiguous(), bias = bias.contiguous()
        let y = Tensor(uninitialised: x.shape), width = x.shape[1]
        let quantised = QuantisedRows(x.shape[0], width)
        quantised.forRows { range in
            let first = range.lowerBound
            ck_int8_layer_norm(
                range.count, width, x.pointer + first * width, residual.pointer + first * width, weight.pointer,
                bias.pointer, eps, y.mutablePointer + first * width, quantised.values + first * quantised.stride,
                quantised.stride, quantised.scales + first, quantised.zeros + first)
        }
        return (y, quantised)
    }

    /// The numbers that the bytes stand for, `[rows, columns]`.
    package var dequantised: Tensor {
        let x = Tensor(uninitialised: [rows, columns])
        for row in 0..<rows {
            for column in 0..<columns {
                let q = Int32(values[row * stride + column]) - zeros[row]
                x.mutablePointer[row * columns + column] = Float(q) * scales[row]
            }
        }
        return x
    }

    /// Divides the rows among the worker threads where that pays.
    private func forRows(_ body: (Range<Int>) -> Void) {
        WorkerPool.shared.forFreeRanges(rows, grain: 1 + (1 << 13) / max(columns, 1), body)
    }
}
