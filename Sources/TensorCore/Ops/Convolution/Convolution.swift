/// Cross-correlation over one to three spatial axes.
/// `y[n, o, p] = b[o] + Σ_{c, k} w[o, c, k] · x[n, group(o) + c, p · stride + k · dilation − before]`, zeros outside.
/// Inputs: x `[batch, channels, spatial…]`, weight `[out, channels / groups, kernel…]` and, when there is one, bias `[out]`.
package struct Convolution: DifferentiableOp {
    package static let name = "convolution"
    package let window: Window
    package let groups: Int

    package init(_ window: Window, groups: Int = 1) {
        self.window = window
        self.groups = groups
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let geometry = geometry(inputs)
        return (
            geometry.convolve(
                inputs[0].contiguous(), inputs[1].contiguous(), bias: inputs.count > 2 ? inputs[2].contiguous() : nil),
            []
        )
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let geometry = geometry(inputs), dy = gradient.contiguous()
        var gradients: [Tensor?] = [
            needs[0] ? geometry.scatter(dy, inputs[1].contiguous(), bias: nil) : nil,
            needs[1] ? geometry.correlate(inputs[0].contiguous(), dy) : nil,
        ]
        if inputs.count > 2 { gradients.append(needs[2] ? sumOfChannels(dy) : nil) }
        return gradients
    }

    private func geometry(_ inputs: [Tensor]) -> ConvolutionGeometry {
        let x = inputs[0].shape, weight = inputs[1].shape
        precondition(
            x.rank == window.rank + 2 && weight.rank == window.rank + 2,
            "\(Self.name): x \(x) and weight \(weight) with \(window.rank) spatial axes")
        precondition(
            inputs.count < 3 || inputs[2].shape == [weight[0]],
            "\(Self.name): bias \(inputs.last?.shape ?? []) for weight \(weight)")
        let positions = window.output(
            Self.name, Array(x.dimensions.dropFirst(2)), kernel: Array(weight.dimensions.dropFirst(2)))
        return ConvolutionGeometry(
            Self.name, image: x, weight: weight, features: positions, window: window, groups: groups)
    }
}
