package import Encoders
import State

/// What is trained of an encoder, checked against that encoder before anything is computed.
package enum TuningPlan {
    /// Most columns of an adapter.
    private static let largestRank = 1024

    /// Low-rank adapters.
    ///
    /// - Parameters:
    ///   - targets: names of a layer's maps, ours ("query", "attention.output") or those of its modules ("attention.output.dense").
    ///   - top: only in so many layers from the top; nil: in all.
    /// - Throws: `invalidArgument`: a target that does not exist, with the nearest names; a rank, alpha or number of layers that cannot
    ///   be; `unsupported`: an encoder that cannot be trained.
    package static func lora(
        rank: Int, alpha: Double, targets names: [String], top: Int? = nil, of loaded: LoadedEncoder
    ) throws -> FineTuning {
        try requireTrainable(loaded)
        guard (1...largestRank).contains(rank) else {
            throw WorkbenchError(.invalidArgument, "The rank of the adapters is \(rank), expected 1…\(largestRank).")
        }
        guard alpha.isFinite, alpha > 0 else {
            throw WorkbenchError(.invalidArgument, "The adapters' alpha is \(alpha); it must be positive.")
        }
        if let top { try requireLayers(top, of: loaded) }
        guard !names.isEmpty else { throw WorkbenchError(.invalidArgument, "The adapters have no targets. \(possible)") }
        return FineTuning(
            lowRank: FineTuning.LowRank(
                rank: rank, alpha: Float(alpha), targets: Set(try names.map { try target($0, loaded) }), top: top))
    }

    /// The top layers as a private copy.
    ///
    /// - Throws: `invalidArgument` for more layers than there are, or none; `unsupported`.
    package static func top(_ layers: Int, of loaded: LoadedEncoder) throws -> FineTuning {
        try requireTrainable(loaded)
        try requireLayers(layers, of: loaded)
        return FineTuning(depth: .top(layers))
    }

    private static let possible =
        "A layer has these: \(FineTuning.Target.allCases.map(\.rawValue).joined(separator: ", "))."

    private static func target(_ name: String, _ loaded: LoadedEncoder) throws -> FineTuning.Target {
        let all = FineTuning.Target.allCases
        if let target = all.first(where: { [$0.rawValue, $0.module].contains(name) }) { return target }
        let nearest = NameSuggestion.nearest(to: name, among: all.map(\.rawValue) + all.map(\.module))
        let suggestion = nearest.map { " Did you mean \"\($0)\"?" } ?? ""
        throw WorkbenchError(
            .invalidArgument,
            "Encoder '\(loaded.record.name)' has no map \"\(name)\" for an adapter.\(suggestion) \(possible)",
            details: nearest.map { ["target": name, "suggestion": $0] } ?? ["target": name])
    }

    private static func requireLayers(_ layers: Int, of loaded: LoadedEncoder) throws {
        guard !(1...loaded.encoder.topTap).contains(layers) else { return }
        throw WorkbenchError(
            .invalidArgument,
            "\(layers) layers are to be trained; encoder '\(loaded.record.name)' has \(loaded.encoder.topTap). Choose 1…\(loaded.encoder.topTap).",
            details: ["layers": String(loaded.encoder.topTap)])
    }

    private static func requireTrainable(_ loaded: LoadedEncoder) throws {
        func refuse(_ why: String) -> WorkbenchError {
            WorkbenchError(.unsupported, "Encoder '\(loaded.record.name)' cannot be trained: \(why)")
        }
        guard let text = loaded.encoder as? TextEncoder, text.encoder is BertEncoder else {
            throw refuse("it is of architecture \(loaded.record.architecture). Train heads on its features, or choose a bert.")
        }
        if let base = loaded.record.base {
            throw refuse("it was itself trained from '\(base.name)'. Train '\(base.name)' again.")
        }
        if loaded.encoder.precision != .fp32 {
            throw refuse("it computes in \(loaded.encoder.precision.rawValue), and gradients need fp32. `hidra quantize \(loaded.record.name) --precision fp32` sets it back.")
        }
    }

    /// Bytes that the layers of a trained part remember of a batch until its gradients are computed, about.
    ///
    /// - Parameters:
    ///   - layers: that are trained or have something trained below them.
    ///   - tokens: of the batch.
    package static func rememberedBytes(layers: Int, tokens: Int, width: Int) -> Int {
        // Per token: the activation inside the wide maps, four times the width, with its slope and both products; queries, keys,
        // values, context, two sums with their norms.
        layers * tokens * width * (3 * 4 + 10) * MemoryLayout<Float>.stride
    }

    /// Whether memory is short: then layers are computed again in the backward pass instead of being remembered.
    package static func needsCheckpointing(
        layers: Int, tokens: Int, width: Int, available: Int? = MemoryEstimate.available()
    ) -> Bool {
        guard let available else { return false }
        return rememberedBytes(layers: layers, tokens: tokens, width: width) > available / 3
    }
}
