import Encoders
import State
import TensorCore

/// How much one unit of the compute thread encodes.
package struct UnitBudget: Sendable {
    /// Floating-point operations of one unit, for each thread: some 25 milliseconds, which is what a prediction may have to wait
    /// for.
    static let flopsPerThread = 1.75e9

    /// Most tokens of one unit, when somebody chose it; nil: what the operations allow.
    package let tokens: Int?

    package init(tokens: Int? = nil) { self.tokens = tokens }

    /// What the costs of one unit may come to. A single input may cost more: it makes a unit of its own.
    var limit: Double { tokens.map(Double.init) ?? Self.flopsPerThread * Double(WorkerPool.shared.threads) }

    func cost(_ input: PreparedInput) -> Double { tokens == nil ? input.flops : Double(input.tokens) }

    /// - Throws: `invalidArgument` when not even one text of this encoder is sure to fit into a unit.
    func require(room encoder: any FeatureEncoder, _ name: String) throws {
        guard let tokens, encoder.maxTokens > tokens else { return }
        throw WorkbenchError(
            .invalidArgument,
            "A unit may have \(tokens) tokens (HIDRA_BATCH_TOKENS), but one text of encoder '\(name)' may have \(encoder.maxTokens). "
                + "Set HIDRA_BATCH_TOKENS to at least \(encoder.maxTokens), or leave it out, and restart the daemon.",
            details: ["budget": String(tokens), "needed": String(encoder.maxTokens)])
    }
}
