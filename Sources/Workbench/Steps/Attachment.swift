package import Encoders
import Foundation
package import Heads
import State
import Synchronization
import TensorCore
import Training

/// A head that a client trains step by step: its network and optimiser, the features it reads, and which steps are applied.
package final class Attachment: @unchecked Sendable {
    // `@unchecked`: `body` and `tables` are touched on the compute thread only; everything else is constant or guarded.
    package let run: String
    let description: AttachmentDescription
    let sources: [FeatureSource]
    let folder: AttachmentFolder
    private let body: Body
    /// Features of data sets in use, the latest last.
    private var tables: [(key: StepBatch.Table, rows: AttachedRows)] = []
    /// Their keys, for whoever asks from elsewhere.
    private let known = Mutex<Set<StepBatch.Table>>([])
    private static let keptTables = 4
    /// The client that may use it.
    private let ownerName: Mutex<String>
    /// Held while the state is written: what is released writes no more, so that it cannot undo a later attachment's steps.
    private let isReleased = Mutex(false)

    /// What the compute thread owns.
    private final class Body {
        let training: VerbTraining
        let network: HeadNetwork
        var sequence: UInt64
        /// The answer to `sequence`: it is given again when the request comes again.
        var answer: StepAnswer?
        /// Where the state on disk was taken.
        var written: UInt64

        init(_ training: VerbTraining, _ network: HeadNetwork, sequence: UInt64) {
            self.training = training
            self.network = network
            self.sequence = sequence
            written = sequence
        }
    }

    /// On the compute thread.
    init(
        run: String, _ description: AttachmentDescription, graph: Data?, _ sources: [FeatureSource], _ folder: AttachmentFolder,
        owner: String, isNew: Bool
    ) throws {
        self.run = run
        self.description = description
        self.sources = sources
        self.folder = folder
        ownerName = Mutex(owner)
        do {
            let network = try HeadNetwork(
                description.kind, graph: graph, inputs: sources.map(\.features), outputs: description.encoding.outputs,
                seed: description.seed)
            let training = VerbTraining(
                network, optimiser: description.optimiser(network.parameters), clipNorm: description.optimiser.clipNorm,
                seed: description.seed)
            var sequence: UInt64 = 0
            if !isNew {
                let state = try folder.readState()
                try training.restore(state.tensors, optimiser: state.optimiser, steps: state.steps)
                sequence = state.sequence
            }
            body = Body(training, network, sequence: sequence)
        } catch let error as HeadError {
            throw WorkbenchError(error)
        } catch let error as TrainingError {
            throw WorkbenchError(.corrupt, error.message, cause: error)
        }
        if isNew { try folder.write(state: AttachmentState.encode(body.training, sequence: 0)) }
    }

    package var owner: String { ownerName.withLock { $0 } }
    func give(to owner: String) { ownerName.withLock { $0 = owner } }

    func write(state: Data) throws {
        try isReleased.withLock { isReleased in
            guard !isReleased else { return }
            try folder.write(state: state)
        }
    }

    func release() { isReleased.withLock { $0 = true } }

    package var outputs: Int { description.encoding.outputs }
    package var task: HeadTask { description.task }
    package var head: String { description.head }
    /// The loss of `forwardBackward`, by its name in the protocol.
    package var lossName: String {
        switch description.task {
        case .classify: "cross_entropy"
        case .multilabel: "binary_cross_entropy"
        case .regress: description.difference.rawValue
        case .tag: "crf"
        }
    }
    package var inputs: [HeadInput] { description.inputs }
    /// Of the data sets and batches it is given, in order.
    package var columns: [String] { description.columns }

    package func hasTable(_ key: StepBatch.Table) -> Bool { known.withLock { $0.contains(key) } }

    // MARK: On the compute thread

    var status: (sequence: UInt64, steps: Int, parameters: Int) {
        (body.sequence, body.training.steps, body.network.parameterCount)
    }

    func keep(_ rows: AttachedRows, as key: StepBatch.Table) {
        tables.removeAll { $0.key == key || $0.key.replaces(key) }
        tables.append((key, rows))
        if tables.count > Self.keptTables { tables.removeFirst() }
        known.withLock { $0 = Set(tables.map(\.key)) }
    }

    /// Does a verb, or answers as before when it was done already.
    ///
    /// - Parameter own: features of a batch that has rows of its own.
    /// - Throws: `conflict` for a sequence number that is not next; and whatever is wrong with the verb, which has changed nothing then.
    func perform(_ verb: StepVerb, sequence: UInt64, _ batch: StepBatch?, own: AttachedRows?) throws -> StepAnswer {
        guard verb.changesSomething else { return try answer(verb, batch, own) }
        if sequence == body.sequence, let answer = body.answer { return answer }
        guard sequence == body.sequence + 1 else {
            throw WorkbenchError(
                .conflict,
                "Run '\(run)' has applied everything up to \(body.sequence); \(sequence) cannot be applied now. Go on with "
                    + "\(body.sequence + 1).",
                details: ["next": String(body.sequence + 1), "applied": String(body.sequence)])
        }
        do {
            var answer = try answer(verb, batch, own)
            answer.sequence = sequence
            body.sequence = sequence
            body.answer = answer
            if answer.isStep, body.training.steps % description.checkpointSteps == 0 {
                answer.state = try AttachmentState.encode(body.training, sequence: sequence)
                body.written = sequence
            }
            return answer
        } catch let error as TrainingError {
            throw WorkbenchError(
                error.code == .stateMismatch ? .invalidArgument : .invalidData, error.message,
                details: error.tensor.map { ["tensor": $0] } ?? [:], cause: error)
        }
    }

    /// The state of the last step, when it is not on disk yet; nil when it is, or when there are gradients since.
    func unwrittenState() throws -> Data? {
        guard body.written != body.sequence, !body.training.hasGradients, body.training.passShape == nil else { return nil }
        body.written = body.sequence
        return try AttachmentState.encode(body.training, sequence: body.sequence)
    }

    func writeBundle(to folder: URL) throws -> (description: HeadBundle.Description, parameters: Int) {
        var settings = TrainingSettings()
        settings.seed = description.seed
        settings.weightDecay = description.optimiser.weightDecay
        settings.labelSmoothing = Double(description.smoothing)
        let written = try HeadBundle.write(
            body.network,
            HeadBundle.Description(
                name: description.head, kind: description.kind, encoding: description.encoding, inputs: sources.map(\.features),
                settings: settings, learningRate: description.optimiser.learningRate),
            to: folder)
        return (written, body.network.parameterCount)
    }

    private func answer(_ verb: StepVerb, _ batch: StepBatch?, _ own: AttachedRows?) throws -> StepAnswer {
        let training = body.training
        var answer = StepAnswer()
        answer.sequence = body.sequence
        switch verb {
        case .forward(let keeps):
            let rows = try rows(batch, own)
            answer.truncated = rows.truncated
            answer.setOutputs(
                keeps ? try training.forward(rows.features) : try training.outputs(rows.features), lengths: lengths(rows))
        case .forwardBackward(let scale, let wantsOutputs):
            guard let batch else { throw WorkbenchError(.invalidArgument, "Name the rows of the batch.") }
            let rows = try rows(batch, own)
            let (loss, outputs) = try training.forwardBackward(
                rows.features, description.objective, try targets(batch, rows), scale: Float(scale))
            answer.truncated = rows.truncated
            answer.loss = Double(loss)
            if wantsOutputs { answer.setOutputs(outputs, lengths: lengths(rows)) }
        case .backward(let gradients, let shape, let rate):
            guard let expected = training.passShape else {
                throw WorkbenchError(.conflict, "There is no forward pass to go backward from. Send `forward` with a sequence number first.")
            }
            guard shape == expected.dimensions, gradients.count == expected.count else {
                throw WorkbenchError(
                    .invalidArgument, "The gradients have the shape \(shape), the outputs \(expected.dimensions); they must be equal.")
            }
            try training.backward(Tensor(gradients, expected))
            if let rate { answer.gradientNorm = training.step(learningRate: try self.rate(rate)) }
            answer.isStep = rate != nil
        case .step(let rate):
            guard training.hasGradients else {
                throw WorkbenchError(
                    .conflict, "There are no gradients to step by. Send `forward_backward`, or `forward` and `backward`, first.")
            }
            answer.gradientNorm = training.step(learningRate: try self.rate(rate))
            answer.isStep = true
        case .save: answer.state = try AttachmentState.encode(training, sequence: body.sequence)
        case .load(let file):
            let state = try AttachmentState(file)
            try training.restore(state.tensors, optimiser: state.optimiser, steps: state.steps)
            answer.isStep = true
        }
        answer.steps = training.steps
        return answer
    }

    private func rate(_ asked: Double) throws -> Float {
        guard asked != 0 else { return Float(description.optimiser.learningRate) }
        guard asked.isFinite, asked > 0, asked <= 10 else {
            throw WorkbenchError(.invalidArgument, "The learning rate is \(asked); it must be above 0 and at most 10.")
        }
        return Float(asked)
    }

    private func rows(_ batch: StepBatch?, _ own: AttachedRows?) throws -> AttachedRows.Selection {
        if let own { return own.selection(Array(0..<own.rows)) }
        guard let batch, let key = batch.table, let kept = tables.first(where: { $0.key == key })?.rows else {
            throw WorkbenchError(.conflict, "The data set changed meanwhile. Send the request again.")
        }
        guard batch.rows.allSatisfy({ kept.rows > $0 }) else {
            throw WorkbenchError(.invalidArgument, "The batch names a row beyond the data set's \(kept.rows).")
        }
        return kept.selection(batch.rows)
    }

    /// Of a head that labels words, the words of each text that the encoder has taken.
    private func lengths(_ rows: AttachedRows.Selection) -> [Int]? { task == .tag ? rows.features.lengths(0) : nil }

    private func targets(_ batch: StepBatch, _ rows: AttachedRows.Selection) throws -> Targets {
        do {
            let (targets, _, unknown) = try description.encoding.encode(batch.labels)
            guard unknown.isEmpty else {
                throw WorkbenchError(
                    .invalidData,
                    "The label \"\(unknown.keys.sorted()[0])\" is none of those the head was attached with: "
                        + "\(description.labels.prefix(20).joined(separator: ", ")).")
            }
            guard case .tags(let tags) = targets else { return targets }
            for (row, (own, words)) in zip(tags, rows.words).enumerated() where own.count != words {
                throw WorkbenchError(
                    .invalidData,
                    "Row \(row + 1) of the batch has \(words) words and \(own.count) labels. Give one label for each word; white space separates "
                        + "both.", details: ["row": String(row + 1)])
            }
            return .tags(zip(tags, rows.features.lengths(0)).map { Array($0.prefix($1)) })
        } catch let error as HeadError {
            throw WorkbenchError(error)
        }
    }
}
