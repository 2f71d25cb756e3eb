package import Encoders
package import Foundation
import GRDB

extension Registry {
    /// Registers an encoder whose files lie in a staged folder. `files` and `bytes` of the record are filled in.
    ///
    /// The folder is synced and renamed into place first, then the row is written. An encoder whose files had been
    /// lost is repaired by registering it again. Fails with `alreadyExists`, `invalidArgument`, `diskFull`.
    @discardableResult
    package func addEncoder(_ record: EncoderRecord, staged: URL) async throws -> EncoderRecord {
        try BundleName.validate(record.name)
        return try await withBundles("registering encoder '\(record.name)'") { [self] in
            try database.read { try requireRoom(for: record, $0) }
            var record = record
            record.files = try files(staged: staged, declared: record.files)
            record.bytes = record.files.reduce(0) { $0 + $1.bytes }
            let complete = record
            try install(BundleManifest(.encoder(complete)), staged: staged, kind: .encoder) { try complete.save($0) }
            return complete
        }
    }

    /// The encoder of this name. Fails with `notFound` and a suggestion.
    package func encoder(named name: String) async throws -> EncoderRecord {
        try await read("looking up encoder '\(name)'") { db in
            guard let record = try EncoderRecord.fetch(db, named: name) else {
                throw try Registry.notFound(name, "encoder", among: .encoder, db)
            }
            return record
        }
    }

    /// Sets what an encoder computes in where a request does not say. The manifest first: it is what the registry is rebuilt from.
    package func setPrecision(_ precision: Precision, ofEncoder name: String) async throws -> EncoderRecord {
        try await withBundles("setting the precision of encoder '\(name)'") { [self] in
            var record = try database.read { db in
                guard let record = try EncoderRecord.fetch(db, named: name) else {
                    throw try Self.notFound(name, "encoder", among: .encoder, db)
                }
                return record
            }
            record.precision = precision
            let changed = record
            // Written elsewhere and renamed: a folder with a file too many counts as damaged.
            let staged = try directory.stage()
            try BundleManifest(.encoder(changed)).write(to: staged)
            try FileSystem.rename(
                staged.appendingPathComponent(BundleManifest.fileName),
                to: folder(of: changed).appendingPathComponent(BundleManifest.fileName))
            try FileSystem.remove(staged)
            try database.write { try changed.save($0) }
            return changed
        }
    }

    /// All encoders, by name.
    package func encoders() async throws -> [EncoderRecord] {
        try await read("listing the encoders", EncoderRecord.fetchAll)
    }

    /// Removes an encoder, and with `withHeads` the heads that read it. Without, an encoder that has heads is an
    /// `conflict` error that lists them (`details["heads"]`, comma-separated).
    package func removeEncoder(named name: String, withHeads: Bool) async throws -> Removal {
        try await withBundles("removing encoder '\(name)'") { [self] in
            var removal = try database.write { db in
                guard let record = try EncoderRecord.fetch(db, named: name) else {
                    throw try Registry.notFound(name, "encoder", among: .encoder, db)
                }
                let adapted = try EncoderRecord.names(db, trainedFrom: name)
                guard adapted.isEmpty else { throw Self.isBase(name, adapted) }
                let heads = try HeadRecord.names(db, of: name)
                guard withHeads || heads.isEmpty else { throw Self.inUse(name, heads) }
                for head in heads {
                    try BundleKind.head.delete(head, db)
                    try Self.scheduleRemoval(.heads, head, db)
                }
                try BundleKind.encoder.delete(name, db)
                try Self.scheduleRemoval(.encoders, name, db)
                let shared = try Int.fetchOne(
                    db, sql: "SELECT count(*) FROM encoder WHERE digest = ?", arguments: [record.digest])
                return Removal(
                    names: heads + [name], bytesFreed: 0, weightsDigests: shared == 0 ? [record.digest] : [])
            }
            removal.bytesFreed = try finishRemovals()
            return removal
        }
    }

    /// Removes the encoder, the head or the run of this name.
    package func remove(named name: String, withHeads: Bool) async throws -> Removal {
        switch try await item(named: name) {
        case .encoder: try await removeEncoder(named: name, withHeads: withHeads)
        case .head: try await removeHead(named: name)
        case .run: try await removeRun(name)
        }
    }

    /// Where the files of an encoder lie.
    package func folder(of encoder: EncoderRecord) -> URL { directory.folder(.encoders, encoder.name) }

    /// Whether the encoder's files are gone: adding it again puts them back.
    package func isLost(_ encoder: EncoderRecord) -> Bool { !FileSystem.exists(folder(of: encoder)) }

    /// A name is free when nobody has it, or when its own files were lost and the same weights come again.
    private func requireRoom(for record: EncoderRecord, _ db: Database) throws {
        try BundleKind.encoder.requireNoOtherKind(record.name, db)
        guard let former = try EncoderRecord.fetch(db, named: record.name) else { return }
        let isLost = isLost(former)
        let heads = try HeadRecord.names(db, of: record.name) + EncoderRecord.names(db, trainedFrom: record.name)
        guard isLost, heads.isEmpty || former.digest == record.digest else {
            throw WorkbenchError(
                .alreadyExists,
                isLost
                    ? "The files of encoder '\(record.name)' are missing, and these weights are not the ones that "
                        + "others (\(heads.joined(separator: ", "))) were trained on. Choose another name."
                    : "There is already an encoder '\(record.name)'. Choose another name, or remove it with "
                        + "`hidra rm \(record.name)`.",
                details: ["name": record.name, "kind": "encoder", "digest": former.digest])
        }
    }

    private static func isBase(_ name: String, _ adapted: [String]) -> WorkbenchError {
        WorkbenchError(
            .conflict,
            "Encoder '\(name)' is the base of \(adapted.count == 1 ? "an encoder that was" : "\(adapted.count) encoders that were") "
                + "trained from it: \(adapted.prefix(10).joined(separator: ", "))\(adapted.count > 10 ? ", …" : ""). Remove "
                + "\(adapted.count == 1 ? "it" : "them") first: `hidra rm \(adapted[0])`.",
            details: ["name": name, "adapted": adapted.joined(separator: ",")])
    }

    private static func inUse(_ name: String, _ heads: [String]) -> WorkbenchError {
        WorkbenchError(
            .conflict,
            "Encoder '\(name)' still has \(heads.count) head\(heads.count == 1 ? "" : "s"): "
                + "\(heads.prefix(10).joined(separator: ", "))\(heads.count > 10 ? ", …" : ""). "
                + "Remove them first, or remove the encoder together with its heads.",
            details: ["name": name, "heads": heads.joined(separator: ",")])
    }
}
