/// What of an encoder is trained with a head. Everything below stays the shared, frozen encoder's.
package struct FineTuning: Sendable, Equatable {
    /// The encoder's own weights that are trained.
    package enum Depth: Sendable, Equatable {
        case none
        /// The last layers.
        case top(Int)
        /// All layers and the embeddings.
        case all
    }

    /// Linear maps of a layer.
    package enum Target: String, Sendable, CaseIterable {
        case query, key, value
        case attentionOutput = "attention.output"
        case intermediate, output
    }

    /// Low-rank adapters (LoRA) beside the maps named, in every layer or in the top ones.
    package struct LowRank: Sendable, Equatable {
        package var rank: Int
        package var alpha: Float
        package var targets: Set<Target>
        /// The number of layers, from the top, that have adapters; nil: all.
        package var top: Int?

        package init(rank: Int, alpha: Float, targets: Set<Target> = [.query, .value], top: Int? = nil) {
            self.rank = rank
            self.alpha = alpha
            self.targets = targets
            self.top = top
        }
    }

    package var depth: Depth
    package var lowRank: LowRank?
    /// Whether the checkpoint's pooler is trained as well.
    package var pooler: Bool

    package init(depth: Depth = .none, lowRank: LowRank? = nil, pooler: Bool = false) {
        self.depth = depth
        self.lowRank = lowRank
        self.pooler = pooler
    }
}
