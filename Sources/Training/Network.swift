package import Checkpoints
package import TensorCore

/// Something trainable that maps features to outputs.
package protocol Network {
    var parameters: [Parameter] { get }
    /// Values that training moves in place without a gradient, such as batch normalisation's running statistics.
    var buffers: [Tensor] { get }
    /// The layer `y = x Wᵀ + b`, W `[outputs, width]`, of a network that is nothing else; nil for all others.
    var linearLayer: (weight: Parameter, bias: Parameter)? { get }

    /// x `[rows, width]` → `[rows, outputs]`. `dropoutSeed` is given in training and makes its randomness repeatable; nil in
    /// evaluation.
    ///
    /// - Throws: what a network that came from a user finds wrong only when it runs.
    func callAsFunction(_ x: Tensor, dropoutSeed: UInt64?) throws -> Tensor

    /// The mean loss of outputs by a loss that is part of the network, such as a tagger's chain; nil: the objective's is meant.
    func loss(_ outputs: Tensor, _ targets: Targets) -> Tensor?

    /// The same of a batch of features, of as many inputs as the network has.
    func callAsFunction(_ batch: FeatureBatch, dropoutSeed: UInt64?) throws -> Tensor
}

extension Network {
    package var buffers: [Tensor] { [] }
    package var linearLayer: (weight: Parameter, bias: Parameter)? { nil }

    package func loss(_ outputs: Tensor, _ targets: Targets) -> Tensor? { nil }

    /// The loss that training makes smaller.
    func loss(_ outputs: Tensor, _ targets: Targets, or objective: Objective) -> Tensor {
        loss(outputs, targets) ?? objective(outputs, targets)
    }

    package func callAsFunction(_ batch: FeatureBatch, dropoutSeed: UInt64?) throws -> Tensor {
        try self(batch.vectors(), dropoutSeed: dropoutSeed)
    }
}
