import HidraProtocol
package import State
import TensorCore
package import Workbench

/// What the environment says about the engine, checked before anything starts: a word that was not understood must not look as if it had
/// been.
package struct EngineSettings: Sendable {
    package let budget: UnitBudget
    package let rates: EnergyRates

    /// - Throws: `Failure` with the variable, its value and what it may be.
    package init(_ environment: [String: String]) throws {
        rates = try EnergyRates(environment)
        if let level = environment["HIDRA_KERNELS"], !KernelLevel.available.contains(level) {
            let known = KernelLevel.all.contains(level)
            throw Failure(
                .invalidArgument,
                "HIDRA_KERNELS is \"\(level)\", " + (known ? "which this processor lacks" : "which is no level of kernels")
                    + "; it has \(KernelLevel.available.joined(separator: ", ")). Leave the variable out for the best.")
        }
        if let threads = environment["HIDRA_THREADS"] {
            guard let count = Int(threads), (1...256).contains(count) else {
                throw Failure(.invalidArgument, "HIDRA_THREADS is \"\(threads)\"; it must be a number from 1 to 256.")
            }
        }
        guard let tokens = environment["HIDRA_BATCH_TOKENS"] else {
            budget = UnitBudget()
            return
        }
        guard let count = Int(tokens), (1...1 << 20).contains(count) else {
            throw Failure(.invalidArgument, "HIDRA_BATCH_TOKENS is \"\(tokens)\"; it must be a number from 1 to \(1 << 20).")
        }
        budget = UnitBudget(tokens: count)
    }
}
