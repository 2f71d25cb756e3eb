import Foundation
import GRDB

extension Registry {
    /// Runs that are kept; the oldest beyond them are forgotten when another begins.
    package static let keptRuns = 1_000

    /// Records the start of a run and gives it an id.
    package func beginRun(
        head: String, encoder: String, configuration: String, provenance: RunProvenance? = nil
    ) async throws -> RunRecord {
        let (run, pruned) = try await write("recording the start of a run") { db in
            var run = RunRecord(
                id: Self.runID(), head: head, encoder: encoder, state: .running, started: Date().timeIntervalSince1970,
                configuration: configuration, provenance: provenance)
            while try RunRecord.fetch(db, id: run.id) != nil { run.id = Self.runID() }
            try run.insert(db)
            return (run, try Self.prune(db))
        }
        if pruned { try await withBundles("forgetting old runs") { [self] in _ = try finishRemovals() } }
        return run
    }

    /// Records how a run ended. A run that has already ended keeps its first end. Fails with `notFound`.
    @discardableResult
    package func finishRun(
        _ id: String, state: RunRecord.State, metrics: [String: Double] = [:], message: String = "",
        seconds: [String: Double] = [:], coreSeconds: Double? = nil
    ) async throws -> RunRecord {
        precondition(state != .running, "finishRun(\(id)) needs the state the run ended in")
        return try await write("recording the end of run '\(id)'") { db in
            try db.execute(
                sql: """
                    UPDATE run SET state = ?, ended = ?, metrics = ?, message = ?, seconds = ?
                    WHERE id = ? AND state = 'running'
                    """,
                arguments: [
                    state.rawValue, Date().timeIntervalSince1970, StateJSON.text(metrics), message,
                    StateJSON.text(seconds), id,
                ])
            guard var run = try RunRecord.fetch(db, id: id) else { throw Self.noRun(id) }
            if let coreSeconds, run.provenance != nil {
                // In parts when a run was interrupted and went on.
                run.provenance?.coreSeconds += coreSeconds
                try db.execute(
                    sql: "UPDATE run SET provenance = ? WHERE id = ?",
                    arguments: [run.provenance.map { try StateJSON.text($0) }, id])
            }
            return run
        }
    }

    /// Replaces what is written of a run's configuration, when more of it is known than at its start. Fails with `notFound`.
    package func describeRun(_ id: String, configuration: String) async throws {
        try await write("describing run '\(id)'") { db in
            try db.execute(sql: "UPDATE run SET configuration = ? WHERE id = ?", arguments: [configuration, id])
            if db.changesCount == 0 { throw Self.noRun(id) }
        }
    }

    /// Records a run of another home, e.g. that of an imported head. Does nothing when there is one of this id.
    package func addRun(_ run: RunRecord, metrics: [MetricRecord]) async throws {
        precondition(run.state != .running, "run \(run.id) of another home is in progress")
        let isNew = try await write("recording run '\(run.id)'") { db in
            guard try RunRecord.fetch(db, id: run.id) == nil else { return false }
            try run.insert(db)
            return true
        }
        if isNew { try await addMetrics(metrics) }
    }

    /// A run that was interrupted goes on. One that runs already is left as it is.
    ///
    /// Fails with `notFound`, or `conflict` when it has ended otherwise.
    package func resumeRun(_ id: String) async throws -> RunRecord {
        try await write("resuming run '\(id)'") { db in
            try db.execute(
                sql: "UPDATE run SET state = 'running', ended = NULL, message = '' WHERE id = ? AND state = 'interrupted'",
                arguments: [id])
            guard let run = try RunRecord.fetch(db, id: id) else { throw Self.noRun(id) }
            guard run.state == .running else {
                throw WorkbenchError(
                    .conflict, "Run '\(id)' has ended (\(run.state.rawValue)); it cannot go on.", details: ["name": id])
            }
            return run
        }
    }

    /// Appends metrics in one transaction; a value recorded again for the same step replaces the former one.
    /// Fails with `notFound` when a run is unknown; then nothing of the batch is kept.
    package func addMetrics(_ batch: [MetricRecord]) async throws {
        guard !batch.isEmpty else { return }
        try await write("recording metrics") { db in
            try Self.addMetrics(batch, db)
        }
    }

