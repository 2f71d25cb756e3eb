import Dispatch
package import Foundation
import GRDB

extension Registry {
    /// Records a session whose folder is staged: the folder first, then the row.
    ///
    /// Fails with `alreadyExists` when there is a session of this name.
    @discardableResult
    package func addSession(_ record: SessionRecord, staged: URL) async throws -> SessionRecord {
        try BundleName.validate(record.name)
        return try await withBundles("recording session '\(record.name)'") { [self] in
            try database.read { db in
                guard let present = try SessionRecord.fetch(db, named: record.name) else { return }
                throw WorkbenchError(
                    .alreadyExists,
                    "There is already a session '\(present.name)' (\(present.state.rawValue)). Name this one otherwise, or forget the other "
                        + "with `hidra session rm \(present.name)`.", details: ["name": present.name, "state": present.state.rawValue])
            }
            let installation = try directory.beginInstall(staged: staged, on: .sessions, as: record.id)
            do {
                try database.write { db in
                    try record.save(db)
                    try SessionRecord.note("started", "", session: record.id, at: record.created, db)
                }
            } catch {
                try installation.rollBack()
                throw error
            }
            try installation.commit()
            return record
        }
    }

    /// The session of this name. Fails with `notFound` and a suggestion.
    package func session(named name: String) async throws -> SessionRecord {
        try await read("looking up session '\(name)'") { db in
            guard let record = try SessionRecord.fetch(db, named: name) else { throw try Self.noSession(name, db) }
            return record
        }
    }

    /// The latest first.
    package func sessions() async throws -> [SessionRecord] {
        try await read("listing the sessions", SessionRecord.fetchAll)
    }

    /// What happened to a session, in order.
    package func history(session id: String) async throws -> [SessionEventRecord] {
        try await read("reading the history of session '\(id)'") { db in
            try Row.fetchAll(
                db, sql: "SELECT time, name, message FROM sessionEvent WHERE session = ? ORDER BY sequence", arguments: [id]
            ).map { SessionEventRecord(time: $0["time"], name: $0["name"], message: $0["message"]) }
        }
    }

    /// Changes a session's record in one transaction, and notes what happened.
    ///
    /// - Parameter event: for the history; nil: nothing worth noting.
    @discardableResult
    package func updateSession(
        _ name: String, event: String? = nil, _ change: @escaping @Sendable (inout SessionRecord) throws -> Void
    ) async throws -> SessionRecord {
        try await write("recording the state of session '\(name)'") { db in
            guard var record = try SessionRecord.fetch(db, named: name) else { throw try Self.noSession(name, db) }
            try change(&record)
            record.updated = Date().timeIntervalSince1970
            if record.state.hasEnded, record.ended == nil { record.ended = record.updated }
            try record.save(db)
            if let event { try SessionRecord.note(event, record.message, session: record.id, at: record.updated, db) }
            return record
        }
    }

    /// Makes a checkpoint durable: the file beside the former one, synced and renamed, then the record that points to it. Whatever happens in
    /// between, the record points to a whole file.
    package func saveCheckpoint(
        _ state: Data, step: Int, session name: String, _ change: @escaping @Sendable (inout SessionRecord) -> Void
    ) async throws {
        let record = try await session(named: name), folder = folder(of: record)
        let file = "checkpoint-\(step)-\(UInt32.random(in: .min ... .max)).safetensors", url = folder.appendingPathComponent(file)
        let checkpoint = try await withFiles("writing a checkpoint of session '\(name)'") {
            let part = folder.appendingPathComponent(".\(file)")
            try FileSystem.write(state, to: part)
            try FileSystem.rename(part, to: url)
            return SessionRecord.Checkpoint(file: file, sha256: SHA256Digest(of: state).hex, step: step)
        }
        try await updateSession(name) { record in
            record.checkpoint = checkpoint
            record.step = step
            change(&record)
        }
        let former = record.checkpoint?.file
        try await withFiles("removing old checkpoints of session '\(name)'") {
            // The one before stays: should the disk lose the record's last change, it points there.
            for other in try FileSystem.names(in: folder) where other.contains("checkpoint-") && other != file && other != former {
                try FileSystem.remove(folder.appendingPathComponent(other))
            }
        }
    }

    /// Blocking work with files that belong to one owner alone.
    private func withFiles<Value: Sendable>(_ action: String, _ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        do {
            return try await withCheckedThrowingContinuation { continuation in
                DispatchQueue.global(qos: .utility).async { continuation.resume(with: Result(catching: body)) }
            }
        } catch {
            throw wrapping(error, action)
        }
    }

