import GRDB

/// A client's key for connections over the network. The secret half is the client's alone.
package struct KeyRecord: Sendable, Hashable {
    package var name: String
    /// As the protocol has it: `infer`, `train` or `admin`.
    package var role: String
    /// 40 characters of Z85.
    package var publicKey: String
    /// Seconds since 1970.
    package var created: Double
    package var revoked: Double?
    /// What its clients may use; 0: no limit of its own.
    package var openRequests: Int
    package var dataBytes: Int
    package var cacheBytes: Int
    package var coreSeconds: Double

    package init(
        name: String, role: String, publicKey: String, created: Double, revoked: Double? = nil, openRequests: Int = 0,
        dataBytes: Int = 0, cacheBytes: Int = 0, coreSeconds: Double = 0
    ) {
        (self.name, self.role, self.publicKey) = (name, role, publicKey)
        (self.created, self.revoked) = (created, revoked)
        (self.openRequests, self.dataBytes, self.cacheBytes) = (openRequests, dataBytes, cacheBytes)
        self.coreSeconds = coreSeconds
    }

    fileprivate init(_ row: Row) {
        self.init(
            name: row["name"], role: row["role"], publicKey: row["publicKey"], created: row["created"],
            revoked: row["revoked"], openRequests: row["openRequests"], dataBytes: row["dataBytes"],
            cacheBytes: row["cacheBytes"], coreSeconds: row["coreSeconds"])
    }
}

extension Registry {
    /// All keys by name, revoked ones included. Synchronous, for use before the services start.
    package func keys() throws -> [KeyRecord] {
        do {
            return try database.read { db in
                try Row.fetchAll(db, sql: "SELECT * FROM clientKey ORDER BY name").map { KeyRecord($0) }
            }
        } catch {
            throw wrapping(error, "reading the keys")
        }
    }

    /// Takes the place of a revoked key of the same name. Fails with `alreadyExists` when the name's key is valid.
    package func addKey(_ key: KeyRecord) async throws {
        try BundleName.validate(key.name)
        try await write("recording key '\(key.name)'") { db in
            guard try Int.fetchOne(db, sql: "SELECT 1 FROM clientKey WHERE name = ? AND revoked IS NULL", arguments: [key.name]) == nil
            else {
                throw WorkbenchError(
                    .alreadyExists,
                    "There is already a key '\(key.name)'. Choose another name, or revoke it first with `hidra keys revoke \(key.name)`.",
                    details: ["name": key.name, "kind": "key"])
            }
            try db.execute(
                sql: "INSERT OR REPLACE INTO clientKey VALUES (?, ?, ?, ?, NULL, ?, ?, ?, ?)",
                arguments: [
                    key.name, key.role, key.publicKey, key.created, key.openRequests, key.dataBytes, key.cacheBytes,
                    key.coreSeconds,
                ])
        }
    }

    /// A key that was revoked before keeps the time. Fails with `notFound`, with the nearest name there is.
    package func revokeKey(named name: String, at time: Double) async throws -> KeyRecord {
        try await write("revoking key '\(name)'") { db in
            try db.execute(
                sql: "UPDATE clientKey SET revoked = ? WHERE name = ? AND revoked IS NULL", arguments: [time, name])
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM clientKey WHERE name = ?", arguments: [name]) else {
                let names = try String.fetchAll(db, sql: "SELECT name FROM clientKey ORDER BY name")
                var details = ["name": name], message = "There is no key '\(name)'."
                if let suggestion = NameSuggestion.nearest(to: name, among: names) {
                    details["suggestion"] = suggestion
                    message += " Did you mean '\(suggestion)'?"
                } else {
                    message += " `hidra keys ls` lists what there is."
                }
                throw WorkbenchError(.notFound, message, details: details)
            }
            return KeyRecord(row)
        }
    }
}
