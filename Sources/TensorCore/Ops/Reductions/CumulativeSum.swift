/// Running sum along one axis: element i is `Σ j ≤ i`, or `j < i` when exclusive; from the end when reversed.
package struct CumulativeSum: DifferentiableOp {
    package static let name = "cumsum"
    package let axis: Int
    package let exclusive: Bool, reversed: Bool

    package init(_ axis: Int, exclusive: Bool = false, reversed: Bool = false) {
        self.axis = axis
        self.exclusive = exclusive
        self.reversed = reversed
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (scanned(inputs[0], reversed: reversed), [])
    }

    /// An element counts in every sum after it: the running sum of the gradient in the other direction.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [scanned(gradient, reversed: !reversed)]
    }

    private func scanned(_ x: Tensor, reversed: Bool) -> Tensor {
        let layout = ReducedAxes(x.shape, [axis], op: Self.name), rows = layout.rows(x), count = layout.reduced
        let output = Tensor(uninitialised: rows.shape)
        for row in 0..<layout.kept {
            let from = rows.pointer + row * count, to = output.mutablePointer + row * count
            var sum: Double = 0
            for step in 0..<count {
                let i = reversed ? count - 1 - step : step
                let before = sum
                sum += Double(from[i])
                to[i] = Float(exclusive ? before : sum)
            }
        }
        return layout.restored(output)
    }
}
