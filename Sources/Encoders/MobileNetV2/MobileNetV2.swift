package import Checkpoints
import Layers
package import TensorCore

/// MobileNetV2 (Sandler et al. 2018), frozen, with weights under the names of Hugging Face's `MobileNetV2Model`. Tap k is the output
/// of block k, the `hidden_states` of that implementation; the top tap, 16, is the last convolution, which is pooled.
package final class MobileNetV2: VisionNetwork, Sendable {
    private let stem: [MobileNetConvolution]
    private let blocks: [InvertedResidual]
    private let top: MobileNetConvolution
    private let weights: Safetensors
    package let channels: Int
    package let tapWidths: [Int]
    package let parameterCount: Int
    package let classifier: ImageClassifier?

    /// Checkpoints of `MobileNetV2ForImageClassification`.
    static let renames: [Rename] = [.prefix("mobilenet_v2", to: "")]

    /// - Throws: `CheckpointError` listing missing, mis-shaped and unused tensors.
    package init(configuration: MobileNetV2Configuration, weights: Safetensors) throws {
        let scope = try ParameterScope(frozen: weights, renames: Self.renames)
        let expansion = configuration.stemExpansion
        func stemLayer(
            _ name: String, _ input: Int, _ output: Int, kernel: Int, stride: Int = 1, groups: Int = 1,
            activates: Bool = true
        ) -> LoadedMobileNetConvolution {
            LoadedMobileNetConvolution(
                configuration, input, output, kernel: kernel, stride: stride, groups: groups, activates: activates,
                in: scope.scope("conv_stem").scope(name))
        }
        var loadedStem = [stemLayer("first_conv", configuration.channels, expansion, kernel: 3, stride: 2)]
        if !configuration.firstLayerIsExpansion {
            loadedStem.append(stemLayer("expand_1x1", expansion, expansion, kernel: 1))
        }
        loadedStem.append(stemLayer("conv_3x3", expansion, expansion, kernel: 3, groups: expansion))
        loadedStem.append(stemLayer("reduce_1x1", expansion, configuration.stemWidth, kernel: 1, activates: false))
        let plan = configuration.blocks
        let loadedBlocks = plan.enumerated().map {
            LoadedInvertedResidual(configuration, $1, in: scope.scope("layer", $0))
        }
        let width = configuration.outputWidth
        let loadedTop = LoadedMobileNetConvolution(
            configuration, plan[plan.count - 1].output, width, kernel: 1, in: scope.scope("conv_1x1"))
        let loadedClassifier = ImageClassifier.load("classifier", width: width, in: scope, of: weights)
        try scope.finish(ignoring: ParameterScope.isStepCounter)
        parameterCount = scope.learnedCount
        channels = configuration.channels
        tapWidths = plan.map(\.output) + [width]
        // Only now: nothing is packed from a checkpoint that does not fit.
        stem = loadedStem.map { MobileNetConvolution($0) }
        blocks = loadedBlocks.map { InvertedResidual($0) }
        top = MobileNetConvolution(loadedTop)
        classifier = loadedClassifier?.frozen()
        self.weights = weights
        weights.releasePages()
    }

    package func releasePages() { weights.releasePages() }

    package func hiddenStates(_ pixels: Tensor, taps: Set<Int>) -> [Int: Tensor] {
        guard let deepest = taps.max() else { return [:] }
        var states: [Int: Tensor] = [:], hidden = stem.reduce(pixels) { $1($0) }
        for (index, block) in blocks.prefix(deepest + 1).enumerated() {
            hidden = block(hidden)
            if taps.contains(index) { states[index] = hidden }
        }
        if taps.contains(blocks.count) { states[blocks.count] = top(hidden) }
        return states
    }
}

private struct LoadedMobileNetConvolution {
    let unit: ConvolutionUnit
    let kernel: Int, stride: Int, dilation: Int
    let padsAsTensorFlow: Bool

    init(
        _ configuration: MobileNetV2Configuration, _ input: Int, _ output: Int, kernel: Int, stride: Int = 1,
        dilation: Int = 1,
        groups: Int = 1, activates: Bool = true, in scope: ParameterScope
    ) {
        let window = Window(rank: 2, stride: stride, dilation: dilation, padding: (kernel - 1) / 2 * dilation)
        unit = ConvolutionUnit(
            input, output, kernel: kernel, window: window, groups: groups,
            activation: activates ? configuration.activation : nil, eps: configuration.batchNormEps,
            convolution: scope.scope("convolution"), norm: scope.scope("normalization"))
        (self.kernel, self.stride, self.dilation) = (kernel, stride, dilation)
        padsAsTensorFlow = configuration.padsAsTensorFlow
    }
}

/// A convolution with its norm, padded as the configuration says.
private struct MobileNetConvolution: Sendable {
    private let unit: FrozenConvolutionUnit
    private let kernel: Int, stride: Int, dilation: Int
    private let paddingFollowsSize: Bool

    init(_ loaded: LoadedMobileNetConvolution) {
        unit = loaded.unit.frozen()
        (kernel, stride, dilation) = (loaded.kernel, loaded.stride, loaded.dilation)
        // At stride one, SAME is the padding on both sides that the window has anyway.
        paddingFollowsSize = loaded.padsAsTensorFlow && loaded.stride > 1
    }

    func callAsFunction(_ x: Tensor, residual: Tensor? = nil) -> Tensor {
        guard paddingFollowsSize else { return unit(x, residual: residual) }
        let total = [x.shape[1], x.shape[2]].map { size in
            max(kernel - (size % stride == 0 ? stride : size % stride), 0)
        }
        let window = Window(
            stride: [stride, stride], dilation: [dilation, dilation], before: total.map { $0 / 2 * dilation },
            after: total.map { ($0 - $0 / 2) * dilation })
        return unit.with(window)(x, residual: residual)
    }
}

private struct LoadedInvertedResidual {
    let expand: LoadedMobileNetConvolution, depthwise: LoadedMobileNetConvolution, reduce: LoadedMobileNetConvolution
    let hasShortcut: Bool

    init(_ configuration: MobileNetV2Configuration, _ block: MobileNetV2Configuration.Block, in scope: ParameterScope) {
        let inner = configuration.expanded(block.input)
        expand = LoadedMobileNetConvolution(configuration, block.input, inner, kernel: 1, in: scope.scope("expand_1x1"))
        depthwise = LoadedMobileNetConvolution(
            configuration, inner, inner, kernel: 3, stride: block.stride, dilation: block.dilation, groups: inner,
            in: scope.scope("conv_3x3"))
        reduce = LoadedMobileNetConvolution(
            configuration, inner, block.output, kernel: 1, activates: false, in: scope.scope("reduce_1x1"))
        hasShortcut = block.stride == 1 && block.input == block.output
    }
}

/// Expand, filter each channel, reduce; and add the input where the shape is kept.
private struct InvertedResidual: Sendable {
    let expand: MobileNetConvolution, depthwise: MobileNetConvolution, reduce: MobileNetConvolution
    let hasShortcut: Bool

    init(_ loaded: LoadedInvertedResidual) {
        expand = MobileNetConvolution(loaded.expand)
        depthwise = MobileNetConvolution(loaded.depthwise)
        reduce = MobileNetConvolution(loaded.reduce)
        hasShortcut = loaded.hasShortcut
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        reduce(depthwise(expand(x)), residual: hasShortcut ? x : nil)
    }
}
