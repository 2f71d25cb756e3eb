import Foundation
import GRDB

extension Registry {
    /// Installs a staged folder and writes its record; after a crash at any point, or an error, either both are there
    /// or neither (or, when replacing, either the former pair or the new one).
    ///
    /// - parameter save: The transaction that records the bundle.
    func install(
        _ manifest: BundleManifest, staged: URL, kind: BundleKind, save: (Database) throws -> Void
    ) throws {
        try manifest.write(to: staged)
        let installation = try directory.beginInstall(staged: staged, on: kind.shelf, as: manifest.name)
        do {
            try database.write(save)
        } catch {
            try installation.rollBack()
            throw error
        }
        try installation.commit()
    }

    /// The files of a staged bundle. A caller that digested them already (a verified download) passes its list, whose
    /// sizes are compared; otherwise they are digested here.
    func files(staged: URL, declared: [BundleFile]) throws -> [BundleFile] {
        let files: [BundleFile]
        if declared.isEmpty {
            files = try BundleFile.list(staged)
        } else {
            try declared.verify(staged, .sizes)
            files = declared
        }
        guard !files.isEmpty else {
            throw WorkbenchError(.invalidArgument, "A bundle needs at least one file; \(staged.path) has none.")
        }
        return files
    }

    /// Deletes folders whose records a transaction has already deleted and listed in table `removal`.
    ///
    /// - returns: Bytes freed.
    @discardableResult
    func finishRemovals() throws -> Int {
        let pending = try database.read { db in
            try Row.fetchAll(db, sql: "SELECT shelf, name FROM removal").map {
                ($0["shelf"] as String, $0["name"] as String)
            }
        }
        var freed = 0
        for (shelfName, name) in pending {
            if let shelf = StateDirectory.Shelf(rawValue: shelfName) {
                let folder = directory.folder(shelf, name)
                if FileSystem.isFolder(folder) { freed += try FileSystem.size(ofTree: folder) }
                try directory.removeBundle(on: shelf, named: name)
            }
            try database.write { db in
                try db.execute(sql: "DELETE FROM removal WHERE shelf = ? AND name = ?", arguments: [shelfName, name])
            }
        }
        return freed
    }

    static func scheduleRemoval(_ shelf: StateDirectory.Shelf, _ name: String, _ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO removal (shelf, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
            arguments: [shelf.rawValue, name])
    }

    /// Reads every byte of a bundle and compares it with what was registered. Fails with `corrupt`.
    package func verify(_ item: RegistryItem) async throws {
        switch item {
        case .encoder(let record): try await verify(record.files, directory.folder(.encoders, record.name))
        case .head(let record): try await verify(record.files, directory.folder(.heads, record.name))
        case .run: break
        }
    }

    private func verify(_ files: [BundleFile], _ folder: URL) async throws {
        try await withBundles("verifying '\(folder.lastPathComponent)'") { try files.verify(folder, .digests) }
    }
}

/// What a removal took away.
package struct Removal: Hashable, Sendable {
    /// Names, heads before the encoder they belonged to.
    package var names: [String]
    package var bytesFreed: Int
    /// Weights digests of removed encoders, whose features are of no use any more.
    package var weightsDigests: [String]
}
