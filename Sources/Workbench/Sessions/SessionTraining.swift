import Encoders
import Foundation
import Heads
import Sessions
import State
import TensorCore
import Training
import Tuning

/// The compute task of a session: networks and trainers are built, or go on from a checkpoint, and advance one unit at a time. After each
/// unit it looks whether it is to stop, and makes a checkpoint first.
final class SessionTraining: ComputeTask {
    struct Output: Sendable {
        /// nil: everything was trained.
        var stop: SessionControl.Stop?
        /// What the rest depends on, at `step`.
        var state: Data
        var step = 0, totalSteps = 0
        /// In the tasks' order; none when it was stopped.
        var heads: [Head] = []

        struct Head: Sendable {
            var description: HeadBundle.Description
            var parameters: Int
            var history: [Trainer.Epoch]
            var bestEpoch: Int
        }
    }

    /// Where the results go: the heads' folders, in the tasks' order, and that of the trained body.
    struct Staging: Sendable {
        var heads: [URL]
        var encoder: URL?
    }

    /// Longest slice between two looks at the queue.
    static let slice = Duration.milliseconds(8)

    private let material: SessionMaterial
    private let staging: Staging
    private let control: SessionControl
    private let report: @Sendable (Report) -> Void
    private let save: @Sendable (Data, Int) -> Bool
    private let questions: LossQuestions
    private var trainee: SessionTrainee?
    private var lastCheckpoint = ContinuousClock.now, lastStep = 0

    /// What a unit has to say.
    struct Report: Sendable {
        var step = 0, totalSteps = 0
        var losses: [String: Double] = [:]
        var epochs: [String: [Trainer.Epoch]] = [:]
        var bestEpochs: [String: Int] = [:]
        var waitsForPlugin: String?
    }

    /// - Parameter save: takes a state to be written, with its step; false: the one before is still being written.
    init(
        _ material: SessionMaterial, staging: Staging, control: SessionControl, losses: LossProviders, patience: Duration,
        report: @escaping @Sendable (Report) -> Void, save: @escaping @Sendable (Data, Int) -> Bool
    ) {
        self.material = material
        self.staging = staging
        self.control = control
        self.report = report
        self.save = save
        questions = LossQuestions(losses, control.gate, patience: patience)
    }

    func step() throws -> Output? {
        guard let trainee else {
            trainee = try SessionTrainee(material, questions)
            lastStep = trainee?.training.step ?? 0
            return nil
        }
        if let stop = control.stop {
            return Output(stop: stop, state: try trainee.state(), step: trainee.training.step, totalSteps: trainee.training.totalSteps)
        }
        let start = ContinuousClock.now
        do {
            while !trainee.training.isFinished, control.stop == nil, ContinuousClock.now - start < Self.slice {
                // False: a plugin has been asked, and the task waits for its gate.
                guard try trainee.advance() else { break }
            }
        } catch let error as TrainingError {
            throw WorkbenchError(error)
        }
        report(trainee.report(missing: questions.missing))
        if trainee.training.isFinished { return try finish(trainee) }
        try checkpoint(trainee)
        return nil
    }

    private func checkpoint(_ trainee: SessionTrainee) throws {
        let settings = material.tasks.session.checkpoint, step = trainee.training.step
        let isDue = ContinuousClock.now - lastCheckpoint >= .seconds(settings.seconds) || settings.steps.map { step - lastStep >= $0 } ?? false
        guard isDue, step > lastStep, save(try trainee.state(), step) else { return }
        (lastCheckpoint, lastStep) = (.now, step)
    }

    private func finish(_ trainee: SessionTrainee) throws -> Output {
        var output = Output(
            stop: nil, state: try trainee.state(), step: trainee.training.step, totalSteps: trainee.training.totalSteps)
        for (index, task) in material.tasks.tasks.enumerated() {
            let plan = material.plans[index], network = trainee.networks[index]
            let description = HeadBundle.Description(
                name: task.head.name, kind: plan.request.kind, encoding: plan.encoding, inputs: plan.sources.map(\.features),
                settings: plan.request.settings, learningRate: trainee.learningRates[index])
            let written = try HeadBundle.write(network, description, to: staging.heads[index])
            output.heads.append(
                Output.Head(
                    description: written, parameters: network.parameterCount, history: trainee.training.history(index),
                    bestEpoch: trainee.training.bestEpoch(index)))
        }
        if let folder = staging.encoder, let body = trainee.body, let base = material.base {
            try body.write(base: base.record.name, digest: base.record.digest, source: base.record.source, to: folder)
        }
        return output
    }
}

/// Everything a session's training is built from: no tensors yet.
struct SessionMaterial: Sendable {
    let tasks: SessionTasks
    /// Of each task, without rows that could not be read.
    let plans: [TrainingPlan]
    /// Of each task, all rows that are needed; empty where the body computes them.
    let features: [RowFeatures?]
    /// What the trained body reads of each group's training rows; empty without one.
    let body: [SessionBodyRows]
    /// The encoder whose adapters, or top layers, are trained.
    let base: LoadedEncoder?
    let checkpointing: Bool
    /// The state to go on from.
    let resume: URL?
}

/// Rows of a group as the trained part of an encoder reads them.
enum SessionBodyRows: Sendable {
    case texts([TokenizedText])
    case states(TokenStates)

    var inputs: BodyInputs {
        switch self {
        case .texts(let texts): .texts(texts)
        case .states(let states): .states(states)
        }
    }
}
