import GRDB

/// A session: several heads that are trained together, from its start to whatever ended it.
package struct SessionRecord: Codable, Hashable, Sendable {
    package enum State: String, Codable, Sendable, CaseIterable {
        /// Goes on by itself when the daemon starts anew.
        case running
        /// Goes on when somebody says so.
        case paused
        case finished, failed, cancelled

        package var hasEnded: Bool { self != .running && self != .paused }
    }

    /// A file of the session's folder that holds everything the rest of the training depends on.
    package struct Checkpoint: Codable, Hashable, Sendable {
        package var file: String
        package var sha256: String
        package var step: Int

        package init(file: String, sha256: String, step: Int) {
            (self.file, self.sha256, self.step) = (file, sha256, step)
        }
    }

    /// A file that the document names, and the session's copy of its rows.
    package struct DataFile: Codable, Hashable, Sendable {
        /// As the document names it.
        package var path: String
        /// Where it was; empty: not known.
        package var origin: String
        /// SHA-256 of its bytes, as the client said, and of the copy.
        package var fileDigest: String, copyDigest: String
        /// Of the session's folder.
        package var copy: String
        package var rows: Int

        package init(path: String, origin: String, fileDigest: String, copyDigest: String, copy: String, rows: Int) {
            self.path = path
            self.origin = origin
            self.fileDigest = fileDigest
            self.copyDigest = copyDigest
            self.copy = copy
            self.rows = rows
        }
    }

    /// What a head came to.
    package struct HeadResult: Codable, Hashable, Sendable {
        package var digest: String
        package var metrics: [String: Double]
        package var bestEpoch: Int

        package init(digest: String, metrics: [String: Double], bestEpoch: Int) {
            (self.digest, self.metrics, self.bestEpoch) = (digest, metrics, bestEpoch)
        }
    }

    package var name: String
    /// "session-" and eight hexadecimal digits; the name of its folder.
    package var id: String
    package var state: State
    /// Why it is paused or has failed.
    package var message = ""
    package var document: String
    /// Seconds since 1970.
    package var created: Double, updated: Double
    package var ended: Double?
    package var step = 0, totalSteps = 0
    /// Of computing, without pauses, up to the last checkpoint.
    package var seconds = 0.0, coreSeconds = 0.0
    /// What of them had been used when somebody last let it go on: budgets count from there.
    package var grantedSeconds = 0.0, grantedCoreSeconds = 0.0
    package var checkpoint: Checkpoint?
    /// Head → its labels, in the order of its outputs, once they are known.
    package var labels: [String: [String]] = [:]
    package var data: [DataFile]
    /// Encoder → digest of its weights when the session started.
    package var encoders: [String: String]
    package var versions: [String: String]
    /// Head → its run, chosen at the start so that registering can be repeated.
    package var runs: [String: String]
    package var results: [String: HeadResult] = [:]
    /// Who may control it: the key that started it; nil: a client of this machine.
    package var owner: String?

    package init(
        name: String, id: String, state: State, document: String, created: Double, data: [DataFile], encoders: [String: String],
        versions: [String: String], runs: [String: String], owner: String? = nil
    ) {
        self.name = name
        self.id = id
        self.state = state
        self.document = document
        (self.created, self.updated) = (created, created)
        self.data = data
        self.encoders = encoders
        self.versions = versions
        self.runs = runs
        self.owner = owner
    }
}

/// Something that happened to a session.
package struct SessionEventRecord: Hashable, Sendable {
    package var time: Double
    /// "started", "resumed", "paused", "interrupted", "finished", "failed" or "cancelled".
    package var name: String
    package var message: String
}

extension SessionRecord {
    /// The record travels as JSON in one column; what is looked for has columns of its own.
    func save(_ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO session (name, id, state, created, record) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET id = excluded.id, state = excluded.state, created = excluded.created,
                    record = excluded.record
                """, arguments: [name, id, state.rawValue, created, StateJSON.text(self)])
    }

    static func fetch(_ db: Database, named name: String) throws -> SessionRecord? {
        try String.fetchOne(db, sql: "SELECT record FROM session WHERE name = ?", arguments: [name])
            .map { try StateJSON.value(SessionRecord.self, $0) }
    }

    static func fetchAll(_ db: Database) throws -> [SessionRecord] {
        try String.fetchAll(db, sql: "SELECT record FROM session ORDER BY created DESC, name")
            .map { try StateJSON.value(SessionRecord.self, $0) }
    }

    static func note(_ event: String, _ message: String, session id: String, at time: Double, _ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO sessionEvent (session, time, name, message) VALUES (?, ?, ?, ?)",
            arguments: [id, time, event, message])
    }
}
