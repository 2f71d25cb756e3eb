import Encoders
package import Foundation
import GRDB

extension Registry {
    /// Registers a trained head whose files lie in a staged folder. `files` of the record is filled in.
    ///
    /// Fails with `alreadyExists` when the name is taken, `notFound` without its encoder, `diskFull`.
    @discardableResult
    package func addHead(_ record: HeadRecord, staged: URL) async throws -> HeadRecord {
        try await save(record, staged: staged, replacing: false)
    }

    /// Like `addHead`, but takes the place of a head of this name: files by rename, record in one transaction. Until
    /// then, and after any failure, the former head is whole.
    @discardableResult
    package func replaceHead(_ record: HeadRecord, staged: URL) async throws -> HeadRecord {
        try await save(record, staged: staged, replacing: true)
    }

    private func save(_ record: HeadRecord, staged: URL, replacing: Bool) async throws -> HeadRecord {
        try BundleName.validate(record.name)
        return try await withBundles("saving head '\(record.name)'") { [self] in
            try database.read { db in
                try Self.requireHeadName(record.name, replacing: replacing || isLost(record.name), db)
                for input in record.reads {
                    guard let encoder = try EncoderRecord.fetch(db, named: input.encoder) else {
                        throw try Self.notFound(input.encoder, "encoder", among: .encoder, db)
                    }
                    guard encoder.digest == input.encoderDigest else {
                        throw WorkbenchError(
                            .invalidArgument,
                            "Head '\(record.name)' was trained on other weights than those of encoder '\(encoder.name)' "
                                + "(\(input.encoderDigest.prefix(12))…, not \(encoder.digest.prefix(12))…). Train it again."
                        )
                    }
                }
            }
            var complete = record
            complete.files = try files(staged: staged, declared: record.files)
            let head = complete
            try install(BundleManifest(.head(head)), staged: staged, kind: .head) { try head.save($0) }
            return head
        }
    }

    /// The head of this name. Fails with `notFound` and a suggestion.
    package func head(named name: String) async throws -> HeadRecord {
        try await read("looking up head '\(name)'") { db in
            guard let record = try HeadRecord.fetch(db, named: name) else {
                throw try Registry.notFound(name, "head", among: .head, db)
            }
            return record
        }
    }

    /// All heads, by name; of one encoder when it is given.
    package func heads(of encoder: String? = nil) async throws -> [HeadRecord] {
        try await read("listing the heads") { db in
            try HeadRecord.fetchAll(db).filter { head in encoder == nil || head.reads.contains { $0.encoder == encoder } }
        }
    }

    package func removeHead(named name: String) async throws -> Removal {
        try await withBundles("removing head '\(name)'") { [self] in
            try database.write { db in
                guard try HeadRecord.fetch(db, named: name) != nil else {
                    throw try Self.notFound(name, "head", among: .head, db)
                }
                try BundleKind.head.delete(name, db)
                try Self.scheduleRemoval(.heads, name, db)
            }
            return Removal(names: [name], bytesFreed: try finishRemovals(), weightsDigests: [])
        }
    }

    /// Where the files of a head lie.
    package func folder(of head: HeadRecord) -> URL { directory.folder(.heads, head.name) }

    /// A head whose folder is gone may be made again under its name.
    private func isLost(_ name: String) -> Bool { !FileSystem.exists(directory.folder(.heads, name)) }
}
