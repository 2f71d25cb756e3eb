/// The transpose of a convolution as a linear map: each input element adds its kernel to the output.
/// Inputs: x `[batch, in, spatial…]`, weight `[in, out / groups, kernel…]` and, when there is one, bias `[out]`; the output's extent
/// is `(input − 1) · stride − before − after + dilation · (kernel − 1) + 1 + outputPadding`.
package struct TransposedConvolution: DifferentiableOp {
    package static let name = "transposed_convolution"
    package let window: Window
    package let groups: Int
    package let outputPadding: [Int]

    package init(_ window: Window, groups: Int = 1, outputPadding: [Int]? = nil) {
        self.window = window
        self.groups = groups
        self.outputPadding = outputPadding ?? Array(repeating: 0, count: window.rank)
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let geometry = geometry(inputs)
        return (
            geometry.scatter(
                inputs[0].contiguous(), inputs[1].contiguous(), bias: inputs.count > 2 ? inputs[2].contiguous() : nil),
            []
        )
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let geometry = geometry(inputs), dy = gradient.contiguous()
        var gradients: [Tensor?] = [
            needs[0] ? geometry.convolve(dy, inputs[1].contiguous(), bias: nil) : nil,
            needs[1] ? geometry.correlate(dy, inputs[0].contiguous()) : nil,
        ]
        if inputs.count > 2 { gradients.append(needs[2] ? sumOfChannels(dy) : nil) }
        return gradients
    }

    /// The convolution whose transpose this is: its image is our output, its features are our input.
    private func geometry(_ inputs: [Tensor]) -> ConvolutionGeometry {
        let x = inputs[0].shape, weight = inputs[1].shape
        precondition(
            x.rank == window.rank + 2 && weight.rank == window.rank + 2 && x[1] == weight[0],
            "\(Self.name): x \(x) and weight \(weight) with \(window.rank) spatial axes")
        let outputs = weight[1] * groups
        precondition(
            inputs.count < 3 || inputs[2].shape == [outputs],
            "\(Self.name): bias \(inputs.last?.shape ?? []) for weight \(weight) in \(groups) groups")
        let extent = window.transposedOutput(
            Self.name, Array(x.dimensions.dropFirst(2)), kernel: Array(weight.dimensions.dropFirst(2)),
            outputPadding: outputPadding)
        return ConvolutionGeometry(
            Self.name, image: Shape([x[0], outputs] + extent), weight: weight,
            features: Array(x.dimensions.dropFirst(2)), window: window, groups: groups)
    }
}
