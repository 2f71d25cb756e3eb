package import Checkpoints
import Layers
package import TensorCore

/// Restricted Boltzmann machines read upwards: each layer's hidden probabilities `σ(x Wᵀ + b)` are the next one's input (Hinton,
/// Osindero & Teh 2006). Pixels are probabilities, 0 to 1.
package struct BeliefEncoder {
    private let layers: [Linear]

    package init(_ configuration: LatentConfiguration, in scope: ParameterScope) {
        var width = configuration.pixels, layers: [Linear] = []
        for (index, units) in configuration.units.enumerated() {
            layers.append(Linear(width, units, in: scope.scope("layers", index)))
            width = units
        }
        self.layers = layers
    }

    /// The weights `[units, visible]` of each layer.
    package var weights: [Tensor] { layers.map(\.weight.value) }

    /// Hidden probabilities of the first `count` layers, `[batch, units]` each; pixels `[batch, visible]`.
    package func states(_ pixels: Tensor, count: Int) -> [Tensor] {
        var states: [Tensor] = [], x = pixels
        for layer in layers.prefix(count) {
            x = Sigmoid()(layer(x))
            states.append(x)
        }
        return states
    }

    package func callAsFunction(_ pixels: Tensor) -> Tensor { states(pixels, count: layers.count)[layers.count - 1] }
}
