/// The upper triangle of the last two axes (or the lower one): elements below (above) the k-th diagonal become 0.
package struct Triangle: DifferentiableOp {
    package static let name = "triangle"
    package let upper: Bool
    package let diagonal: Int

    package init(upper: Bool, diagonal: Int = 0) {
        self.upper = upper
        self.diagonal = diagonal
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) { (cut(inputs[0]), []) }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [cut(gradient)]
    }

    private func cut(_ x: Tensor) -> Tensor {
        precondition(x.rank >= 2, "triangle: shape \(x.shape) has no matrices")
        let x = x.contiguous(), y = Tensor(repeating: 0, x.shape), height = x.shape[-2], width = x.shape.last
        for row in 0..<x.shape.rows {
            let edge = row % height + diagonal
            let from = upper ? min(max(edge, 0), width) : 0, to = upper ? width : min(max(edge + 1, 0), width)
            let start = row * width + from
            y.mutablePointer.advanced(by: start).update(from: x.pointer + start, count: to - from)
        }
        return y
    }
}
