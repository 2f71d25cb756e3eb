import Foundation
import GRDB

/// Kinds of bundles, as stored in table `name`, which makes names unique over all of them.
enum BundleKind: String, Sendable, CaseIterable {
    case encoder, head

    var shelf: StateDirectory.Shelf {
        switch self {
        case .encoder: .encoders
        case .head: .heads
        }
    }

    /// Reserves the name for this kind; does nothing when this kind has it already.
    func claim(_ name: String, _ db: Database) throws {
        try requireNoOtherKind(name, db)
        try db.execute(
            sql: "INSERT INTO name (name, kind) VALUES (?, ?) ON CONFLICT DO NOTHING", arguments: [name, rawValue])
    }

    /// Fails with `alreadyExists` when another kind has the name.
    func requireNoOtherKind(_ name: String, _ db: Database) throws {
        guard let holder = try BundleKind.of(name, db), holder != self else { return }
        throw WorkbenchError(
            .alreadyExists,
            "'\(name)' is already the name of \(holder.article) \(holder.rawValue). Choose another name.",
            details: ["name": name, "kind": holder.rawValue])
    }

    /// Deletes the record and frees the name.
    func delete(_ name: String, _ db: Database) throws {
        try db.execute(sql: "DELETE FROM \(rawValue) WHERE name = ?", arguments: [name])
        try db.execute(sql: "DELETE FROM name WHERE name = ?", arguments: [name])
    }

    var article: String { self == .encoder ? "an" : "a" }

    static func of(_ name: String, _ db: Database) throws -> BundleKind? {
        try String.fetchOne(db, sql: "SELECT kind FROM name WHERE name = ?", arguments: [name])
            .flatMap(BundleKind.init(rawValue:))
    }
}

