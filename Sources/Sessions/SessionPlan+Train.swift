extension SessionPlan {
    /// How all heads of the session, and what of the encoder, are trained.
    package struct Train: Sendable, Codable, Equatable {
        package var what = Trainable.heads
        package var epochs = 30
        package var batch = 64
        /// Of the heads; nil: found by a range test.
        package var learningRate: Double?
        /// Of what is trained of the encoder.
        package var bodyLearningRate = 2e-4
        /// Each layer's rate as a share of that of the layer above it.
        package var layerDecay = 1.0
        /// Epochs after which the next lower layer begins to be trained; 0: all from the start.
        package var unfreeze = 0
        /// Batches whose mean gradient makes one step.
        package var accumulate = 1
        package var checkpointing = Recomputation.auto
        /// Epochs without a better validation score before a head stops.
        package var patience = 10
        /// Share of each head's rows kept for validation.
        package var validation = 0.1
        package var weightDecay = 1e-4
        /// Share of all steps with a rising rate.
        package var warmup = 0.05
        package var clipNorm: Double?
        package var labelSmoothing = 0.1

        package init() {}
    }

    package enum Trainable: Sendable, Codable, Equatable {
        case heads
        case lora(LowRank)
        /// The last layers, as the session's own copy.
        case top(layers: Int)

        package static let names = ["heads", "lora", "top"]
        package var hasBody: Bool { self != .heads }
    }

    /// Low-rank adapters beside linear maps of every layer (Hu et al. 2022).
    package struct LowRank: Sendable, Codable, Equatable {
        package var rank = 8
        package var alpha = 16.0
        package var targets = ["query", "value"]

        package static let knownTargets = ["query", "key", "value", "attention.output", "intermediate", "output"]

        package init() {}
    }

    /// Whether a layer's intermediate results are computed again in the backward pass instead of kept.
    package enum Recomputation: String, Sendable, Codable, CaseIterable {
        case auto, on, off
    }
}