    /// Registers all that a session has made, and its end, in one transaction: after a crash at any point either all of it is there, or the
    /// session still runs and registers again.
    package func finishSession(_ name: String, _ products: SessionProducts) async throws -> SessionRecord {
        try await withBundles("registering what session '\(name)' has made") { [self] in
            guard let record = try database.read({ try SessionRecord.fetch($0, named: name) }) else {
                throw try database.read { try Self.noSession(name, $0) }
            }
            try database.read { try products.requireRoom($0) }
            var installations: [Installation] = []
            do {
                for product in products.bundles {
                    try product.manifest.write(to: product.staged)
                    installations.append(
                        try directory.beginInstall(staged: product.staged, on: product.kind.shelf, as: product.manifest.name))
                }
                let finished = try database.write { db in
                    for product in products.bundles {
                        switch product.manifest.record {
                        case .encoder(let encoder): try encoder.save(db)
                        case .head(let head): try head.save(db)
                        }
                    }
                    for run in products.runs where try RunRecord.fetch(db, id: run.id) == nil { try run.insert(db) }
                    try Self.addMetrics(products.metrics, db)
                    var finished = record
                    finished.state = .finished
                    finished.message = ""
                    finished.results = products.results
                    finished.step = products.step
                    (finished.seconds, finished.coreSeconds) = (products.seconds, products.coreSeconds)
                    let now = Date().timeIntervalSince1970
                    (finished.updated, finished.ended) = (now, now)
                    try finished.save(db)
                    try SessionRecord.note("finished", "", session: record.id, at: now, db)
                    return finished
                }
                for installation in installations { try installation.commit() }
                return finished
            } catch {
                for installation in installations.reversed() { try installation.rollBack() }
                throw error
            }
        }
    }

    /// Forgets a session that does not run; the folder goes with it, what it made stays.
    package func removeSession(_ name: String) async throws -> Removal {
        try await withBundles("removing session '\(name)'") { [self] in
            try database.write { db in
                guard let record = try SessionRecord.fetch(db, named: name) else { throw try Self.noSession(name, db) }
                guard record.state != .running else {
                    throw WorkbenchError(
                        .conflict, "Session '\(name)' is running. Cancel it first: `hidra session cancel \(name)`.",
                        details: ["name": name])
                }
                try db.execute(sql: "DELETE FROM session WHERE name = ?", arguments: [name])
                try db.execute(sql: "DELETE FROM sessionEvent WHERE session = ?", arguments: [record.id])
                try Self.scheduleRemoval(.sessions, record.id, db)
            }
            return Removal(names: [name], bytesFreed: try finishRemovals(), weightsDigests: [])
        }
    }

    /// Where the files of a session lie.
    package func folder(of session: SessionRecord) -> URL { directory.folder(.sessions, session.id) }

    package static func newSessionID() -> String { "session-" + hexadecimal() }
    package static func newRunID() -> String { "run-" + hexadecimal() }

    private static func hexadecimal() -> String {
        let digits = String(UInt32.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    private static func noSession(_ name: String, _ db: Database) throws -> WorkbenchError {
        let names = try String.fetchAll(db, sql: "SELECT name FROM session ORDER BY name")
        let guess = NameSuggestion.nearest(to: name, among: names)
        return WorkbenchError(
            .notFound,
            "There is no session '\(name)'." + (guess.map { " Did you mean '\($0)'?" } ?? "") + " `hidra session ls` lists them.",
            details: ["name": name].merging(guess.map { ["suggestion": $0] } ?? [:]) { $1 })
    }
}

/// All that a session has made.
package struct SessionProducts: Sendable {
    package struct Bundle: Sendable {
        let manifest: BundleManifest
        let staged: URL
        let kind: BundleKind
    }

    /// An encoder before the heads that read it.
    package private(set) var bundles: [Bundle] = []
    /// Whether heads of these names give way.
    package var replace = false
    package var runs: [RunRecord] = []
    package var metrics: [MetricRecord] = []
    package var results: [String: SessionRecord.HeadResult] = [:]
    package var step = 0
    package var seconds = 0.0, coreSeconds = 0.0

    package init() {}

    /// Somebody else may have taken a name since the session started; what the session itself has left, before a crash, is no obstacle.
    fileprivate func requireRoom(_ db: Database) throws {
        for bundle in bundles {
            let isTaken: Bool
            switch bundle.manifest.record {
            case .head(let head): isTaken = try HeadRecord.fetch(db, named: head.name).map { $0.run != head.run && !replace } ?? false
            case .encoder(let encoder):
                isTaken = try EncoderRecord.fetch(db, named: encoder.name).map { $0.source != encoder.source } ?? false
            }
            try bundle.kind.requireNoOtherKind(bundle.manifest.name, db)
            guard isTaken else { continue }
            let name = bundle.manifest.name
            throw WorkbenchError(
                .alreadyExists,
                "Meanwhile another \(bundle.kind.rawValue) '\(name)' was registered. Remove it with `hidra rm \(name)`, then go on with "
                    + "`hidra session resume`.", details: ["name": name])
        }
    }

    /// Digests the files of a staged folder.
    package mutating func add(_ head: HeadRecord, staged: URL) throws {
        var head = head
        head.files = try BundleFile.list(staged)
        bundles.append(Bundle(manifest: BundleManifest(.head(head)), staged: staged, kind: .head))
    }

    package mutating func add(_ encoder: EncoderRecord, staged: URL) throws {
        var encoder = encoder
        encoder.files = try BundleFile.list(staged)
        encoder.bytes = encoder.files.reduce(0) { $0 + $1.bytes }
        bundles.insert(Bundle(manifest: BundleManifest(.encoder(encoder)), staged: staged, kind: .encoder), at: 0)
    }
}
