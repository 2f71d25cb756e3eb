import Foundation
import GRDB
import Synchronization

extension FeatureCache {
    /// Finds the vectors of many inputs at once.
    ///
    /// - parameter digests: One for each row wanted; the same one may come twice.
    /// - parameter width: Floats of a vector. A stored vector of another size is damaged: a miss, and deleted.
    /// - parameter vectors: `[digests.count, width]`; the rows of hits are written, the others left alone.
    /// - returns: One for each digest, nil for a miss.
    package func lookup(
        _ space: FeatureSpace, _ digests: [InputDigest], width: Int, into vectors: UnsafeMutableBufferPointer<Float>
    ) throws -> [FeatureInfo?] {
        precondition(
            vectors.count >= digests.count * width,
            "lookup: \(vectors.count) floats cannot hold [\(digests.count), \(width)]")
        return try lookup(space, digests) { index, _, bytes in
            let target = UnsafeMutableRawBufferPointer(
                UnsafeMutableBufferPointer(rebasing: vectors[index * width..<(index + 1) * width]))
            guard bytes.count == target.count else { return false }
            target.copyMemory(from: bytes)
            return true
        }
    }

    /// - parameter take: Gets the index of a digest, the tokens and the bytes that were stored for it, and copies them; false when
    ///   they are not of the size they should have.
    func lookup(
        _ space: FeatureSpace, _ digests: [InputDigest], take: (Int, Int, UnsafeRawBufferPointer) -> Bool
    ) throws -> [FeatureInfo?] {
        var found = [FeatureInfo?](repeating: nil, count: digests.count)
        if !digests.isEmpty, let id = state.withLock({ $0.spaces[space.key] }) {
            let segments = try access("looking up features") { pool in
                try withoutActuallyEscaping(take) { take in
                    var reader = EntryReader(digests: digests, take: take)
                    try pool.read { try reader.read($0, space: id, into: &found) }
                    if !reader.damaged.isEmpty {
                        try pool.write { try Self.discard($0, id, reader.damaged, digests) }
                    }
                    return reader.segments
                }
            }
            if let segments {
                touch(segments)
            } else {
                // The file turned out to be damaged: what was read before that point is not to be trusted.
                found = found.map { _ in nil }
            }
        }
        let hits = found.count { $0 != nil }
        state.withLock { state in
            state.hits += hits
            state.misses += found.count - hits
        }
        return found
    }

    /// Deletes damaged entries and the locations that led to them, so that they can be stored again.
    private static func discard(
        _ db: Database, _ space: Int64, _ damaged: [FeatureLocations.Match], _ digests: [InputDigest]
    ) throws {
        let locations = FeatureLocations(db, space: space)
        let delete = try db.cachedStatement(sql: "DELETE FROM entry WHERE id = ?")
        let count = try db.cachedStatement(sql: "UPDATE segment SET rows = rows - 1 WHERE id = ?")
        for (index, entry) in damaged {
            try locations.remove(digests[index], entry: entry)
            try delete.execute(arguments: [entry])
            if db.changesCount > 0 { try count.execute(arguments: [entry >> FeatureSchema.slotBits]) }
        }
    }
}

/// Reads the features of one lookup.
private struct EntryReader {
    let digests: [InputDigest]
    let take: (Int, Int, UnsafeRawBufferPointer) -> Bool
    /// Matches whose entry is gone, or is not what was stored.
    var damaged: [FeatureLocations.Match] = []
    /// Segments that were read from.
    var segments: Set<Int64> = []

    init(digests: [InputDigest], take: @escaping (Int, Int, UnsafeRawBufferPointer) -> Bool) {
        self.digests = digests
        self.take = take
    }

    mutating func read(_ db: Database, space: Int64, into found: inout [FeatureInfo?]) throws {
        var matches = try FeatureLocations(db, space: space).find(digests, order: digests.order(digests.indices))
        // In the order of the entries, so that the vectors are read sequentially.
        matches.sort { $0.entry < $1.entry }
        var start = 0
        while start < matches.count {
            var end = start + 1
            while end < matches.count, matches[end].entry - matches[end - 1].entry <= Self.gap { end += 1 }
            try read(db, matches[start..<end], into: &found)
            start = end
        }
        // Pages read once are of no more use; a bulk read should not leave them in memory.
        if digests.count > 256 { db.releaseMemory() }
    }

    /// Entries between two wanted ones that are cheaper to pass over than to seek across.
    private static let gap: Int64 = 4

    /// Reads neighbouring entries, in ascending order, with one cursor.
    private mutating func read(
        _ db: Database, _ matches: ArraySlice<FeatureLocations.Match>, into found: inout [FeatureInfo?]
    ) throws {
        guard let first = matches.first, let last = matches.last else { return }
        let scan = try db.cachedStatement(
            sql: "SELECT id, high, low, tokens, truncated, checksum, vector FROM entry WHERE id BETWEEN ? AND ?")
        let rows = try Row.fetchCursor(scan, arguments: [first.entry, last.entry])
        var rest = matches
        while let row = try rows.next() {
            let entry: Int64 = row[0]
            while let match = rest.first, match.entry <= entry {
                rest.removeFirst()
                if match.entry == entry, let info = try info(row, match.index) {
                    found[match.index] = info
                    segments.insert(entry >> FeatureSchema.slotBits)
                } else {
                    damaged.append(match)
                }
            }
        }
        damaged += rest
    }

    /// Checks a row and copies its vector; nil when the row is not what was stored for this input.
    private func info(_ row: Row, _ index: Int) throws -> FeatureInfo? {
        guard InputDigest(signedHigh: row[1], signedLow: row[2]) == digests[index] else { return nil }
        let tokens: Int = row[3], checksum: Int64 = row[5]
        let isSound = try row.withUnsafeData(atIndex: 6) { data in
            guard let data else { return false }
            return data.withUnsafeBytes { FeatureChecksum.of($0) == checksum && take(index, tokens, $0) }
        }
        return isSound ? FeatureInfo(tokens: tokens, truncated: row[4]) : nil
    }
}
