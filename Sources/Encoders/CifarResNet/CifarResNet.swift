package import Checkpoints
import Layers
package import TensorCore

/// The residual networks of He et al. 2015, section 4.2, for images of 32 × 32, frozen. Tap 0 is the stem, tap k block k.
package final class CifarResNet: VisionNetwork, Sendable {
    private let stem: FrozenConvolutionUnit
    private let blocks: [CifarBlock]
    private let weights: Safetensors
    package let tapWidths: [Int]
    package let parameterCount: Int
    package let classifier: ImageClassifier?
    package var channels: Int { 3 }

    /// - Throws: `CheckpointError` listing missing, mis-shaped and unused tensors.
    package init(configuration: CifarResNetConfiguration, weights: Safetensors) throws {
        let scope = try ParameterScope(frozen: weights), eps = configuration.batchNormEps
        let first = configuration.widths[0]
        let loadedStem = ConvolutionUnit(
            3, first, kernel: 3, window: Window(rank: 2, padding: 1), activation: .relu, eps: eps,
            convolution: scope.scope("conv1"), norm: scope.scope("bn1"))
        var loaded: [LoadedCifarBlock] = [], width = first
        for (stage, output) in configuration.widths.enumerated() {
            for block in 0..<configuration.blocksPerStage[stage] {
                loaded.append(
                    LoadedCifarBlock(
                        width, output, stride: block == 0 ? configuration.strides[stage] : 1, eps: eps,
                        in: scope.scope("layer\(stage + 1)", block)))
                width = output
            }
        }
        let loadedClassifier = ImageClassifier.load("linear", width: width, in: scope, of: weights)
        try scope.finish(ignoring: ParameterScope.isStepCounter)
        guard loadedClassifier.map({ $0.classes == configuration.classes }) ?? true else {
            throw CheckpointError(
                .shapeMismatch,
                "linear.bias has \(loadedClassifier?.classes ?? 0) classes, config.json \(configuration.classes)",
                file: weights.file)
        }
        parameterCount = scope.learnedCount
        tapWidths = [first] + loaded.map(\.output)
        // Only now: nothing is packed from a checkpoint that does not fit.
        stem = loadedStem.frozen()
        blocks = loaded.map { CifarBlock($0) }
        classifier = loadedClassifier?.frozen()
        self.weights = weights
        weights.releasePages()
    }

    package func releasePages() { weights.releasePages() }

    package func hiddenStates(_ pixels: Tensor, taps: Set<Int>) -> [Int: Tensor] {
        var states: [Int: Tensor] = [:], hidden = stem(pixels)
        if taps.contains(0) { states[0] = hidden }
        for (index, block) in blocks.prefix(taps.max() ?? 0).enumerated() {
            hidden = block(hidden)
            if taps.contains(index + 1) { states[index + 1] = hidden }
        }
        return states
    }
}

private struct LoadedCifarBlock {
    let first: ConvolutionUnit, second: ConvolutionUnit
    let input: Int, output: Int, stride: Int

    init(_ input: Int, _ output: Int, stride: Int, eps: Float, in scope: ParameterScope) {
        first = ConvolutionUnit(
            input, output, kernel: 3, window: Window(rank: 2, stride: stride, padding: 1), activation: .relu, eps: eps,
            convolution: scope.scope("conv1"), norm: scope.scope("bn1"))
        second = ConvolutionUnit(
            output, output, kernel: 3, window: Window(rank: 2, padding: 1), activation: .relu, eps: eps,
            convolution: scope.scope("conv2"), norm: scope.scope("bn2"))
        (self.input, self.output, self.stride) = (input, output, stride)
    }
}

/// `relu(conv(relu(conv(x))) + shortcut(x))`
private struct CifarBlock: Sendable {
    let first: FrozenConvolutionUnit, second: FrozenConvolutionUnit
    let output: Int, stride: Int
    let isPlain: Bool

    init(_ loaded: LoadedCifarBlock) {
        first = loaded.first.frozen()
        second = loaded.second.frozen()
        (output, stride) = (loaded.output, loaded.stride)
        isPlain = loaded.stride == 1 && loaded.input == loaded.output
    }

    func callAsFunction(_ x: Tensor) -> Tensor { second(first(x), residual: isPlain ? x : shortcut(x)) }

    /// Every `stride`-th pixel from the first, with zero channels before and after:
    /// `[batch, height, width, channels]` → `[batch, ⌈height / stride⌉, ⌈width / stride⌉, output]`.
    private func shortcut(_ x: Tensor) -> Tensor {
        let (images, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        let rows = (height + stride - 1) / stride, columns = (width + stride - 1) / stride
        let y = Tensor(repeating: 0, [images, rows, columns, output]), dense = x.contiguous()
        var target = y.mutablePointer + (output - channels) / 2
        for image in 0..<images {
            for row in 0..<rows {
                let line = dense.pointer + (image * height + row * stride) * width * channels
                for column in 0..<columns {
                    target.update(from: line + column * stride * channels, count: channels)
                    target += output
                }
            }
        }
        return y
    }
}
