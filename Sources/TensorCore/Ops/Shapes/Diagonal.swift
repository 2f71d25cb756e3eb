/// The elements with equal indices along two axes of one length, in place of the first of them; the second is left out.
/// The result is a view.
package struct Diagonal: DifferentiableOp {
    package static let name = "diagonal"
    package static let takesStridedGradient = true
    package let first: Int, second: Int

    package init(_ first: Int, _ second: Int) {
        self.first = first
        self.second = second
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) { (view(inputs[0]), []) }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(repeating: 0, inputs[0].shape)
        copy(gradient, to: view(dx))
        return [dx]
    }

    private func view(_ x: Tensor) -> Tensor {
        let first = first < 0 ? first + x.rank : first, second = second < 0 ? second + x.rank : second
        precondition(
            first != second && (0..<x.rank).contains(first) && (0..<x.rank).contains(second)
                && x.shape[first] == x.shape[second], "diagonal: axes \(first) and \(second) of shape \(x.shape)")
        var dimensions = x.shape.dimensions, strides = x.strides
        strides[first] += strides[second]
        dimensions.remove(at: second)
        strides.remove(at: second)
        return Tensor(storage: x.storage, shape: Shape(dimensions), strides: strides, offset: x.offset)
    }
}
