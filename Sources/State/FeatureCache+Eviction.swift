import Foundation
import GRDB
import Synchronization

extension FeatureCache {
    // MARK: Recency

    /// Notes that segments were read. Only in memory: the next insert, `flush` or `close` writes it down, and a crash
    /// in between costs a little precision in what is evicted first.
    func touch(_ segments: Set<Int64>) {
        guard !segments.isEmpty else { return }
        state.withLock { state in
            state.tick += 1
            for segment in segments { state.touched[segment] = state.tick }
        }
    }

    /// Writes down which segments were used. Fails with `diskFull`.
    package func flush() throws {
        let touched = takeTouched().touched
        guard !touched.isEmpty else { return }
        do {
            try access("noting the use of features") { pool in
                try pool.write { try Self.write($0, touched: touched) }
            }
        } catch {
            giveBack(touched)
            throw error
        }
    }

    func takeTouched() -> (tick: Int64, touched: [Int64: Int64]) {
        state.withLock { state in
            state.tick += 1
            defer { state.touched = [:] }
            return (state.tick, state.touched)
        }
    }

    func giveBack(_ touched: [Int64: Int64]) {
        state.withLock { $0.touched.merge(touched) { max($0, $1) } }
    }

    static func write(_ db: Database, touched: [Int64: Int64]) throws {
        guard !touched.isEmpty else { return }
        let update = try db.cachedStatement(sql: "UPDATE segment SET used = max(used, ?) WHERE id = ?")
        for (segment, tick) in touched { try update.execute(arguments: [tick, segment]) }
    }

    // MARK: Size

    static func pages(_ db: Database) throws -> (total: Int, free: Int) {
        (
            try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0,
            try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
        )
    }

    /// Evicts the least recently used segments when `incoming` bytes would not fit below the limit, down to 95 % of
    /// it, so that eviction is rare. The freed pages are reused by what comes; only pages beyond the limit (it may have
    /// been lowered) are returned to the file system.
    func makeRoom(_ pool: DatabasePool, for incoming: Int) throws {
        let used = try pool.read { db in
            let (total, free) = try Self.pages(db)
            return (total - free) * FeatureSchema.pageSize
        }
        if used + incoming > limit {
            let recent = takeTouched().touched
            do {
                try pool.write { db in
                    try Self.write(db, touched: recent)
                    try Self.evict(db, bytes: used + incoming - limit / 20 * 19)
                }
            } catch {
                giveBack(recent)
                throw error
            }
        }
        try shrink(pool)
    }

    /// Deletes the least recently used segments that make up so many bytes, in one transaction: their digests lie
    /// scattered over table `location`, and sorted together they change each of its pages once instead of once for each
    /// segment.
    private static func evict(_ db: Database, bytes: Int) throws {
        var segments: [Int64] = []
        var freed = 0
        let oldest = try Row.fetchCursor(db, sql: "SELECT id, bytes FROM segment ORDER BY used, id")
        while freed < bytes, let row = try oldest.next() {
            segments.append(row[0])
            freed += row[1] as Int
        }
        guard !segments.isEmpty else { return }
        let list = segments.map(String.init).joined(separator: ", ")
        try db.execute(
            sql: """
                DELETE FROM location WHERE (space, high, low, entry) IN (
                    SELECT segment.space, entry.high, entry.low, entry.id FROM segment CROSS JOIN entry
                    ON entry.id BETWEEN segment.id << \(FeatureSchema.slotBits)
                        AND ((segment.id + 1) << \(FeatureSchema.slotBits)) - 1
                    WHERE segment.id IN (\(list)))
                """)
        for segment in segments { try delete(db, segment: segment) }
    }

    /// Deletes a segment and its entries; their locations must be gone already.
    private static func delete(_ db: Database, segment: Int64) throws {
        let first = segment << FeatureSchema.slotBits
        try db.cachedStatement(sql: "DELETE FROM entry WHERE id >= ? AND id < ?")
            .execute(arguments: [first, first + (1 << FeatureSchema.slotBits)])
        try db.cachedStatement(sql: "DELETE FROM segment WHERE id = ?").execute(arguments: [segment])
    }

    /// Returns free pages beyond the limit to the file system, at most 32 MiB in one call: SQLite searches its list of
    /// free pages for each one, so a large shrink (after the limit was lowered) is spread over many inserts.
    private func shrink(_ pool: DatabasePool) throws {
        func surplus(_ db: Database) throws -> Int {
            let (total, free) = try Self.pages(db)
            return min(total - limit / FeatureSchema.pageSize, free, 2_048)
        }
        guard try pool.read(surplus) > 0 else { return }
        try pool.write { db in
            let pages = try surplus(db)
            if pages > 0 { try db.execute(sql: "PRAGMA incremental_vacuum(\(pages))") }
        }
    }

    /// Deletes the features of an encoder's weights, in every space, and returns the room to the file system.
    package func removeSpaces(weights: String) throws {
        try access("removing features") { pool in
            let (spaces, others) = try pool.read { db in
                (
                    try Int64.fetchAll(db, sql: "SELECT id FROM space WHERE weights = ?", arguments: [weights]),
                    try Int.fetchOne(db, sql: "SELECT count(*) FROM space WHERE weights <> ?", arguments: [weights])
                )
            }
            guard !spaces.isEmpty else { return }
            // With nothing left a new file is quicker than emptying the old one.
            if others == 0 { return state.withLock { $0.replacement = .emptied } }
            for space in spaces { try Self.delete(pool, space: space) }
            state.withLock { state in state.spaces = state.spaces.filter { !spaces.contains($0.value) } }
            let (total, free) = try pool.read(Self.pages)
            if free > total / 2 { try pool.vacuum() }
        }
    }

    private static func delete(_ pool: DatabasePool, space: Int64) throws {
        // Locations first: without them a lookup misses, and what remains after a crash is evicted in time.
        try pool.write { try $0.execute(sql: "DELETE FROM location WHERE space = ?", arguments: [space]) }
        // Some segments at a time: other writers are not held up for long.
        while try pool.write({ db in
            let segments = try Int64.fetchAll(
                db, sql: "SELECT id FROM segment WHERE space = ? LIMIT 32", arguments: [space])
            for segment in segments { try delete(db, segment: segment) }
            return !segments.isEmpty
        }) {}
        try pool.write { db in
            try db.execute(sql: "DELETE FROM location WHERE space = ?", arguments: [space])
            try db.execute(sql: "DELETE FROM space WHERE id = ?", arguments: [space])
        }
    }
}
