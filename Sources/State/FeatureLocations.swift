import GRDB

/// Table `location`: which entry holds the vector of an input.
struct FeatureLocations {
    let db: Database
    let space: Int64

    init(_ db: Database, space: Int64) {
        self.db = db
        self.space = space
    }

    /// An input that is stored: its position among those asked for, and its entry.
    typealias Match = (index: Int, entry: Int64)

    /// Finds many inputs at once.
    ///
    /// - parameter order: Positions in `digests`, in the order of `InputDigest.precedes`.
    /// - returns: The stored ones, in the same order.
    func find(_ digests: [InputDigest], order: [Int]) throws -> [Match] {
        // Both ways visit the index in its own order. Walking along it costs about a fifth of a search for each row
        // passed, and is quicker when most of its rows are wanted: a second head on the same data set.
        let stored = try Int.fetchOne(
            db, sql: "SELECT sum(rows) FROM segment WHERE space = ?", arguments: [space])
        return order.count >= 64 && stored ?? 0 <= 4 * order.count
            ? try walk(digests, order) : try search(digests, order)
    }

    private func search(_ digests: [InputDigest], _ order: [Int]) throws -> [Match] {
        let find = try db.cachedStatement(
            sql: "SELECT entry FROM location WHERE space = ? AND high = ? AND low = ?")
        var matches: [Match] = []
        for index in order {
            find.setUncheckedArguments([space, digests[index].signedHigh, digests[index].signedLow])
            if let entry = try Int64.fetchOne(find) { matches.append((index, entry)) }
        }
        return matches
    }

    private func walk(_ digests: [InputDigest], _ order: [Int]) throws -> [Match] {
        let scan = try db.cachedStatement(
            sql: "SELECT high, low, entry FROM location WHERE space = ? ORDER BY high, low")
        var matches: [Match] = []
        matches.reserveCapacity(order.count)
        var next = 0
        let rows = try Row.fetchCursor(scan, arguments: [space])
        while next < order.count, let row = try rows.next() {
            let digest = InputDigest(signedHigh: row[0], signedLow: row[1])
            while next < order.count, digests[order[next]].precedes(digest) { next += 1 }
            while next < order.count, digests[order[next]] == digest {
                matches.append((order[next], row[2]))
                next += 1
            }
        }
        return matches
    }

    /// - parameter located: In the order of `InputDigest.precedes`, so that each page of the index is written once.
    func add(_ located: some Sequence<Match>, _ digests: [InputDigest]) throws {
        let insert = try db.cachedStatement(
            sql: "INSERT INTO location (space, high, low, entry) VALUES (?, ?, ?, ?)")
        for (index, entry) in located {
            try insert.execute(arguments: [space, digests[index].signedHigh, digests[index].signedLow, entry])
        }
    }

    /// Forgets where an input is, if it still is there.
    func remove(_ digest: InputDigest, entry: Int64) throws {
        try db.cachedStatement(
            sql: "DELETE FROM location WHERE space = ? AND high = ? AND low = ? AND entry = ?"
        ).execute(arguments: [space, digest.signedHigh, digest.signedLow, entry])
    }
}

extension InputDigest {
    /// SQLite's integers are signed.
    var signedHigh: Int64 { Int64(bitPattern: high) }
    var signedLow: Int64 { Int64(bitPattern: low) }

    init(signedHigh: Int64, signedLow: Int64) {
        self.init(high: UInt64(bitPattern: signedHigh), low: UInt64(bitPattern: signedLow))
    }

    /// The order of table `location`.
    func precedes(_ other: InputDigest) -> Bool {
        signedHigh != other.signedHigh ? signedHigh < other.signedHigh : signedLow < other.signedLow
    }
}

extension [InputDigest] {
    /// Positions within `rows` in the order of table `location`; equal digests in their own order.
    func order(_ rows: Range<Int>) -> [Int] {
        rows.sorted { self[$0] == self[$1] ? $0 < $1 : self[$0].precedes(self[$1]) }
    }
}
