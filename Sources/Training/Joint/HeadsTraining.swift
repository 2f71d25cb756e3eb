package import TensorCore

/// What a session trains: several heads, one unit of work at a time, so that its owner decides what runs in between.
///
/// The same settings and data give the same bytes; `state` between any two units holds everything that what follows depends on.
package protocol HeadsTraining: AnyObject {
    var headNames: [String] { get }
    /// Optimiser steps taken. With several independent heads: of the one that is furthest.
    var step: Int { get }
    /// Steps when no head stops early.
    var totalSteps: Int { get }
    var isFinished: Bool { get }
    /// Finished epochs of a head.
    func history(_ head: Int) -> [Trainer.Epoch]
    /// The epoch whose weights a head has when training has finished; 0 before one has ended.
    func bestEpoch(_ head: Int) -> Int
    func bestScore(_ head: Int) -> Double

    /// One optimiser step, or a part of a validation.
    ///
    /// - Throws: `TrainingError.notFinite`: training has finished then, with the last good weights.
    func advance() throws -> JointUnit

    func state() throws -> JointState

    /// Goes on where `state` was taken, bit for bit.
    ///
    /// - Throws: `TrainingError.stateMismatch` when it belongs to other heads, data or settings.
    func restore(_ state: JointState) throws
}

/// What a unit of work of a joint training did.
package enum JointUnit: Sendable, Equatable {
    /// A step: each head's mean loss, by name, and the norm of all gradients before clipping.
    case step(losses: [String: Float], gradientNorm: Double?)
    /// A part of a validation.
    case validation(done: Int, of: Int)
    /// The end of an epoch, with each head's, by name.
    case epoch([String: Trainer.Epoch])
    /// The validation rows' outputs are there, and somebody else has to measure them: `finishEpoch`.
    case needsScores
}

/// Everything the rest of a training depends on: named tensors, and a few facts as JSON. One safetensors file.
package struct JointState {
    package var tensors: [String: Tensor]
    /// JSON.
    package var facts: String

    package init(tensors: [String: Tensor], facts: String) {
        self.tensors = tensors
        self.facts = facts
    }
}
