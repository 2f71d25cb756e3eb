package import Foundation
import GRDB
import Synchronization

/// Features that have been computed once: (space, input digest) → float32 vector, token count, truncation flag.
///
/// Content-addressed, on disk, bounded, shared by heads, runs and restarts. It is only a cache: the file may be deleted
/// whenever no daemon runs, a damaged file is replaced by an empty one, a damaged row is a miss.
///
/// Synchronous and thread-safe: reads run side by side with one writer (SQLite's WAL). Call it from an owned thread,
/// never from Swift's cooperative pool. `insert` may fail with `diskFull`; the caller's work need not fail with it.
package final class FeatureCache: Sendable {
    package static let defaultLimit = 4 << 30

    package struct Statistics: Hashable, Sendable {
        package var rows: Int
        /// Of the database file, without its journal (at most a few MB).
        package var bytes: Int
        package var limit: Int
        package var spaces: Int
        /// Since this object was made.
        package var hits: Int
        package var misses: Int
    }

    struct State {
        /// nil after a failure that left no usable file; then every lookup misses and every insert is dropped.
        var pool: DatabasePool?
        /// Calls that use `pool` at this moment. The file is replaced, or closed, when the last of them has left: a
        /// connection that closes late would delete the journal of the new file, which has the same name.
        var users = 0
        var replacement: Replacement?
        var isClosing = false
        /// Ids of known spaces, by key.
        var spaces: [String: Int64] = [:]
        /// The cache's clock, and the segments used since it was last written down.
        var tick: Int64 = 0
        var touched: [Int64: Int64] = [:]
        var hits = 0
        var misses = 0
    }

    /// Why the file is to be replaced by an empty one.
    enum Replacement {
        case damaged(String)
        case emptied
    }

    let url: URL
    package let limit: Int
    let state: Mutex<State>
    private let note: @Sendable (String) -> Void

    /// Opens or creates the file; one that is damaged, or of another version, is replaced by an empty one.
    ///
    /// - parameter limit: Largest size of the file in bytes; least recently used segments make room.
    /// - parameter note: Called with one sentence for the log when the file had to be replaced.
    package init(
        at url: URL, limit: Int = defaultLimit, note: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        self.url = url
        self.limit = limit
        self.note = note
        do {
            var opened: State
            do {
                opened = try Self.open(url)
            } catch let error as DatabaseError where Self.meansDamage(error) {
                note("The feature cache was damaged (\(error.message ?? "unreadable")) and starts empty.")
                try Self.delete(url)
                opened = try Self.open(url)
            }
            state = Mutex(opened)
        } catch {
            throw WorkbenchError.wrapping(
                error, while: "opening the feature cache", at: url.deletingLastPathComponent())
        }
    }

    /// Writes down what was used last and closes the file, as soon as the calls in progress are done; later ones miss.
    package func close() throws {
        try flush()
        do {
            try state.withLock { state in
                state.isClosing = true
                if state.users == 0 { try Self.close(&state) }
            }
        } catch {
            throw wrapping(error, "closing the feature cache")
        }
    }

    private static func close(_ state: inout State) throws {
        try state.pool?.closeAndCheckpoint()
        state.pool = nil
    }

    package func statistics() throws -> Statistics {
        let counts = try access("measuring the feature cache") { pool in
            try pool.read { db in
                (
                    rows: try Int.fetchOne(db, sql: "SELECT sum(rows) FROM segment") ?? 0,
                    bytes: try Self.pages(db).total * FeatureSchema.pageSize
                )
            }
        }
        return state.withLock { state in
            Statistics(
                rows: counts?.rows ?? 0, bytes: counts?.bytes ?? 0, limit: limit, spaces: state.spaces.count,
                hits: state.hits, misses: state.misses)
        }
    }

    /// Runs `body` on the open database; nil when there is none, or when the database turned out to be damaged, which
    /// is repaired here: for the caller it is an empty cache.
    func access<Value>(_ action: String, _ body: (DatabasePool) throws -> Value) throws -> Value? {
        let pool = state.withLock { state -> DatabasePool? in
            guard let pool = state.pool, state.replacement == nil, !state.isClosing else { return nil }
            state.users += 1
            return pool
        }
        guard let pool else { return nil }
        defer { leave() }
        do {
            return try body(pool)
        } catch let error as DatabaseError where Self.meansDamage(error) {
            state.withLock { $0.replacement = .damaged(error.message ?? "unreadable") }
            return nil
        } catch {
            throw wrapping(error, action)
        }
    }

    private func leave() {
        let outcome = state.withLock { state -> String? in
            state.users -= 1
            guard state.users == 0 else { return nil }
            if let reason = state.replacement { return replace(&state, reason) }
            guard state.isClosing else { return nil }
            do {
                try Self.close(&state)
                return nil
            } catch {
                return "The feature cache could not be closed: \(error)."
            }
        }
        if let outcome { note(outcome) }
    }

    /// Replaces the file by an empty one; without success the cache stays closed until the next start.
    private func replace(_ state: inout State, _ reason: Replacement) -> String? {
        do {
            try Self.close(&state)
            try Self.delete(url)
            var empty = try Self.open(url)
            (empty.hits, empty.misses, empty.isClosing) = (state.hits, state.misses, state.isClosing)
            if empty.isClosing { try Self.close(&empty) }
            state = empty
            guard case .damaged(let message) = reason else { return nil }
            return "The feature cache was damaged (\(message)) and starts empty."
        } catch {
            state.pool = nil
            state.replacement = nil
            return "The feature cache could not be replaced by an empty one (\(error)); features are not cached until "
                + "the daemon is restarted."
        }
    }

    func wrapping(_ error: any Error, _ action: String) -> WorkbenchError {
        WorkbenchError.wrapping(error, while: action, at: url.deletingLastPathComponent())
    }

    private static func open(_ url: URL) throws -> State {
        let pool = try FeatureSchema.open(url)
        do {
            return try pool.read { db in
                var state = State(pool: pool)
                let rows = try Row.fetchCursor(db, sql: "SELECT key, id FROM space")
                while let row = try rows.next() { state.spaces[row[0]] = row[1] }
                state.tick = try Int64.fetchOne(db, sql: "SELECT max(used) FROM segment") ?? 0
                return state
            }
        } catch {
            try pool.close()
            throw error
        }
    }

    private static func delete(_ url: URL) throws {
        for suffix in ["", "-wal", "-shm"] { try FileSystem.remove(URL(fileURLWithPath: url.path + suffix)) }
    }

    private static func meansDamage(_ error: DatabaseError) -> Bool {
        [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode)
    }
}
