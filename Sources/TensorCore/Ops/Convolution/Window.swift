/// How a kernel moves over the spatial axes of a feature map; one entry for each axis, outermost first.
///
/// `before` and `after` are the zeros in front of and behind an axis. They may differ: TensorFlow's SAME and ONNX's pads need it.
package struct Window: Sendable, Equatable {
    package let stride: [Int]
    package let dilation: [Int]
    package let before: [Int]
    package let after: [Int]

    package init(stride: [Int], dilation: [Int], before: [Int], after: [Int]) {
        precondition(
            !stride.isEmpty && [dilation.count, before.count, after.count].allSatisfy { $0 == stride.count },
            "window: stride \(stride), dilation \(dilation), padding \(before) and \(after) are of different rank")
        precondition(
            stride.allSatisfy { $0 > 0 } && dilation.allSatisfy { $0 > 0 } && (before + after).allSatisfy { $0 >= 0 },
            "window: stride \(stride), dilation \(dilation), padding \(before) and \(after)")
        self.stride = stride
        self.dilation = dilation
        self.before = before
        self.after = after
    }

    /// The same padding on both sides.
    package init(stride: [Int], dilation: [Int], padding: [Int]) {
        self.init(stride: stride, dilation: dilation, before: padding, after: padding)
    }

    /// The same in every direction.
    package init(rank: Int, stride: Int = 1, dilation: Int = 1, padding: Int = 0) {
        self.init(
            stride: Array(repeating: stride, count: rank), dilation: Array(repeating: dilation, count: rank),
            padding: Array(repeating: padding, count: rank))
    }

    package var rank: Int { stride.count }

    /// What the kernel covers along each axis: `dilation · (kernel − 1) + 1`.
    func span(_ kernel: [Int]) -> [Int] { zip(kernel, dilation).map { $1 * ($0 - 1) + 1 } }

    /// Positions of the kernel along each axis: `⌊(input + before + after − span) / stride⌋ + 1`. With `ceil`, also a last position
    /// that hangs over the end, as long as it starts inside the input or the padding in front (PyTorch's rule).
    package func output(_ op: String, _ input: [Int], kernel: [Int], ceil: Bool = false) -> [Int] {
        precondition(
            input.count == rank && kernel.count == rank && kernel.allSatisfy { $0 > 0 },
            "\(op): \(input) under a kernel of \(kernel) with a window of rank \(rank)")
        let span = span(kernel)
        return (0..<rank).map { axis in
            let room = input[axis] + before[axis] + after[axis] - span[axis]
            precondition(room >= 0, "\(op): a kernel of \(kernel) does not fit into \(input)")
            guard ceil else { return room / stride[axis] + 1 }
            let count = (room + stride[axis] - 1) / stride[axis] + 1
            return (count - 1) * stride[axis] >= input[axis] + before[axis] ? count - 1 : count
        }
    }

    /// Extent of a transposed convolution: `(input − 1) · stride − before − after + span + outputPadding`.
    package func transposedOutput(_ op: String, _ input: [Int], kernel: [Int], outputPadding: [Int]) -> [Int] {
        precondition(
            input.count == rank && kernel.count == rank && outputPadding.count == rank,
            "\(op): \(input) under a kernel of \(kernel), output padding \(outputPadding), with a window of rank \(rank)"
        )
        let span = span(kernel)
        return (0..<rank).map { axis in
            let extent =
                (input[axis] - 1) * stride[axis] - before[axis] - after[axis] + span[axis] + outputPadding[axis]
            precondition(
                extent >= 0 && outputPadding[axis] >= 0,
                "\(op): \(input) under a kernel of \(kernel), output padding \(outputPadding), leaves \(extent) of axis \(axis)"
            )
            return extent
        }
    }
}
