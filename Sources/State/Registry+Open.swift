package import Foundation
import GRDB

/// What opening the registry found and did.
package struct StartupReport: Sendable {
    /// One sentence each, for the log and for `hidra doctor`.
    package var notes: [String] = []
    /// Ids of runs that a former process left running.
    package var interruptedRuns: [String] = []
    /// Bundles that were on disk without a (current) record and have been recorded.
    package var adopted: [String] = []
    /// Bundles that were damaged and where they have been moved to.
    package var quarantined: [String: URL] = [:]
    /// Names that are recorded but whose files are gone.
    package var missing: [String] = []
    /// Where a damaged `registry.sqlite` was moved to; the present one was rebuilt from the bundles.
    package var damagedRegistry: URL?
}

extension Registry {
    /// Opens the registry of a state directory and puts right what a crash, a full disk or a damaged disk left behind.
    ///
    /// 1. A damaged database is moved to quarantine; a new one takes its place.
    /// 2. Removals that were interrupted are finished; runs still "running" become "interrupted".
    /// 3. Folders and rows are compared (`Sweep`).
    ///
    /// Synchronous, for use before the services start. Costs a few milliseconds when there is nothing to repair.
    /// Fails with `unsupported` when a newer version of Hidra has written the registry.
    package static func open(_ directory: StateDirectory) throws -> (registry: Registry, report: StartupReport) {
        var report = StartupReport(notes: directory.repairs)
        do {
            let database = try openDatabase(directory, &report)
            let registry = Registry(directory, database)
            try registry.finishRemovals()
            report.interruptedRuns = try registry.markInterrupted()
            if !report.interruptedRuns.isEmpty {
                report.notes.append("Marked as interrupted: \(report.interruptedRuns.joined(separator: ", ")).")
            }
            var sweep = Sweep(registry: registry, report: report)
            try sweep.run()
            return (registry, sweep.report)
        } catch {
            throw WorkbenchError.wrapping(error, while: "opening the registry", at: directory.root)
        }
    }

    private static func openDatabase(_ directory: StateDirectory, _ report: inout StartupReport) throws -> DatabasePool
    {
        let log = directory.registry.path + "-wal"
        let crashed = FileSystem.exists(URL(fileURLWithPath: log))
        do {
            return try openChecked(directory.registry, afterCrash: crashed)
        } catch let error as DatabaseError where [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode) {
            let place = try quarantineDatabase(directory)
            report.damagedRegistry = place
            report.notes.append(
                "The registry was damaged (\(error.message ?? "\(error.resultCode)")) and has been moved to "
                    + "\(place.path). Encoders and heads are registered anew from their folders; the list of past "
                    + "runs starts empty.")
            return try openChecked(directory.registry, afterCrash: false)
        }
    }

    private static func openChecked(_ url: URL, afterCrash: Bool) throws -> DatabasePool {
        let pool = try RegistrySchema.open(url)
        do {
            if let damage = try RegistrySchema.damage(pool, afterCrash: afterCrash) {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: damage)
            }
            let migrator = RegistrySchema.migrator
            guard try !pool.read(migrator.hasBeenSuperseded) else {
                throw WorkbenchError(
                    .unsupported,
                    "\(url.path) was written by a newer version of Hidra. Install that version, or set HIDRA_HOME to "
                        + "another folder.")
            }
            try migrator.migrate(pool)
            return pool
        } catch {
            try pool.closeAndCheckpoint()
            throw error
        }
    }

    /// Moves the database and its journals into one quarantine folder.
    private static func quarantineDatabase(_ directory: StateDirectory) throws -> URL {
        let folder = directory.staging.appendingPathComponent("registry.sqlite", isDirectory: true)
        try FileSystem.makeFolder(folder)
        for suffix in ["", "-wal", "-shm"] {
            let file = URL(fileURLWithPath: directory.registry.path + suffix)
            guard FileSystem.exists(file) else { continue }
            try FileSystem.rename(file, to: folder.appendingPathComponent(file.lastPathComponent))
        }
        return try directory.quarantine(folder)
    }
}
