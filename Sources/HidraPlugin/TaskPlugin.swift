public import HidraClient
internal import HidraProtocol

/// A task plugin's connection to Hidra: it brings a data set, attaches heads to an encoder the daemon holds, and asks
/// them.
///
///     let plugin = try await TaskPlugin.connect(name: "ticket-triage", version: "1.0")
///     try await plugin.prepare(encoder: "minilm")
///
///     let tickets = try await plugin.upload(
///         [("message", messages), ("intent", intents), ("urgency", urgencies)], textColumn: "message")
///     let heads = [
///         HeadSpecification(name: "intent", labelColumn: "intent"),
///         HeadSpecification(name: "urgency", labelColumn: "urgency", kind: .mlp(hidden: 256, dropout: 0.1)),
///     ]
///     for head in try await plugin.attach(heads, to: tickets, encoder: "minilm", holdout: 0.2) {
///         print(head.name, head.evaluation?.metrics["accuracy"] ?? 0, head.seconds.total)
///     }
///
///     let answers = try await plugin.predict(["my card has not arrived"], heads: ["intent", "urgency"])
///     print(answers.texts[0][0].label ?? "", answers.texts[0][1].label ?? "")
///     await plugin.close()
///
/// The texts are encoded once: every head after the first finds their features cached, and a prediction asks all heads
/// in one encoder pass.
///
/// A plugin is a process of its own; what goes wrong is a `HidraError` whose `message` says what to do. Cancelling the
/// calling task cancels the work in the daemon.
public final class TaskPlugin: Sendable {
    /// For what the plugin interface does not cover.
    public let client: HidraClient

    private init(client: HidraClient) { self.client = client }

    /// Connects to the daemon, starting it if none runs.
    ///
    /// - Parameters:
    ///   - name: the plugin's, shown by `hidra ps` and in the daemon's log.
    ///   - home: directory of the daemon's state; nil: `$HIDRA_HOME`, or the user's usual one.
    public static func connect(
        name: String, version: String, home: String? = nil, startDaemon: Bool = true,
        timeout: Duration = .seconds(10)
    ) async throws -> TaskPlugin {
        let client = try await HidraClient.connect(
            home: home.map { Home(path: $0) }, client: "\(name) \(version)", startDaemon: startDaemon,
            timeout: timeout)
        return TaskPlugin(client: client)
    }

    /// Makes sure the daemon has an encoder; fetches it if not.
    ///
    /// - Parameters:
    ///   - encoder: a name of the catalogue, or one that is registered already.
    ///   - progress: of the download; called on a thread that must not be blocked.
    /// - Returns: whether it had to be fetched.
    @discardableResult
    public func prepare(
        encoder: String, progress: @escaping @Sendable (WorkProgress) -> Void = { _ in }
    ) async throws -> Bool {
        if try await client.list().encoders.contains(where: { $0.name == encoder }) { return false }
        var request = Hidra_V1_PullRequest()
        request.source = encoder
        return try await client.pull(request) { progress(WorkProgress($0, subject: encoder)) }.fetched
    }

    /// Names of all heads there are.
    public func heads() async throws -> [String] { try await client.list().heads.map(\.name) }

    /// Uploads a data set, once for all heads that are to learn from it.
    ///
    /// - Parameters:
    ///   - columns: all of one length; labels and numbers as text.
    ///   - textColumn: the column with the texts to encode.
    public func upload(_ columns: [(name: String, values: [String])], textColumn: String) async throws -> DataSet {
        let names = columns.map(\.name)
        guard names.contains(textColumn) else {
            throw HidraError(
                .notFound, "There is no column \(textColumn); the columns are \(names.joined(separator: ", ")).",
                details: ["column": textColumn])
        }
        let name = try await client.upload(columns: columns.map { UploadColumn($0.name, $0.values) })
        return DataSet(name: name, columns: names, textColumn: textColumn, rows: columns[0].values.count)
    }

    /// Frees a data set in the daemon. What learned from it stays.
    public func discard(_ data: DataSet) async throws { try await client.dropRows(data.name) }

