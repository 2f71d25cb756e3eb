import Dispatch
import Foundation
import GRDB
import Synchronization

/// The memory of the workbench: encoders, heads, runs and their metrics, in `registry.sqlite` and in bundles on disk.
///
/// Ownership: everything that changes bundles runs, one after another, on `bundles`, an own serial queue; so a folder
/// and its row change together. GRDB serialises the writes to the database and runs them on its own queue. Nothing
/// here blocks Swift's cooperative threads. Writes are not abandoned when the calling task is cancelled: a run's last
/// state must be recorded precisely then.
package final class Registry: Sendable {
    package let directory: StateDirectory
    let database: DatabasePool
    private let bundles = DispatchQueue(label: "hidra.registry.bundles")
    private let changes = Atomic<UInt64>(0)

    /// Rises whenever encoders or heads may have changed: what was looked up before and has this number is still true.
    package var generation: UInt64 { changes.load(ordering: .acquiring) }

    init(_ directory: StateDirectory, _ database: DatabasePool) {
        self.directory = directory
        self.database = database
    }

    /// Closes the database; later calls fail.
    package func close() throws {
        do {
            try bundles.sync { try database.closeAndCheckpoint() }
        } catch {
            throw wrapping(error, "closing the registry")
        }
    }

    func wrapping(_ error: any Error, _ action: String) -> WorkbenchError {
        WorkbenchError.wrapping(error, while: action, at: directory.root)
    }

    /// Reads from a snapshot, never waiting for a writer.
    func read<Value: Sendable>(
        _ action: String, _ body: @Sendable (Database) throws -> Value
    ) async throws -> Value {
        do {
            return try await database.read(body)
        } catch {
            throw wrapping(error, action)
        }
    }

    /// Writes in one transaction, to its end even when the calling task is cancelled.
    func write<Value: Sendable>(
        _ action: String, _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        do {
            return try await withCheckedThrowingContinuation { continuation in
                database.asyncWrite(body) { _, result in continuation.resume(with: result) }
            }
        } catch {
            throw wrapping(error, action)
        }
    }

    /// Runs file work, and the transactions that belong to it, on the queue that owns the bundles.
    func withBundles<Value: Sendable>(
        _ action: String, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        do {
            return try await withCheckedThrowingContinuation { continuation in
                bundles.async { [self] in
                    let result = Result(catching: body)
                    changes.add(1, ordering: .releasing)
                    continuation.resume(with: result)
                }
            }
        } catch {
            throw wrapping(error, action)
        }
    }
}

/// What `show NAME` can find.
package enum RegistryItem: Hashable, Sendable {
    case encoder(EncoderRecord)
    case head(HeadRecord)
    case run(RunRecord)
}

extension DatabasePool {
    /// Closes the readers first, so that the writer is the last to leave and moves the write-ahead log into the
    /// database: then no log is left, and the next start sees that this one ended in good order.
    func closeAndCheckpoint() throws {
        invalidateReadOnlyConnections()
        try close()
    }
}

extension Registry {
    /// Finds an encoder, a head or a run. Fails with `notFound` and the nearest name there is.
    package func item(named name: String) async throws -> RegistryItem {
        try await read("looking up '\(name)'") { db in
            if let encoder = try EncoderRecord.fetch(db, named: name) { return .encoder(encoder) }
            if let head = try HeadRecord.fetch(db, named: name) { return .head(head) }
            if let run = try RunRecord.fetch(db, id: name) { return .run(run) }
            throw try Registry.notFound(name, "encoder, head or run", among: nil, db)
        }
    }

    /// Fails with `invalidArgument` or `alreadyExists` when a new head could not take this name: asked before a run,
    /// so that an hour of training does not end in a name clash.
    package func requireHeadName(_ name: String, replacing: Bool) async throws {
        try BundleName.validate(name)
        try await read("checking the name '\(name)'") { db in
            try Registry.requireHeadName(name, replacing: replacing, db)
        }
    }

    static func requireHeadName(_ name: String, replacing: Bool, _ db: Database) throws {
        try BundleKind.head.requireNoOtherKind(name, db)
        guard !replacing, try BundleKind.of(name, db) == .head else { return }
        throw WorkbenchError(
            .alreadyExists,
            "There is already a head '\(name)'. Choose another name, replace it, or remove it with `hidra rm \(name)`.",
            details: ["name": name, "kind": "head"])
    }

    /// The error for a name that is not there, with the nearest one that is (`details["suggestion"]`).
    static func notFound(
        _ name: String, _ what: String, among kind: BundleKind?, _ db: Database
    ) throws -> WorkbenchError {
        if let kind, let other = try BundleKind.of(name, db), other != kind {
            return WorkbenchError(
                .notFound, "'\(name)' is \(other.article) \(other.rawValue), not \(kind.article) \(kind.rawValue).",
                details: ["name": name, "kind": other.rawValue])
        }
        let names = try String.fetchAll(
            db, sql: "SELECT name FROM name WHERE kind = ? OR ? IS NULL ORDER BY name",
            arguments: [kind?.rawValue, kind?.rawValue])
        var details = ["name": name]
        var message = "There is no \(what) '\(name)'."
        if let suggestion = NameSuggestion.nearest(to: name, among: names) {
            details["suggestion"] = suggestion
            message += " Did you mean '\(suggestion)'?"
        } else if names.isEmpty, kind == .encoder {
            message += " None is registered yet: fetch one with `hidra pull minilm`."
        } else if names.isEmpty {
            message += " None is registered yet."
        } else {
            message += " `hidra ls` lists what there is."
        }
        return WorkbenchError(.notFound, message, details: details)
    }
}
