package import Checkpoints

/// An optimiser and its settings, by name.
package struct OptimiserChoice: Sendable, Codable, Equatable {
    package enum Name: String, Sendable, Codable, CaseIterable {
        case adamw, adam, sgd, rmsprop, adagrad, lion
    }

    package var name = Name.adamw
    package var learningRate = 0.001
    package var weightDecay = 0.0
    /// Of `sgd`.
    package var momentum = 0.0
    /// Of `adamw`, `adam` and `lion`; nil: the optimiser's own.
    package var beta1: Double?, beta2: Double?
    /// Largest norm of all gradients together; nil: any.
    package var clipNorm: Double?

    package init() {}

    package func callAsFunction(_ parameters: [Parameter]) -> any Optimiser {
        let decay = Float(weightDecay)
        switch name {
        case .adamw:
            var adam = AdamW(parameters, weightDecay: decay)
            if let beta1 { adam.beta1 = Float(beta1) }
            if let beta2 { adam.beta2 = Float(beta2) }
            return adam
        case .adam:
            var adam = Adam(parameters, weightDecay: decay)
            if let beta1 { adam.beta1 = Float(beta1) }
            if let beta2 { adam.beta2 = Float(beta2) }
            return adam
        case .sgd: return SGD(parameters, momentum: Float(momentum), weightDecay: decay)
        case .rmsprop: return RMSprop(parameters, weightDecay: decay)
        case .adagrad: return Adagrad(parameters, weightDecay: decay)
        case .lion:
            return Lion(
                parameters, beta1: beta1.map { Float($0) } ?? 0.9, beta2: beta2.map { Float($0) } ?? 0.99, weightDecay: decay)
        }
    }
}