    /// Trains heads, one after the other, on one data set. The first has the texts encoded; the others find their
    /// features cached.
    ///
    /// - Parameters:
    ///   - encoder: name of a registered encoder.
    ///   - test: rows to measure each head on, with the same columns.
    ///   - holdout: share of the rows to measure on instead; 0: none.
    ///   - calls: what this plugin does in the daemon's place: a loss, metrics, what happens before and after the heads.
    ///   - progress: called on a thread that must not be blocked.
    /// - Returns: one result for each head, in their order. An error leaves the heads before it trained.
    public func attach(
        _ heads: [HeadSpecification], to data: DataSet, encoder: String, test: DataSet? = nil, holdout: Double = 0,
        calls: CallHandlers? = nil, progress: @escaping @Sendable (WorkProgress) -> Void = { _ in }
    ) async throws -> [TrainedHead] {
        for head in heads where !data.columns.contains(head.labelColumn) {
            throw HidraError(
                .notFound,
                "Head \(head.name) is to learn column \(head.labelColumn); the columns are "
                    + "\(data.columns.joined(separator: ", ")).", details: ["column": head.labelColumn])
        }
        var trained: [TrainedHead] = []
        for head in heads {
            let request = head.request(data: data, encoder: encoder, test: test, holdout: holdout)
            let reply = try await client.train(request, calls: calls) { progress(WorkProgress($0, subject: head.name)) }
            trained.append(TrainedHead(reply))
        }
        return trained
    }

    /// Measures a head on labelled rows.
    ///
    /// - Parameters:
    ///   - labelColumn: the column with what the head should have answered.
    ///   - columns: those a head of several inputs reads, in the order in which its inputs name them; empty: the text column.
    public func evaluate(
        _ head: String, on data: DataSet, labelColumn: String, columns: [String] = [],
        progress: @escaping @Sendable (WorkProgress) -> Void = { _ in }
    ) async throws -> Evaluation {
        var request = Hidra_V1_EvaluateRequest()
        request.head = head
        request.data = data.name
        request.inputColumn = data.textColumn
        request.inputColumns = columns
        request.labelColumn = labelColumn
        return Evaluation(try await client.evaluate(request) { progress(WorkProgress($0, subject: head)) })
    }

    /// Answers texts with several heads, one encoder pass for each encoder. Any number of texts: they are sent in parts.
    ///
    /// - Parameter top: labels for each text, best first; 0: one, or for multilabel heads all above the threshold.
    public func predict(_ texts: [String], heads: [String], top: Int = 0) async throws -> Predictions {
        try await predict(texts.count, heads) { try await client.predict(heads: heads, .texts(Array(texts[$0])), top: top) }
    }

    /// Answers rows of several texts with heads that read as many columns.
    ///
    /// - Parameter columns: all of one length, in the order in which the heads' inputs name them.
    public func predict(columns: [[String]], heads: [String], top: Int = 0) async throws -> Predictions {
        guard let rows = columns.first?.count, columns.allSatisfy({ $0.count == rows }) else {
            throw HidraError(
                .invalidArgument, "The columns have \(columns.map { String($0.count) }.joined(separator: ", ")) texts: give as many in each.")
        }
        return try await predict(rows, heads) { part in
            try await client.predict(heads: heads, columns: columns.map { Array($0[part]) }, top: top)
        }
    }

    private func predict(
        _ rows: Int, _ heads: [String], _ ask: (Range<Int>) async throws -> Hidra_V1_PredictReply
    ) async throws -> Predictions {
        var predictions = Predictions(heads: heads)
        var start = 0
        while start < rows {
            let end = min(start + max(client.limits.textsPerRequest, 1), rows)
            let reply = try await ask(start..<end)
            guard reply.inputs.count == end - start, reply.inputs.allSatisfy({ $0.heads.count == heads.count }) else {
                throw HidraError(.internalError, "hidrad answered for other texts or heads than it was asked for.")
            }
            predictions.append(reply)
            start = end
        }
        return predictions
    }

    /// Does its part for heads that were trained with `preprocess` or `postprocess`, until the task is cancelled.
    public func serve(_ heads: [String], calls: CallHandlers) async throws { try await client.serve(heads, calls: calls) }

    /// Stays connected until the daemon says goodbye, as it does to a plugin that it stops. Returns the reason.
    @discardableResult
    public func untilGoodbye() async -> String { await client.untilGone().message }

    /// Says goodbye; the daemon frees the data sets. Heads stay.
    public func close() async { await client.close() }
}
