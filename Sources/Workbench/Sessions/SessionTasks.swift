import Encoders
import Foundation
import Graphs
import Heads
import Sessions
import State
import Training

/// What a session's heads learn from and how, before anything is computed.
struct SessionTasks: Sendable {
    struct Task: Sendable {
        let head: SessionPlan.Head
        let plan: TrainingPlan
        /// Tasks of one group read the same rows: their features are looked up once.
        let group: Int
    }

    let session: SessionPlan
    let tasks: [Task]

    /// - Parameters:
    ///   - rows: of each file.
    ///   - encoders: all that the session names.
    /// - Throws: what is wrong with data or settings, with the head's name.
    init(
        _ session: SessionPlan, rows: [String: SessionRows], folder: URL, graphs: [String: Data], _ encoders: [String: LoadedEncoder]
    ) throws {
        self.session = session
        var groups: [[String]] = [], splits: [Int: Split] = [:], tasks: [Task] = []
        for head in session.heads {
            do {
                var key = [head.data, head.test ?? "", String(head.holdout), head.tap]
                key += head.encoders + ["\u{1f}"] + head.columns + [head.task == .tag ? "tag" : "", head.fusion?.rawValue ?? ""]
                let group = groups.firstIndex(of: key) ?? groups.count
                if group == groups.count { groups.append(key) }
                let request = try Self.request(head, session, rows, folder, graphs)
                // With a body that is trained, a row of one head's test must not be another's training: one pass serves both.
                let plan = try TrainingPlan(request, encoders, split: session.train.what.hasBody ? splits[group] : nil)
                if splits[group] == nil, head.test == nil {
                    splits[group] = Split(kept: plan.trainRows, held: plan.testRows)
                }
                tasks.append(Task(head: head, plan: plan, group: group))
            } catch var error as WorkbenchError {
                error.message = "Head '\(head.name)': \(error.message)"
                error.details["head"] = head.name
                throw error
            }
        }
        self.tasks = tasks
    }

    /// The groups' tasks, in order.
    var groups: [[Task]] {
        (0...(tasks.map(\.group).max() ?? 0)).map { group in tasks.filter { $0.group == group } }
    }

    private static func request(
        _ head: SessionPlan.Head, _ session: SessionPlan, _ rows: [String: SessionRows], _ folder: URL, _ graphs: [String: Data]
    ) throws -> TrainingRequest {
        func labelled(_ path: String) throws -> LabelledRows {
            guard let file = rows[path] else {
                throw WorkbenchError(.notFound, "The rows of \(path) were not sent.", details: ["file": path])
            }
            return LabelledRows(columns: try head.columns.map { try file.inputs($0, folder) }, labels: try file.texts(head.label))
        }
        var graph: Data?
        if case .graph(let file) = head.kind {
            guard let bytes = graphs[file] else {
                throw WorkbenchError(.notFound, "The graph \(file) was not sent.", details: ["file": file])
            }
            graph = bytes
        }
        return TrainingRequest(
            head: head.name, encoder: head.encoders[0], task: HeadTask(head.task), kind: HeadKind(head), graph: graph,
            settings: settings(head, session), rows: try labelled(head.data), test: try head.test.map(labelled), holdout: head.holdout,
            separator: head.separator.first ?? "|", tap: head.tap, inputs: try inputs(head), replace: session.replace)
    }

    /// One input for each column, or for each encoder that is joined: all of them read the one column, or each its own.
    private static func inputs(_ head: SessionPlan.Head) throws -> [InputRequest] {
        let count = max(head.encoders.count, head.columns.count)
        guard count > 1 else { return [] }
        guard [1, count].contains(head.encoders.count), [1, count].contains(head.columns.count) else {
            throw WorkbenchError(
                .invalidArgument,
                "it joins \(head.encoders.count) encoders, and reads \(head.columns.count) columns. Give one column for all of them, or one for each.")
        }
        return (0..<count).map { index in
            let column = head.columns.count == 1 ? 0 : index
            return InputRequest(
                encoder: head.encoders[head.encoders.count == 1 ? 0 : index], tap: head.tap, column: column, columnName: head.columns[column])
        }
    }

    private static func settings(_ head: SessionPlan.Head, _ session: SessionPlan) -> TrainingSettings {
        var settings = TrainingSettings()
        let train = session.train
        settings.seed = session.seed
        settings.epochs = train.epochs
        settings.learningRate = train.learningRate
        settings.batchSize = train.batch
        settings.accumulation = train.accumulate
        settings.patience = train.patience
        settings.validation = train.validation
        settings.weightDecay = train.weightDecay
        settings.warmup = train.warmup
        settings.clipNorm = train.clipNorm
        settings.labelSmoothing = train.labelSmoothing
        settings.classWeights = head.classWeights
        return settings
    }
}

extension HeadTask {
    init(_ task: SessionPlan.Task) {
        switch task {
        case .classify: self = .classify
        case .multilabel: self = .multilabel
        case .regress: self = .regress
        case .tag: self = .tag
        }
    }
}

extension HeadKind {
    fileprivate init(_ head: SessionPlan.Head) {
        guard let fusion = head.fusion.flatMap({ Fusion(rawValue: $0.rawValue) }) else {
            self.init(head.kind)
            return
        }
        guard case .mlp(let hidden, let dropout) = head.kind else {
            self = .fusion(fusion, hidden: Fusion.defaultHidden, dropout: Fusion.defaultDropout)
            return
        }
        self = .fusion(fusion, hidden: hidden, dropout: dropout)
    }

    init(_ kind: SessionPlan.Kind) {
        switch kind {
        case .linear: self = .linear
        case .mlp(let hidden, let dropout): self = .mlp(hidden: hidden, dropout: dropout)
        case .tagger(let hidden, let dropout): self = .tagger(hidden: hidden, dropout: dropout)
        case .graph: self = .graph
        }
    }
}