/// Tables of `registry.sqlite`, and how the file is opened.
enum RegistrySchema {
    /// WAL, so that `status` and `list` never wait for a commit, with `synchronous = FULL`: a commit is on the disk
    /// when its call returns. NORMAL could lose the last commits in a power cut, and with them a head whose user was
    /// told that it exists. There are few commits (a run's metrics come in batches), so the syncs cost nothing.
    static func open(_ url: URL) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.label = "hidra.registry"
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 2
        configuration.prepareDatabase { db in
            // 256 KiB for each connection: records are small, and an idle daemon should be too.
            try db.execute(sql: "PRAGMA cache_size = -256")
            if !db.configuration.readonly {
                try db.execute(sql: "PRAGMA journal_size_limit = 1048576")
            }
        }
        let pool = try DatabasePool(path: url.path, configuration: configuration)
        // GRDB sets NORMAL together with the WAL mode, after `prepareDatabase`.
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        return pool
    }

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 records") { db in
            try db.execute(
                sql: """
                    CREATE TABLE name (
                        name TEXT PRIMARY KEY NOT NULL,
                        kind TEXT NOT NULL CHECK (kind IN ('encoder', 'head'))
                    ) WITHOUT ROWID;
                    CREATE TABLE encoder (
                        name TEXT PRIMARY KEY NOT NULL REFERENCES name (name) DEFERRABLE INITIALLY DEFERRED,
                        architecture TEXT NOT NULL, parameters INTEGER NOT NULL, bytes INTEGER NOT NULL,
                        width INTEGER NOT NULL, layers INTEGER NOT NULL, maxTokens INTEGER NOT NULL,
                        pooling TEXT NOT NULL, source TEXT NOT NULL, revision TEXT NOT NULL, licence TEXT NOT NULL,
                        digest TEXT NOT NULL, created REAL NOT NULL, files TEXT NOT NULL
                    );
                    CREATE TABLE head (
                        name TEXT PRIMARY KEY NOT NULL REFERENCES name (name) DEFERRABLE INITIALLY DEFERRED,
                        encoder TEXT NOT NULL REFERENCES encoder (name), encoderDigest TEXT NOT NULL,
                        task TEXT NOT NULL, kind TEXT NOT NULL, labels TEXT NOT NULL, parameters INTEGER NOT NULL,
                        digest TEXT NOT NULL, created REAL NOT NULL, metrics TEXT NOT NULL, run TEXT NOT NULL,
                        tap INTEGER NOT NULL, files TEXT NOT NULL
                    );
                    CREATE INDEX headOfEncoder ON head (encoder);
                    CREATE TABLE run (
                        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                        id TEXT UNIQUE NOT NULL, head TEXT NOT NULL, encoder TEXT NOT NULL, state TEXT NOT NULL,
                        started REAL NOT NULL, ended REAL, metrics TEXT NOT NULL, message TEXT NOT NULL,
                        seconds TEXT NOT NULL, configuration TEXT NOT NULL
                    );
                    CREATE INDEX runInState ON run (state);
                    -- NULL stands for NaN, which SQLite cannot store.
                    CREATE TABLE metric (
                        run INTEGER NOT NULL REFERENCES run (sequence) ON DELETE CASCADE,
                        step INTEGER NOT NULL, name TEXT NOT NULL, value REAL,
                        PRIMARY KEY (run, step, name)
                    ) WITHOUT ROWID;
                    -- Folders whose record is gone and that are still to be deleted.
                    CREATE TABLE removal (
                        shelf TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (shelf, name)
                    ) WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("2 modalities and named taps") { db in
            try db.execute(
                sql: """
                    ALTER TABLE encoder ADD COLUMN modality TEXT NOT NULL DEFAULT 'text';
                    ALTER TABLE encoder ADD COLUMN taps TEXT NOT NULL DEFAULT '[]';
                    ALTER TABLE head ADD COLUMN modality TEXT NOT NULL DEFAULT 'text';
                    ALTER TABLE head ADD COLUMN tapName TEXT NOT NULL DEFAULT '';
                    UPDATE head SET tapName = CAST(tap AS TEXT);
                    ALTER TABLE head DROP COLUMN tap;
                    ALTER TABLE head RENAME COLUMN tapName TO tap;
                    """)
            for row in try Row.fetchAll(db, sql: "SELECT name, layers FROM encoder") {
                let name: String = row["name"], layers: Int = row["layers"]
                try db.execute(
                    sql: "UPDATE encoder SET taps = ? WHERE name = ?",
                    arguments: [StateJSON.text((0...max(layers, 0)).map(String.init)), name])
            }
        }
        migrator.registerMigration("3 precision of encoders") { db in
            try db.execute(sql: "ALTER TABLE encoder ADD COLUMN precision TEXT NOT NULL DEFAULT 'fp32'")
        }
        migrator.registerMigration("4 heads of several inputs") { db in
            try db.execute(sql: "ALTER TABLE head ADD COLUMN inputs TEXT")
        }
        migrator.registerMigration("5 heads that clients serve") { db in
            try db.execute(sql: "ALTER TABLE head ADD COLUMN calls TEXT; ALTER TABLE head ADD COLUMN servedBy TEXT")
        }
        migrator.registerMigration("6 keys of clients") { db in
            try db.execute(
                sql: """
                    CREATE TABLE clientKey (
                        name TEXT PRIMARY KEY NOT NULL, role TEXT NOT NULL, publicKey TEXT UNIQUE NOT NULL,
                        created REAL NOT NULL, revoked REAL,
                        openRequests INTEGER NOT NULL, dataBytes INTEGER NOT NULL, cacheBytes INTEGER NOT NULL,
                        coreSeconds REAL NOT NULL
                    );
                    """)
        }
        migrator.registerMigration("7 sessions") { db in
            try db.execute(
                sql: """
                    CREATE TABLE session (
                        name TEXT PRIMARY KEY NOT NULL, id TEXT UNIQUE NOT NULL, state TEXT NOT NULL, created REAL NOT NULL,
                        record TEXT NOT NULL
                    );
                    CREATE TABLE sessionEvent (
                        sequence INTEGER PRIMARY KEY, session TEXT NOT NULL, time REAL NOT NULL, name TEXT NOT NULL,
                        message TEXT NOT NULL
                    );
                    """)
        }
        migrator.registerMigration("8 encoders trained from others") { db in
            try db.execute(sql: "ALTER TABLE encoder ADD COLUMN base TEXT")
        }
        migrator.registerMigration("9 provenance of runs") { db in
            try db.execute(sql: "ALTER TABLE run ADD COLUMN provenance TEXT")
        }
        return migrator
    }

    /// The small tables are checked at every start; `metric`, which can grow to hundreds of thousands of rows, only
    /// after a stop that left a write-ahead log behind, so that an ordinary start stays quick.
    static func damage(_ pool: DatabasePool, afterCrash: Bool) throws -> String? {
        try pool.read { db in
            let tables = try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'")
            for table in tables where afterCrash || table != "metric" {
                let problems = try String.fetchAll(db, sql: "PRAGMA quick_check(\(table.quotedDatabaseIdentifier))")
                if problems != ["ok"] { return problems.prefix(3).joined(separator: "; ") }
            }
            return nil
        }
    }
}
