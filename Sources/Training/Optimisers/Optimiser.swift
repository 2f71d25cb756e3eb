package import Checkpoints
package import TensorCore

/// Changes parameters by their gradients, in place, one step at a time.
///
/// The learning rate is given with each step: schedules are not the optimiser's business. To add one: state which tensors it
/// keeps for each parameter (`memory`) and how one parameter changes (`update`).
package protocol Optimiser {
    static var name: String { get }
    var memory: OptimiserMemory { get set }

    /// One step of the parameter `index`; `memory.steps` is the step's number, from 1.
    func update(_ index: Int, _ gradient: Tensor, learningRate: Float, weightDecay: Float)
}

extension Optimiser {
    /// In the order in which `step` wants their gradients.
    package var parameters: [Parameter] { memory.parameters }

    /// `gradients` in the order of the parameters.
    package mutating func step(_ gradients: [Tensor], learningRate: Float) {
        let parameters = memory.parameters
        precondition(
            gradients.count == parameters.count, "\(gradients.count) gradients for \(parameters.count) parameters")
        memory.steps += 1
        for (index, parameter) in parameters.enumerated() {
            let gradient = gradients[index].contiguous(), group = memory.groups[index]
            precondition(gradient.shape == parameter.value.shape, "\(parameter.name): gradient \(gradient.shape)")
            update(
                index, gradient, learningRate: learningRate * group.learningRateFactor, weightDecay: group.weightDecay)
        }
    }

    /// Gives the parameters chosen by `predicate` settings of their own.
    package mutating func assign(_ group: ParameterGroup, where predicate: (Parameter) -> Bool) {
        for (index, parameter) in parameters.enumerated() where predicate(parameter) { memory.groups[index] = group }
    }

    /// Everything the next steps depend on besides the parameters and the settings. A copy: later steps do not change it.
    package var state: OptimiserState {
        var tensors: [String: Tensor] = [:]
        for (slot, values) in zip(memory.slotNames, memory.slots) {
            for (parameter, value) in zip(parameters, values) {
                tensors["\(parameter.name)/\(slot)"] = Tensor(value.values, value.shape)
            }
        }
        return OptimiserState(optimiser: Self.name, steps: memory.steps, tensors: tensors)
    }

    /// Goes on where `state` was taken, bit for bit.
    ///
    /// - Throws: `TrainingError.stateMismatch` when the state is another optimiser's or does not fit the parameters; nothing has
    ///   changed then.
    package mutating func restore(_ state: OptimiserState) throws {
        func mismatch(_ what: String) -> TrainingError {
            TrainingError(
                .stateMismatch,
                "The saved optimiser state does not fit this run: \(what). Resume with the settings the run was started with."
            )
        }
        guard state.optimiser == Self.name else { throw mismatch("it is \(state.optimiser)'s, this is \(Self.name)") }
        guard state.steps >= 0 else { throw mismatch("it counts \(state.steps) steps") }
        let expected = memory.slotNames.count * parameters.count
        guard state.tensors.count == expected else {
            throw mismatch("it holds \(state.tensors.count) tensors, not \(expected)")
        }
        var slots = memory.slots
        for (slot, name) in memory.slotNames.enumerated() {
            for (index, parameter) in parameters.enumerated() {
                let key = "\(parameter.name)/\(name)", shape = slots[slot][index].shape
                guard let tensor = state.tensors[key] else { throw mismatch("\"\(key)\" is missing") }
                guard tensor.shape == shape else { throw mismatch("\"\(key)\" is \(tensor.shape), expected \(shape)") }
                slots[slot][index] = Tensor(tensor.values, shape)
            }
        }
        memory.slots = slots
        memory.steps = state.steps
    }
}

/// Settings of some of the parameters.
package struct ParameterGroup: Sendable, Equatable {
    /// The group's share of the step's learning rate.
    package var learningRateFactor: Float
    package var weightDecay: Float

    package init(learningRateFactor: Float = 1, weightDecay: Float = 0) {
        self.learningRateFactor = learningRateFactor
        self.weightDecay = weightDecay
    }
}

/// What an optimiser knows: its parameters, their settings, and the tensors it keeps for each.
package struct OptimiserMemory {
    package let parameters: [Parameter]
    package internal(set) var groups: [ParameterGroup]
    let slotNames: [String]
    /// `[slot][parameter]`
    var slots: [[Tensor]]
    /// Steps taken.
    package internal(set) var steps = 0

    /// Slots begin at zero, of the parameter's shape unless `shape` says otherwise.
    init(
        _ parameters: [Parameter], weightDecay: Float, slots names: [String],
        shape: (_ slot: String, _ parameter: Shape) -> Shape = { $1 }
    ) {
        self.parameters = parameters
        groups = parameters.map { _ in ParameterGroup(weightDecay: weightDecay) }
        slotNames = names
        slots = names.map { name in parameters.map { Tensor(repeating: 0, shape(name, $0.value.shape)) } }
    }

    func slot(_ slot: Int, _ index: Int) -> UnsafeMutablePointer<Float> { slots[slot][index].mutablePointer }
    func value(_ index: Int) -> UnsafeMutablePointer<Float> { parameters[index].value.mutablePointer }
}

/// A copy of an optimiser's state, to be written to a file or restored.
package struct OptimiserState {
    package var optimiser: String
    package var steps: Int
    /// By "parameter/slot".
    package var tensors: [String: Tensor]

    package init(optimiser: String, steps: Int, tensors: [String: Tensor]) {
        self.optimiser = optimiser
        self.steps = steps
        self.tensors = tensors
    }
}

/// Splits the elements of a large parameter over the worker threads: a step is bound by memory, and each element is its own.
func forElements(_ count: Int, _ body: (Range<Int>) -> Void) {
    let parts = max(1, min(WorkerPool.shared.threads, count / 8192))
    WorkerPool.shared.parallel(parts) { part in body(count * part / parts..<count * (part + 1) / parts) }
}
