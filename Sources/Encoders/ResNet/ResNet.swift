package import Checkpoints
import Layers
package import TensorCore

/// ResNet (He et al. 2015), frozen, with weights under the names of Hugging Face's `ResNetModel`. Tap 0 is the stem after its
/// pooling, tap k stage k: the `hidden_states` of that implementation.
package final class ResNet: VisionNetwork, Sendable {
    /// A bottleneck is a quarter as wide as its stage.
    static let reduction = 4

    private let stem: FrozenConvolutionUnit
    private let stages: [[ResNetBlock]]
    private let weights: Safetensors
    package let channels: Int
    package let tapWidths: [Int]
    package let parameterCount: Int
    package let classifier: ImageClassifier?

    /// Checkpoints of `ResNetForImageClassification`.
    static let renames: [Rename] = [.prefix("resnet", to: "")]

    /// - Throws: `CheckpointError` listing missing, mis-shaped and unused tensors.
    package init(configuration: ResNetConfiguration, weights: Safetensors) throws {
        let scope = try ParameterScope(frozen: weights, renames: Self.renames)
        let loadedStem = ConvolutionUnit(
            configuration.channels, configuration.embeddingSize, kernel: 7,
            window: Window(rank: 2, stride: 2, padding: 3),
            activation: configuration.activation, in: scope.scope("embedder").scope("embedder"))
        var width = configuration.embeddingSize
        let loadedStages = configuration.widths.indices.map { stage in
            let output = configuration.widths[stage]
            return (0..<configuration.depths[stage]).map { index in
                let downsamples = index == 0 && (stage > 0 || configuration.downsamplesInFirstStage)
                defer { width = output }
                return LoadedResNetBlock(
                    width, output, stride: downsamples ? 2 : 1, configuration,
                    in: scope.scope("encoder").scope("stages", stage).scope("layers", index))
            }
        }
        let loadedClassifier = ImageClassifier.load("classifier.1", width: width, in: scope, of: weights)
        try scope.finish(ignoring: ParameterScope.isStepCounter)
        parameterCount = scope.learnedCount
        channels = configuration.channels
        tapWidths = [configuration.embeddingSize] + configuration.widths
        // Only now: nothing is packed from a checkpoint that does not fit.
        stem = loadedStem.frozen()
        stages = loadedStages.map { $0.map { ResNetBlock($0) } }
        classifier = loadedClassifier?.frozen()
        self.weights = weights
        weights.releasePages()
    }

    package func releasePages() { weights.releasePages() }

    package func hiddenStates(_ pixels: Tensor, taps: Set<Int>) -> [Int: Tensor] {
        var states: [Int: Tensor] = [:]
        var hidden = PixelPooling(.maximum, kernel: [3, 3], window: Window(rank: 2, stride: 2, padding: 1))(
            stem(pixels))
        if taps.contains(0) { states[0] = hidden }
        for (index, stage) in stages.prefix(taps.max() ?? 0).enumerated() {
            for block in stage { hidden = block(hidden) }
            if taps.contains(index + 1) { states[index + 1] = hidden }
        }
        return states
    }
}

extension ConvolutionUnit {
    /// Under Hugging Face's names: `convolution`, `normalization`.
    fileprivate init(
        _ input: Int, _ output: Int, kernel: Int, window: Window, activation: PixelActivation?, in scope: ParameterScope
    ) {
        self.init(
            input, output, kernel: kernel, window: window, activation: activation,
            eps: ResNetConfiguration.batchNormEps,
            convolution: scope.scope("convolution"), norm: scope.scope("normalization"))
    }
}

private struct LoadedResNetBlock {
    let layers: [ConvolutionUnit]
    /// A 1 × 1 convolution where width or size change.
    let shortcut: ConvolutionUnit?

    init(_ input: Int, _ output: Int, stride: Int, _ configuration: ResNetConfiguration, in scope: ParameterScope) {
        shortcut =
            input == output && stride == 1
            ? nil
            : ConvolutionUnit(
                input, output, kernel: 1, window: Window(rank: 2, stride: stride), activation: nil,
                in: scope.scope("shortcut"))
        func layer(
            _ index: Int, _ input: Int, _ output: Int, kernel: Int, stride: Int = 1,
            _ activation: PixelActivation = .relu
        ) -> ConvolutionUnit {
            ConvolutionUnit(
                input, output, kernel: kernel, window: Window(rank: 2, stride: stride, padding: kernel / 2),
                activation: activation, in: scope.scope("layer", index))
        }
        switch configuration.layerType {
        case .basic:
            layers = [
                layer(0, input, output, kernel: 3, stride: stride),
                layer(1, output, output, kernel: 3, configuration.activation),
            ]
        case .bottleneck:
            let inner = output / ResNet.reduction, early = configuration.downsamplesInBottleneck ?? false
            layers = [
                layer(0, input, inner, kernel: 1, stride: early ? stride : 1),
                layer(1, inner, inner, kernel: 3, stride: early ? 1 : stride),
                layer(2, inner, output, kernel: 1, configuration.activation),
            ]
        }
    }
}

/// `activation(layers(x) + shortcut(x))`: the last convolution adds the shortcut before its activation.
private struct ResNetBlock: Sendable {
    let layers: [FrozenConvolutionUnit]
    let last: FrozenConvolutionUnit
    let shortcut: FrozenConvolutionUnit?

    init(_ loaded: LoadedResNetBlock) {
        layers = loaded.layers.dropLast().map { $0.frozen() }
        last = loaded.layers[loaded.layers.count - 1].frozen()
        shortcut = loaded.shortcut?.frozen()
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        last(layers.reduce(x) { $1($0) }, residual: shortcut?(x) ?? x)
    }
}
