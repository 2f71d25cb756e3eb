import GRDB

/// One training run, from its start to whatever ended it.
package struct RunRecord: Codable, Hashable, Sendable {
    package enum State: String, Codable, Sendable, CaseIterable {
        case running, finished, failed, cancelled, interrupted
    }

    /// "run-" and eight hexadecimal digits.
    package var id: String
    package var head: String
    package var encoder: String
    package var state: State
    /// Seconds since 1970.
    package var started: Double
    /// Seconds since 1970; nil while running.
    package var ended: Double?
    package var metrics: [String: Double]
    /// Why it failed or was interrupted.
    package var message: String
    /// Phase → seconds, e.g. "extracting features" → 25.1.
    package var seconds: [String: Double]
    /// Complete configuration, JSON.
    package var configuration: String
    /// nil for runs of versions that did not keep it.
    package var provenance: RunProvenance?

    package init(
        id: String, head: String, encoder: String, state: State, started: Double, ended: Double? = nil,
        metrics: [String: Double] = [:], message: String = "", seconds: [String: Double] = [:], configuration: String,
        provenance: RunProvenance? = nil
    ) {
        self.id = id
        self.head = head
        self.encoder = encoder
        self.state = state
        self.started = started
        self.ended = ended
        self.metrics = metrics
        self.message = message
        self.seconds = seconds
        self.configuration = configuration
        self.provenance = provenance
    }
}

/// One value a run recorded at one step. NaN and infinities are kept.
package struct MetricRecord: Hashable, Sendable {
    package var run: String
    package var step: Int
    package var name: String
    package var value: Double

    package init(run: String, step: Int, name: String, value: Double) {
        self.run = run
        self.step = step
        self.name = name
        self.value = value
    }
}

extension RunRecord {
    func insert(_ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO run (id, head, encoder, state, started, ended, metrics, message, seconds, configuration, provenance)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                id, head, encoder, state.rawValue, started, ended, StateJSON.text(metrics), message,
                StateJSON.text(seconds), configuration, provenance.map { try StateJSON.text($0) },
            ])
    }

    init(row: Row) throws {
        let state: String = row["state"]
        guard let known = State(rawValue: state) else {
            throw WorkbenchError(.corrupt, "Run \(row["id"] as String) has the unknown state '\(state)'.")
        }
        self.init(
            id: row["id"], head: row["head"], encoder: row["encoder"], state: known, started: row["started"],
            ended: row["ended"], metrics: try StateJSON.value([String: Double].self, row["metrics"]),
            message: row["message"], seconds: try StateJSON.value([String: Double].self, row["seconds"]),
            configuration: row["configuration"],
            provenance: try (row["provenance"] as String?).map { try StateJSON.value(RunProvenance.self, $0) })
    }

    static func fetch(_ db: Database, id: String) throws -> RunRecord? {
        try Row.fetchOne(db, sql: "SELECT * FROM run WHERE id = ?", arguments: [id]).map(RunRecord.init)
    }
}
