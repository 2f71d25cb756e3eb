import Foundation
import GRDB

/// Tables of `features.sqlite`, and how the file is opened.
///
/// Vectors (`entry`) get ascending ids in the order they are inserted, so the features of a data set lie side by side
/// and are read sequentially; `location` is the small index from an input's digest to its entry. Entries are grouped in
/// segments of up to 1,024 consecutive ids; recency is kept, and eviction done, by segment, so a lookup of thousands
/// of rows updates a dozen numbers instead of thousands.
enum FeatureSchema {
    /// Ids of a segment's entries: `segment << 10 ..< (segment + 1) << 10`.
    static let slotBits: Int64 = 10
    static let version = 1
    static let pageSize = 16_384
    static let applicationID = 0x4849_4452  // "HIDR"

    /// Bytes a row takes on disk: its share of a page, and of its location's. Rows longer than a page continue on pages
    /// of their own.
    static func rowBytes(width: Int) -> Int {
        let cell = width * MemoryLayout<Float>.stride + 64
        let perPage = (pageSize - 16) / cell
        let entry = perPage > 0 ? pageSize / perPage : (cell / (pageSize - 4) + 2) * pageSize
        return entry + 64
    }

    /// `synchronous = NORMAL`: a power cut may lose the latest entries, which costs their computation, but leaves a
    /// sound database (OFF might not, and a wrong vector is worse than none).
    ///
    /// Pages of 16 KiB: rows of 384, 512, 768 and 1,024 floats fill them to 97, 88, 95 and 76 % (of 4 KiB: 77, 52
    /// and overflow chains).
    static func open(_ url: URL) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.label = "hidra.features"
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 2
        configuration.prepareDatabase { db in
            // In KiB when negative. Three connections together stay below 2 MiB.
            if db.configuration.readonly {
                try db.execute(sql: "PRAGMA cache_size = -512")
            } else {
                // The first two matter only when the file is created, and must come before WAL mode.
                try db.execute(
                    sql: """
                        PRAGMA page_size = \(pageSize);
                        PRAGMA auto_vacuum = INCREMENTAL;
                        PRAGMA cache_size = -768;
                        PRAGMA wal_autocheckpoint = 256;
                        PRAGMA journal_size_limit = 4194304;
                        """)
            }
        }
        let pool = try DatabasePool(path: url.path, configuration: configuration)
        do {
            try pool.write(prepare)
        } catch {
            try pool.close()
            throw error
        }
        return pool
    }

    /// Creates the tables of a new file; any other version is as useless as a damaged file.
    private static func prepare(_ db: Database) throws {
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        if found == version { return }
        guard try found == 0 && Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") == 0 else {
            throw DatabaseError(resultCode: .SQLITE_NOTADB, message: "its layout is version \(found), not \(version)")
        }
        try db.execute(
            sql: """
                PRAGMA application_id = \(applicationID);
                PRAGMA user_version = \(version);
                CREATE TABLE space (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE NOT NULL, weights TEXT NOT NULL);
                -- used: the cache's own clock, one tick per call; next: the first free slot; rows: entries present;
                -- bytes: what they take on disk.
                CREATE TABLE segment (
                    id INTEGER PRIMARY KEY AUTOINCREMENT, space INTEGER NOT NULL, used INTEGER NOT NULL,
                    next INTEGER NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL
                );
                -- The two halves of the digest, as signed integers.
                CREATE TABLE location (
                    space INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL, entry INTEGER NOT NULL,
                    PRIMARY KEY (space, high, low)
                ) WITHOUT ROWID;
                CREATE TABLE entry (
                    id INTEGER PRIMARY KEY, high INTEGER NOT NULL, low INTEGER NOT NULL, tokens INTEGER NOT NULL,
                    truncated INTEGER NOT NULL, checksum INTEGER NOT NULL, vector BLOB NOT NULL
                );
                """)
    }
}

/// A quick checksum of a vector's bytes, so that a flipped bit on the disk is a miss and not a wrong feature.
/// Multiply–xorshift over 64-bit words (the mixing step of Murmur-style hashes); not cryptographic.
enum FeatureChecksum {
    static func of(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
        var offset = 0
        while offset + 8 <= bytes.count {
            hash = mix(hash ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        for byte in bytes[offset...] { hash = mix(hash ^ UInt64(byte)) }
        return Int64(bitPattern: hash)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value &* 0xD6E8_FEB8_6659_FD93
        return product ^ (product >> 32)
    }
}
