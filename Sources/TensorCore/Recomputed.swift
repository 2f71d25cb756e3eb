/// A function whose inner results are forgotten after the forward pass and computed again in the backward pass (gradient
/// checkpointing, Chen et al. 2016): memory for one function's inner results at a time, for one more forward pass.
///
/// Inputs: x, then the parameters, which the function reads for itself.
package struct Recomputed: DifferentiableOp {
    package static let name = "recomputed"
    private let parameters: [Tensor]
    private let body: (Tensor) -> Tensor

    /// - Parameters:
    ///   - parameters: what `body` reads that gradients may be wanted of: leaves.
    ///   - body: a function of its argument and of parameters alone; run twice, it gives the same bits.
    package init(_ parameters: [Tensor], _ body: @escaping (Tensor) -> Tensor) {
        self.parameters = parameters
        self.body = body
    }

    package func callAsFunction(_ x: Tensor) -> Tensor { apply([x] + parameters) }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) { (body(inputs[0]).detached, []) }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let x = needs[0] ? inputs[0].tracked : inputs[0]
        let wanted = zip([x] + parameters, needs).filter(\.1).map(\.0)
        var gradients = body(x).gradients(for: wanted, from: gradient)[...]
        return needs.map { $0 ? gradients.removeFirst() : nil }
    }
}
