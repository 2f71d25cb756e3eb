import Glibc

/// Which data set the rows of a joint batch come from.
package enum JointSampler: Sendable, Equatable, CustomStringConvertible {
    /// As often as it has rows: each row once an epoch.
    case proportional
    /// In proportion to `rows^(1 / T)`: 1 is proportional, larger ones lift small data sets (Arivazhagan et al. 2019).
    case temperature(Double)
    /// One after the other, all equally often.
    case roundRobin

    package var description: String {
        switch self {
        case .proportional: "proportional"
        case .temperature(let temperature): "temperature \(temperature)"
        case .roundRobin: "round-robin"
        }
    }

    /// Of `description`'s form; nil for anything else.
    package init?(_ text: String) {
        let words = text.split(separator: " ")
        switch (words.first, words.count) {
        case ("proportional", 1): self = .proportional
        case ("round-robin", 1): self = .roundRobin
        case ("temperature", 2):
            guard let temperature = Double(words[1]), temperature >= 1e-3, temperature.isFinite else { return nil }
            self = .temperature(temperature)
        default: return nil
        }
    }
}

extension JointSampler: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let sampler = JointSampler(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is no sampler"))
        }
        self = sampler
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// How the losses of several heads become one.
package enum JointBalance: String, Sendable, Codable, CaseIterable {
    /// Each by its head's weight.
    case fixed
    /// Learnt: `Σ exp(−s) · L + s / 2` (Kendall, Gal & Cipolla 2018).
    case uncertainty
    /// Weights that even out how hard each head pulls at the shared part's top layer (Chen et al. 2018).
    case gradnorm
    /// Conflicting gradients of the shared part are projected off each other (Yu et al. 2020).
    case pcgrad
}

/// How heads are trained together, and the body they share.
package struct JointSettings: Sendable, Codable, Equatable {
    package var seed: UInt64 = 0
    package var epochs = 6
    /// Rows of all data sets together that take one pass.
    package var batchSize = 32
    /// Passes whose gradients make one step.
    package var accumulation = 1
    /// Of the heads.
    package var learningRate = 0.01
    /// Of the body's top layer.
    package var bodyLearningRate = 0.001
    /// The rate's factor from one layer of the body to the one below.
    package var layerDecay = 1.0
    package var weightDecay = 0.01
    /// Share of all steps with a rising rate; a half cosine to 0 follows.
    package var warmup = 0.1
    /// Largest norm of all gradients together; nil: any.
    package var clipNorm: Double? = 1
    /// Epochs without a better validation score before a head has settled.
    package var patience = 3
    /// Share of the rows kept for validation.
    package var validation = 0.1
    package var sampler = JointSampler.proportional
    package var balance = JointBalance.fixed
    /// GradNorm's: how strongly heads that learn slowly are favoured, and the rate of its weights.
    package var gradNormAlpha = 1.5, gradNormRate = 0.025
    /// Epochs until the next layer down is trained as well, from the top layer alone; nil: all are trained from the start.
    package var unfreezing: Int?
    /// Forget what is inside a layer after the forward pass and compute it again in the backward pass: less memory for a third
    /// more time.
    package var checkpointing = false

    package init() {}

    /// Settings that are absent have their defaults; without `clipNorm` there is no largest norm.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
            if let found = try values.decodeIfPresent(Value.self, forKey: key) { value = found }
        }
        try read(.seed, &seed)
        try read(.epochs, &epochs)
        try read(.batchSize, &batchSize)
        try read(.accumulation, &accumulation)
        try read(.learningRate, &learningRate)
        try read(.bodyLearningRate, &bodyLearningRate)
        try read(.layerDecay, &layerDecay)
        try read(.weightDecay, &weightDecay)
        try read(.warmup, &warmup)
        clipNorm = try values.decodeIfPresent(Double.self, forKey: .clipNorm)
        try read(.patience, &patience)
        try read(.validation, &validation)
        try read(.sampler, &sampler)
        try read(.balance, &balance)
        try read(.gradNormAlpha, &gradNormAlpha)
        try read(.gradNormRate, &gradNormRate)
        unfreezing = try values.decodeIfPresent(Int.self, forKey: .unfreezing)
        try read(.checkpointing, &checkpointing)
    }

    /// What is wrong with them, in words; nil when nothing is.
    package var problem: String? {
        func positive(_ name: String, _ value: Double) -> String? {
            value > 0 && value.isFinite ? nil : "\(name) is \(value); it must be positive."
        }
        if epochs < 1 { return "epochs is \(epochs); at least one is needed." }
        if batchSize < 1 { return "batch size is \(batchSize); at least one row is needed." }
        if accumulation < 1 { return "accumulation is \(accumulation); at least one batch makes a step." }
        if patience < 1 { return "patience is \(patience); at least one epoch is needed." }
        if let unfreezing, unfreezing < 1 { return "unfreezing is \(unfreezing); at least one epoch is needed." }
        if !(0..<1).contains(validation) { return "validation is \(validation); it is a share of the rows, below 1." }
        if !(0...1).contains(warmup) { return "warm-up is \(warmup); it is a share of the steps." }
        if !(weightDecay >= 0 && weightDecay.isFinite) { return "weight decay is \(weightDecay); it cannot be negative." }
        return positive("the learning rate", learningRate) ?? positive("the body's learning rate", bodyLearningRate)
            ?? positive("layer decay", layerDecay) ?? positive("GradNorm's rate", gradNormRate)
            ?? clipNorm.flatMap { positive("the largest norm", $0) }
    }

    /// Factor of the body's rate at a depth.
    func decay(_ depth: Int) -> Double { pow(layerDecay, Double(depth)) }

    /// Whether a depth of the body is trained in an epoch, counted from 0.
    func trains(depth: Int, epoch: Int) -> Bool { unfreezing.map { depth * $0 <= epoch } ?? true }
}
