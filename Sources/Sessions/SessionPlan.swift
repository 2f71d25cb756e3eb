/// What a session is to do: tasks that are trained together on shared encoders, as the session document says. The document's text is
/// what travels and what is kept; this is what it means.
package struct SessionPlan: Sendable, Codable, Equatable {
    /// Of the document's format. A newer one is refused: what it says might be something else than it seems.
    package static let version = 1

    package var name: String
    package var seed: UInt64 = 0
    /// In the document's order.
    package var heads: [Head]
    package var train = Train()
    package var sampler = Sampler.proportional
    package var balance = Balance.fixed
    package var budget = Budget()
    package var schedule = Schedule()
    package var checkpoint = Checkpoint()
    /// Whether heads, and an adapted encoder, of the same names give way to the session's.
    package var replace = false

    package init(name: String, heads: [Head]) {
        self.name = name
        self.heads = heads
    }

    /// Files that the document names, each once, in its order.
    package var files: [String] {
        heads.flatMap { [$0.data, $0.test].compactMap { $0 } }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Encoders that heads read, each once, in the document's order.
    package var encoders: [String] {
        heads.flatMap(\.encoders).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Plugins that compute a head's loss, each once.
    package var plugins: [String] {
        heads.compactMap(\.loss).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}

extension SessionPlan {
    package enum Sampler: Sendable, Codable, Equatable {
        /// A head's share of the batches is its share of the rows.
        case proportional
        /// Shares go with `rows^(1/T)`: 1 is proportional, and the larger T, the more alike they are.
        case temperature(Double)
        /// One batch of each head in turn.
        case roundRobin
    }

    /// How the heads' losses become one.
    package enum Balance: String, Sendable, Codable, CaseIterable {
        /// By the weights of the heads.
        case fixed
        /// By learned variances (Kendall et al. 2018).
        case uncertainty
        /// So that the gradients' norms keep pace (Chen et al. 2018).
        case gradnorm
        /// Gradients that oppose each other are projected (Yu et al. 2020).
        case pcgrad

        /// Whether it looks at gradients of weights that heads share.
        package var needsSharedWeights: Bool { self == .gradnorm || self == .pcgrad }
    }

    /// What the session may use. nil: any.
    package struct Budget: Sendable, Codable, Equatable {
        /// Of training and extraction, without pauses.
        package var minutes: Double?
        package var coreSeconds: Double?
        package var memoryMegabytes: Int?

        package init() {}
    }

    /// How the session stands to others on the machine.
    package struct Schedule: Sendable, Codable, Equatable {
        /// Core-seconds it gets for one of another session, when both want them.
        package var share = 1.0
        /// After its start; the nearer, the sooner it gets its turns.
        package var deadlineMinutes: Double?

        package init() {}
    }

    package struct Checkpoint: Sendable, Codable, Equatable {
        /// Of computing, between two checkpoints.
        package var seconds = 30.0
        /// Steps between two checkpoints; nil: as the seconds say.
        package var steps: Int?

        package init() {}
    }
}
