import Encoders
import Foundation
import Heads
import Sessions
import State
import TensorCore
import Training
import Tuning

/// What is being trained in a session, on the compute thread: heads that depend on nobody, side by side on the cores, or heads with the body
/// that they share.
final class SessionTrainee {
    private enum Method {
        case parallel(ParallelTrainers)
        case joint(JointTrainer)
    }

    let networks: [HeadNetwork]
    let learningRates: [Double]
    let body: TextBody?
    private let method: Method
    private let material: SessionMaterial
    private let questions: LossQuestions
    /// Heads whose loss a plugin has been asked for, in the questions' order.
    private var asked: [Int] = []
    private var losses: [String: Double] = [:]
    /// Steps that fill some two milliseconds.
    private var stepsAtATime = 1

    var training: any HeadsTraining {
        switch method {
        case .parallel(let trainers): trainers
        case .joint(let trainer): trainer
        }
    }

    init(_ material: SessionMaterial, _ questions: LossQuestions) throws {
        self.material = material
        self.questions = questions
        let session = material.tasks.session
        networks = try material.plans.map(Self.network)
        do {
            if session.train.what.hasBody || session.balance == .uncertainty || session.sampler != .proportional {
                let rate = session.train.learningRate ?? JointSettings().learningRate
                learningRates = networks.map { _ in rate }
                (method, body) = try Self.joint(material, networks, rate)
            } else {
                let trainers = try zip(material.tasks.tasks.indices, networks).map { index, network in
                    try Self.trainer(material, index, network)
                }
                learningRates = trainers.map(\.learningRate)
                let tasks = material.tasks.tasks
                method = .parallel(
                    try ParallelTrainers(
                        zip(tasks.map(\.head.name), trainers).map { ($0, $1) },
                        drivenOutside: Set(tasks.filter { $0.head.loss != nil }.map(\.head.name))))
                body = nil
            }
            if let resume = material.resume { try training.restore(JointState(file: resume)) }
        } catch let error as TrainingError {
            throw WorkbenchError(error)
        }
    }

    func state() throws -> Data { try training.state().encoded() }

    func report(missing: String?) -> SessionTraining.Report {
        var report = SessionTraining.Report(step: training.step, totalSteps: training.totalSteps, losses: losses)
        for (index, name) in training.headNames.enumerated() {
            report.epochs[name] = training.history(index)
            report.bestEpochs[name] = training.bestEpoch(index)
        }
        report.waitsForPlugin = missing
        return report
    }

    // MARK: Building

    private static func network(_ plan: TrainingPlan) throws -> HeadNetwork {
        do {
            return try HeadNetwork(
                plan.request.kind, graph: plan.request.graph, inputs: plan.sources.map(\.features), outputs: plan.encoding.outputs,
                seed: plan.request.settings.seed)
        } catch let error as HeadError {
            throw WorkbenchError(error)
        }
    }

    private static func objective(_ plan: TrainingPlan) -> Objective {
        var objective = Objective(smoothing: Float(plan.request.settings.labelSmoothing))
        if plan.request.settings.classWeights { objective.classWeights = plan.trainTargets.balancingWeights(plan.encoding.outputs) }
        return objective
    }

    private static func table(_ material: SessionMaterial, _ index: Int) throws -> FeatureTable {
        guard let features = material.features[index] else {
            throw WorkbenchError(.internalError, "A head's features were not looked up. Report this with the log.")
        }
        return features.table.selecting(material.plans[index].trainRows)
    }

    /// As `hidra train` would train the head.
    private static func trainer(_ material: SessionMaterial, _ index: Int, _ network: HeadNetwork) throws -> Trainer {
        let plan = material.plans[index], rows = try table(material, index), objective = objective(plan)
        let rate =
            try plan.request.settings.learningRate ?? plan.encoding.task.fixedRate
            ?? RangeTest.learningRate(
                Self.network(plan), features: rows, targets: plan.trainTargets, objective: objective, settings: plan.request.settings)
        return Trainer(
            network, features: rows, targets: plan.trainTargets, objective: objective, settings: plan.request.settings, learningRate: rate,
            hasExternalLoss: material.tasks.tasks[index].head.loss != nil)
    }

    private static func joint(
        _ material: SessionMaterial, _ networks: [HeadNetwork], _ rate: Double
    ) throws -> (Method, TextBody?) {
        let tasks = material.tasks.tasks, session = material.tasks.session
        let settings = JointSettings(session, learningRate: rate, checkpointing: material.checkpointing)
        var datasets: [JointDataset] = [], body: TextBody?, places: [Int]
        if let base = material.base, let encoder = base.encoder as? TextEncoder {
            datasets = material.body.enumerated().map { JointDataset("data \($0)", .body(rows: $1.inputs.rows)) }
            places = tasks.map(\.group)
            do {
                body = try TextBody(
                    encoder, tuning: FineTuning(session.train.what), seed: session.seed, inputs: material.body.map(\.inputs),
                    checkpointing: material.checkpointing)
            } catch {
                throw WorkbenchError(.unsupported, "Encoder '\(base.record.name)': \(error)", details: ["name": base.record.name], cause: error)
            }
        } else {
            datasets = try tasks.indices.map { JointDataset(tasks[$0].head.name, .table(try table(material, $0))) }
            places = Array(tasks.indices)
        }
        let heads = tasks.enumerated().map { index, task in
            JointHead(
                task.head.name, networks[index], dataset: places[index], targets: material.plans[index].trainTargets,
                objective: objective(material.plans[index]), weight: task.head.weight, hasExternalLoss: task.head.loss != nil)
        }
        return (.joint(try JointTrainer(datasets: datasets, heads: heads, body: body, settings: settings)), body)
    }

