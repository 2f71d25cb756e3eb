import CKernels
import Checkpoints
package import TensorCore

/// Trains a network by verbs: forward, backward, step. Whoever calls them decides the batches, the loss and the order.
///
/// The same verbs with the same numbers give the same bytes. A verb that throws has changed nothing.
package final class VerbTraining {
    package let network: any Network
    private var optimiser: any Optimiser
    private let clipNorm: Double?
    private let seed: UInt64
    private let leaves: [Tensor]
    /// Outputs of the last forward pass that is to be followed by a backward pass, with their history.
    private var pass: Tensor?
    /// Sums since the last step.
    private var gradients: [Tensor]?
    /// Training passes since the last step: with the step's number they choose what dropout drops.
    private var passes: UInt64 = 0

    package init(_ network: any Network, optimiser: any Optimiser, clipNorm: Double?, seed: UInt64) {
        self.network = network
        self.optimiser = optimiser
        self.clipNorm = clipNorm
        self.seed = seed
        leaves = network.parameters.map(\.value)
    }

    /// Optimiser steps taken.
    package var steps: Int { optimiser.memory.steps }

    /// Outputs `[rows, outputs]` as in a prediction, without history.
    package func outputs(_ batch: FeatureBatch) throws -> Tensor { try network(batch, dropoutSeed: nil).detached }

    /// Outputs as in training, kept for `backward`.
    package func forward(_ batch: FeatureBatch) throws -> Tensor {
        let outputs = try network(batch, dropoutSeed: dropoutSeed)
        passes += 1
        pass = outputs
        return outputs.detached
    }

    /// Adds what these gradients of the last forward's outputs make of the weights.
    ///
    /// - Throws: `TrainingError.notFinite` for a gradient that is infinite or not a number.
    package func backward(_ slopes: Tensor) throws {
        guard let pass else { preconditionFailure("backward without a forward pass") }
        precondition(slopes.shape == pass.shape, "backward: gradients \(slopes.shape) of outputs \(pass.shape)")
        if let bad = FiniteCheck.firstBad([slopes]) {
            let width = slopes.shape[1]
            throw TrainingError(
                .notFinite, "The gradient of row \(bad.element / width + 1), output \(bad.element % width + 1), is \(bad.value).",
                tensor: "gradients")
        }
        try add(pass.gradients(for: leaves, from: slopes))
        self.pass = nil
    }

    /// Mean loss of a batch; its gradients, times `scale`, are added. Also the outputs.
    ///
    /// - Throws: `TrainingError.notFinite`.
    package func forwardBackward(
        _ batch: FeatureBatch, _ objective: Objective, _ targets: Targets, scale: Float
    ) throws -> (loss: Float, outputs: Tensor) {
        let outputs = try network(batch, dropoutSeed: dropoutSeed), loss = network.loss(outputs, targets, or: objective)
        guard loss.scalar.isFinite else {
            throw TrainingError(
                .notFinite, "The loss is \(loss.scalar). Load an earlier state and go on with a lower learning rate.", tensor: "loss")
        }
        try add(loss.gradients(for: leaves, from: Tensor(repeating: scale, loss.shape)))
        passes += 1
        pass = nil
        return (loss.scalar, outputs.detached)
    }

    private var dropoutSeed: UInt64 { seed &+ (UInt64(steps) << 20 &+ passes) &* 0x9e37_79b9 }

    private func add(_ fresh: [Tensor]) throws {
        if let bad = FiniteCheck.firstBad(fresh) {
            let name = network.parameters[bad.tensor].name
            throw TrainingError(.notFinite, "The gradient of \"\(name)\" is \(bad.value) at element \(bad.element).", tensor: name)
        }
        guard let gradients else {
            self.gradients = fresh.map { Tensor($0.values, $0.shape) }
            return
        }
        for (sum, gradient) in zip(gradients, fresh) {
            ck_axpy_f32(sum.count, 1, gradient.contiguous().pointer, sum.mutablePointer)
        }
    }

    /// Whether there is something to step by, and something to go backward from.
    package var hasGradients: Bool { gradients != nil }
    package var passShape: Shape? { pass?.shape }

    /// Changes the weights. Returns the gradients' norm before clipping.
    package func step(learningRate: Float) -> Double {
        guard let gradients else { preconditionFailure("a step without gradients") }
        let norm = GradientClipping.norm(gradients)
        let clipped = clipNorm.map { GradientClipping.norm(largest: $0)(gradients).gradients } ?? gradients
        optimiser.step(clipped, learningRate: learningRate)
        self.gradients = nil
        pass = nil
        passes = 0
        return norm
    }

    // MARK: State

    /// Everything that later steps depend on, by name; copies.
    package var state: (tensors: [String: Tensor], optimiser: String, steps: Int) {
        var tensors: [String: Tensor] = [:]
        for parameter in network.parameters {
            tensors["parameter/\(parameter.name)"] = Tensor(parameter.value.values, parameter.value.shape)
        }
        for (index, buffer) in network.buffers.enumerated() {
            tensors["buffer/\(index)"] = Tensor(buffer.values, buffer.shape)
        }
        let state = optimiser.state
        for (name, tensor) in state.tensors { tensors["optimiser/\(name)"] = tensor }
        return (tensors, state.optimiser, state.steps)
    }

    var optimiserState: OptimiserState { optimiser.state }

    /// Between two steps.
    func restore(_ state: OptimiserState) throws {
        try optimiser.restore(state)
        (gradients, pass, passes) = (nil, nil, 0)
    }

    /// Goes on where a state was taken. Gradients and the last pass are gone.
    ///
    /// - Throws: `TrainingError.stateMismatch`; nothing has changed then.
    package func restore(_ tensors: [String: Tensor], optimiser name: String, steps: Int) throws {
        func require(_ key: String, _ shape: Shape) throws -> Tensor {
            guard let tensor = tensors[key], tensor.shape == shape else {
                throw TrainingError(
                    .stateMismatch,
                    "The state does not fit this head: it has \(tensors[key].map { "\"\(key)\" of shape \($0.shape)" } ?? "no \"\(key)\""), "
                        + "expected \(shape). Load it into a head with the same network.")
            }
            return tensor
        }
        let parameters = try network.parameters.map { try require("parameter/\($0.name)", $0.value.shape) }
        let buffers = try network.buffers.enumerated().map { try require("buffer/\($0)", $1.shape) }
        let slots = tensors.filter { $0.key.hasPrefix("optimiser/") }
        try optimiser.restore(
            OptimiserState(
                optimiser: name, steps: steps,
                tensors: Dictionary(uniqueKeysWithValues: slots.map { (String($0.key.dropFirst("optimiser/".count)), $0.value) })))
        for (target, source) in zip(leaves + network.buffers, parameters + buffers) {
            target.mutablePointer.update(from: source.contiguous().pointer, count: target.count)
        }
        gradients = nil
        pass = nil
        passes = 0
    }
}