    static func addMetrics(_ batch: [MetricRecord], _ db: Database) throws {
        let insert = try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO metric (run, step, name, value) VALUES (?, ?, ?, ?)")
        var sequences: [String: Int64] = [:]
        for metric in batch {
            var sequence = sequences[metric.run]
            if sequence == nil {
                sequence = try Int64.fetchOne(
                    db, sql: "SELECT sequence FROM run WHERE id = ?", arguments: [metric.run])
                guard sequence != nil else { throw Self.noRun(metric.run) }
                sequences[metric.run] = sequence
            }
            try insert.execute(arguments: [
                sequence, metric.step, metric.name, metric.value.isNaN ? nil : metric.value,
            ])
        }
    }

    /// Metrics of a run, by step, then by name. Fails with `notFound`.
    package func history(run id: String) async throws -> [MetricRecord] {
        try await read("reading the metrics of run '\(id)'") { db in
            let sequence = try Int64.fetchOne(db, sql: "SELECT sequence FROM run WHERE id = ?", arguments: [id])
            guard let sequence else { throw Self.noRun(id) }
            let rows = try Row.fetchCursor(
                db, sql: "SELECT step, name, value FROM metric WHERE run = ? ORDER BY step, name",
                arguments: [sequence])
            return try Array(
                rows.map { MetricRecord(run: id, step: $0[0], name: $0[1], value: ($0[2] as Double?) ?? .nan) })
        }
    }

    package func run(_ id: String) async throws -> RunRecord {
        try await read("looking up run '\(id)'") { db in
            guard let run = try RunRecord.fetch(db, id: id) else { throw Self.noRun(id) }
            return run
        }
    }

    /// Runs, the latest first.
    package func runs(limit: Int = keptRuns) async throws -> [RunRecord] {
        try await read("listing the runs") { db in
            try Row.fetchAll(db, sql: "SELECT * FROM run ORDER BY sequence DESC LIMIT ?", arguments: [limit])
                .map(RunRecord.init)
        }
    }

    /// Forgets a run that has ended, its metrics and its files; the head it made stays.
    package func removeRun(_ id: String) async throws -> Removal {
        try await withBundles("removing run '\(id)'") { [self] in
            try database.write { db in
                guard let run = try RunRecord.fetch(db, id: id) else { throw Self.noRun(id) }
                guard run.state != .running else {
                    throw WorkbenchError(
                        .invalidArgument, "Run '\(id)' is in progress. Cancel it before removing it.",
                        details: ["name": id])
                }
                try Self.forget(id, db)
            }
            return Removal(names: [id], bytesFreed: try finishRemovals(), weightsDigests: [])
        }
    }

    /// Turns runs that a former process left "running" into "interrupted". Returns their ids.
    func markInterrupted() throws -> [String] {
        try database.write { db in
            let ids = try String.fetchAll(db, sql: "SELECT id FROM run WHERE state = 'running' ORDER BY sequence")
            guard !ids.isEmpty else { return [] }
            try db.execute(
                sql: "UPDATE run SET state = 'interrupted', ended = ?, message = ? WHERE state = 'running'",
                arguments: [
                    Date().timeIntervalSince1970,
                    "The daemon stopped while this run was in progress. Start it again; cached features are reused.",
                ])
            return ids
        }
    }

    /// Forgets the oldest runs beyond `keptRuns`, their metrics with them, and lists their folders for deletion.
    private static func prune(_ db: Database) throws -> Bool {
        let old = try String.fetchAll(
            db,
            sql: "SELECT id FROM run WHERE state <> 'running' ORDER BY sequence DESC LIMIT -1 OFFSET ?",
            arguments: [keptRuns])
        for id in old { try forget(id, db) }
        return !old.isEmpty
    }

    private static func forget(_ id: String, _ db: Database) throws {
        try db.execute(sql: "DELETE FROM run WHERE id = ?", arguments: [id])
        try scheduleRemoval(.runs, id, db)
    }

    private static func noRun(_ id: String) -> WorkbenchError {
        WorkbenchError(
            .notFound, "There is no run '\(id)'. `hidra ls` lists the runs that are kept.", details: ["name": id])
    }

    private static func runID() -> String {
        let digits = String(UInt32.random(in: .min ... .max), radix: 16)
        return "run-" + String(repeating: "0", count: 8 - digits.count) + digits
    }
}