    // MARK: Advancing

    /// Goes on by a unit. Returns false when a plugin has been asked and there is nothing else to do.
    func advance() throws -> Bool {
        switch method {
        case .joint(let trainer): try advance(trainer)
        case .parallel(let trainers): try advance(trainers)
        }
    }

    private func advance(_ trainer: JointTrainer) throws -> Bool {
        guard material.tasks.tasks.contains(where: { $0.head.loss != nil }), !trainer.isValidating else {
            note(try trainer.advance())
            return true
        }
        if !trainer.isInStep {
            let begun = try trainer.beginStep()
            asked = begun.compactMap { question in material.tasks.tasks.firstIndex { $0.head.name == question.head } }
            questions.begin(zip(asked, begun).map { question($0, $1.outputs, $1.targets, trainer.step) })
        }
        guard let answers = try questions.poll() else { return false }
        var given: [String: JointAnswer] = [:]
        for (index, answer) in zip(asked, answers) {
            given[material.tasks.tasks[index].head.name] = JointAnswer(
                loss: Float(answer.loss), gradients: Tensor(answer.gradients, [answer.gradients.count / outputs(index), outputs(index)]))
        }
        note(try trainer.endStep(given))
        return true
    }

    private func advance(_ trainers: ParallelTrainers) throws -> Bool {
        let tasks = material.tasks.tasks
        let outside = trainers.trainers.indices.filter { tasks[$0].head.loss != nil && !trainers.trainers[$0].isFinished }
        var hasAdvanced = false
        if trainers.trainers.indices.contains(where: { tasks[$0].head.loss == nil && !trainers.trainers[$0].isFinished }) {
            let start = ContinuousClock.now
            note(try trainers.advance(steps: stepsAtATime))
            let each = (ContinuousClock.now - start) / .milliseconds(2) / Double(stepsAtATime)
            stepsAtATime = max(1, min(64, Int(1 / max(each, 1e-3))))
            hasAdvanced = true
        }
        guard !outside.isEmpty || !asked.isEmpty else { return true }
        if asked.isEmpty {
            var begun: [LossQuestions.Question] = []
            for index in outside {
                let trainer = trainers.trainers[index]
                let (outputs, targets) = try trainer.beginStep()
                asked.append(index)
                begun.append(question(index, outputs, targets, trainer.step))
            }
            questions.begin(begun)
        }
        guard let answers = try questions.poll() else {
            // The other heads need not wait for it.
            if hasAdvanced { questions.keepGoing() }
            return hasAdvanced
        }
        for (index, answer) in zip(asked, answers) {
            let trainer = trainers.trainers[index]
            try trainer.endStep(
                loss: Float(answer.loss), gradients: Tensor(answer.gradients, [answer.gradients.count / outputs(index), outputs(index)]))
            losses[tasks[index].head.name] = answer.loss
            if trainer.isAtEpochEnd { try trainer.finishEpoch() }
        }
        asked = []
        return true
    }

    private func outputs(_ index: Int) -> Int { max(1, material.plans[index].encoding.outputs) }

    private func question(_ index: Int, _ outputs: Tensor, _ targets: Targets, _ step: Int) -> LossQuestions.Question {
        let head = material.tasks.tasks[index].head, encoding = material.plans[index].encoding
        var call = CallQuestion(.loss, head: head.name, task: encoding.task)
        call.step = step
        call.outputs = outputs.contiguous().values
        (call.rows, call.width) = (outputs.shape[0], outputs.shape[1])
        call.targets = targets
        // Each time: a plugin that was started anew knows nothing of the first.
        call.labels = encoding.labels
        return LossQuestions.Question(plugin: head.loss ?? "", call: call)
    }

    private func note(_ unit: JointUnit) {
        guard case .step(let own, _) = unit else { return }
        for (name, loss) in own { losses[name] = Double(loss) }
    }
}

extension JointSettings {
    init(_ session: SessionPlan, learningRate rate: Double, checkpointing isCheckpointing: Bool) {
        self.init()
        let train = session.train
        seed = session.seed
        epochs = train.epochs
        batchSize = train.batch
        accumulation = train.accumulate
        learningRate = rate
        bodyLearningRate = train.bodyLearningRate
        layerDecay = train.layerDecay
        weightDecay = train.weightDecay
        warmup = train.warmup
        clipNorm = train.clipNorm
        patience = train.patience
        validation = train.validation
        switch session.sampler {
        case .proportional: sampler = .proportional
        case .temperature(let temperature): sampler = .temperature(temperature)
        case .roundRobin: sampler = .roundRobin
        }
        balance = JointBalance(rawValue: session.balance.rawValue) ?? .fixed
        unfreezing = train.unfreeze > 0 ? train.unfreeze : nil
        checkpointing = isCheckpointing
    }
}

extension FineTuning {
    init(_ what: SessionPlan.Trainable) {
        switch what {
        case .heads: self.init()
        case .top(let layers): self.init(depth: .top(layers))
        case .lora(let lowRank):
            self.init(
                lowRank: LowRank(
                    rank: lowRank.rank, alpha: Float(lowRank.alpha), targets: Set(lowRank.targets.compactMap(Target.init(rawValue:)))))
        }
    }
}
