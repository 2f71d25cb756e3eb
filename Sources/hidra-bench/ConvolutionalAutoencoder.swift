import Checkpoints
import TensorCore
import Training

/// 3 → 32 → 64 channels with strides of two and back, on 32 × 32 images: the autoencoder of the training benchmark.
struct ConvolutionalAutoencoder {
    private let parameters: [Parameter]
    private var optimiser: AdamW
    private let half = Window(rank: 2, stride: 2, padding: 1)

    init() {
        let shapes: [Shape] = [
            [32, 3, 3, 3], [32], [64, 32, 3, 3], [64], [64, 32, 4, 4], [32], [32, 3, 4, 4], [3],
        ]
        let scope = ParameterScope(initialisedFrom: 0)
        parameters = shapes.enumerated().map { index, shape in
            scope.parameter("\(index)", shape, initial: .uniform(fanIn: shape.dimensions.dropFirst().reduce(1, *)))
        }
        optimiser = AdamW(parameters, weightDecay: 0)
    }

    /// Operations of the three products of each layer; the first needs no gradient of its input.
    func flops(batch: Int) -> Double {
        let layers = [(256, 27 * 32), (64, 288 * 64), (64, 64 * 512), (256, 32 * 48)].map {
            Double(batch * $0 * $1 * 2)
        }
        return layers.reduce(0, +) * 3 - layers[0]
    }

    /// Forward, mean squared error to the input, backward and one Adam step. x `[batch, 3, 32, 32]`.
    mutating func step(_ x: Tensor) {
        let w = parameters.map(\.value)
        let first = ReLU()(Convolution(half)(x, w[0], w[1]))
        let code = ReLU()(Convolution(half)(first, w[2], w[3]))
        let third = ReLU()(TransposedConvolution(half)(code, w[4], w[5]))
        let image = Sigmoid()(TransposedConvolution(half)(third, w[6], w[7]))
        optimiser.step(MeanSquaredError()(image, x).gradients(for: w), learningRate: 1e-3)
    }
}
