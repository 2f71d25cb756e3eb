import Foundation
import GRDB
import Synchronization

extension FeatureCache {
    /// Stores the vectors of many inputs; those that are already there are left as they are.
    ///
    /// Transactions of at most 16 MiB each, so the journal stays small and other writers get their turn. Makes room
    /// first when the file would outgrow its limit. Fails with `diskFull`; what earlier transactions stored stays.
    ///
    /// - parameter infos: One for each digest.
    /// - parameter vectors: `[digests.count, width]`
    package func insert(
        _ space: FeatureSpace, _ digests: [InputDigest], infos: [FeatureInfo], width: Int,
        vectors: UnsafeBufferPointer<Float>
    ) throws {
        precondition(
            infos.count == digests.count && vectors.count >= digests.count * width && width > 0,
            "insert: \(digests.count) digests, \(infos.count) infos and \(vectors.count) floats do not make "
                + "[\(digests.count), \(width)]")
        try insert(space, digests, infos, vectors, FeatureRuns(count: digests.count, width: width))
    }

    func insert(
        _ space: FeatureSpace, _ digests: [InputDigest], _ infos: [FeatureInfo], _ values: UnsafeBufferPointer<Float>,
        _ runs: FeatureRuns
    ) throws {
        var start = 0
        while start < digests.count {
            let (rows, bytes) = runs.chunk(from: start, limit: min(16 << 20, limit / 8))
            start = rows.upperBound
            try access("storing features") { pool in
                try makeRoom(pool, for: bytes)
                let used = takeTouched()
                do {
                    let id = try pool.write { db in
                        let id = try Self.identify(db, space)
                        try Self.write(db, touched: used.touched)
                        var batch = try Batch(
                            db, space: id, tick: used.tick, segmentRows: segmentRows(bytes / rows.count))
                        try batch.store(digests, infos, values, runs, rows)
                        return id
                    }
                    state.withLock { $0.spaces[space.key] = id }
                } catch {
                    giveBack(used.touched)
                    throw error
                }
                if rows.count > 256 { pool.writeWithoutTransaction { $0.releaseMemory() } }
            }
        }
    }

    /// Rows of a segment: fewer when the limit is so small that whole segments would be a large part of it.
    private func segmentRows(_ rowBytes: Int) -> Int64 {
        Int64(min(1 << Int(FeatureSchema.slotBits), max(16, limit / 32 / rowBytes)))
    }

    private static func identify(_ db: Database, _ space: FeatureSpace) throws -> Int64 {
        if let id = try Int64.fetchOne(db, sql: "SELECT id FROM space WHERE key = ?", arguments: [space.key]) {
            return id
        }
        try db.execute(
            sql: "INSERT INTO space (key, weights) VALUES (?, ?)", arguments: [space.key, space.weights])
        return db.lastInsertedRowID
    }

    /// Writes rows of one space inside one transaction.
    private struct Batch {
        let db: Database
        let space: Int64
        let tick: Int64
        let segmentRows: Int64
        /// The segment being filled.
        var segment: Int64
        var next: Int64
        var added: Int64 = 0, addedBytes: Int64 = 0

        init(_ db: Database, space: Int64, tick: Int64, segmentRows: Int64) throws {
            self.db = db
            self.space = space
            self.tick = tick
            self.segmentRows = segmentRows
            let open = try Row.fetchOne(
                db, sql: "SELECT id, next FROM segment WHERE space = ? AND next < ? ORDER BY id DESC LIMIT 1",
                arguments: [space, segmentRows])
            if let open {
                (segment, next) = (open[0], open[1])
            } else {
                (segment, next) = (try Self.newSegment(db, space, tick), 0)
            }
        }

        private static func newSegment(_ db: Database, _ space: Int64, _ tick: Int64) throws -> Int64 {
            try db.execute(
                sql: "INSERT INTO segment (space, used, next, rows, bytes) VALUES (?, ?, 0, 0, 0)",
                arguments: [space, tick])
            return db.lastInsertedRowID
        }

        mutating func store(
            _ digests: [InputDigest], _ infos: [FeatureInfo], _ values: UnsafeBufferPointer<Float>,
            _ runs: FeatureRuns, _ rows: Range<Int>
        ) throws {
            let insert = try db.cachedStatement(
                sql:
                    "INSERT INTO entry (id, high, low, tokens, truncated, checksum, vector) VALUES (?, ?, ?, ?, ?, ?, ?)"
            )
            let fresh = try unknown(digests, rows)
            var located: [FeatureLocations.Match] = []
            located.reserveCapacity(fresh.count)
            for index in fresh {
                let entry = try takeSlot(bytes: runs.bytes(index))
                let bytes = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: values[runs[index]]))
                // Not copied: the statement has run before the vectors' owner gets control back.
                guard let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress) else { continue }
                try insert.execute(arguments: [
                    entry, digests[index].signedHigh, digests[index].signedLow, infos[index].tokens,
                    infos[index].truncated, FeatureChecksum.of(bytes),
                    Data(bytesNoCopy: start, count: bytes.count, deallocator: .none),
                ])
                located.append((index, entry))
            }
            try saveSegment()
            located.sort { digests[$0.index].precedes(digests[$1.index]) }
            try FeatureLocations(db, space: space).add(located, digests)
        }

        /// Rows to be stored, in their own order: unknown ones, each digest once.
        private func unknown(_ digests: [InputDigest], _ rows: Range<Int>) throws -> [Int] {
            let order = digests.order(rows)
            let stored = Set(try FeatureLocations(db, space: space).find(digests, order: order).map(\.index))
            var fresh: [Int] = []
            var former: Int?
            for index in order {
                defer { former = index }
                if let former, digests[former] == digests[index] { continue }
                if !stored.contains(index) { fresh.append(index) }
            }
            fresh.sort()
            return fresh
        }

        private mutating func takeSlot(bytes: Int) throws -> Int64 {
            // A segment that was opened for smaller rows may be past the mark already.
            if next >= segmentRows {
                try saveSegment()
                (segment, next, added, addedBytes) = (try Self.newSegment(db, space, tick), 0, 0, 0)
            }
            defer {
                next += 1
                added += 1
                addedBytes += Int64(bytes)
            }
            return segment << FeatureSchema.slotBits + next
        }

        private func saveSegment() throws {
            try db.execute(
                sql: "UPDATE segment SET used = ?, next = ?, rows = rows + ?, bytes = bytes + ? WHERE id = ?",
                arguments: [tick, next, added, addedBytes, segment])
        }
    }
}
