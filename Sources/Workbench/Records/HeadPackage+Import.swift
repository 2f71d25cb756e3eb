import Archives
import Encoders
package import Foundation
import Heads
package import State

/// What came of importing a head.
package struct HeadImport: Sendable {
    package var head: HeadRecord
    /// False when exactly this head was there before.
    package var isNew: Bool
    package var notes: [String]
}

extension Workbench {
    /// Registers the head of a bundle, after checking every digest, and that the encoders it was trained on are here.
    ///
    /// - Parameter name: nil: the bundle's own.
    /// - Throws: `corrupt` for a damaged file, `unsupported` for one of another version, `notFound` without an encoder and `conflict`
    ///   with another version of it, both with what to pull; `alreadyExists` when the name is taken.
    package func importBundle(_ data: Data, name: String?, replace: Bool) async throws -> HeadImport {
        let (package, members) = try await Workbench.offPool { try HeadPackage.read(data) }
        var record = package.head
        record.name = name ?? record.name
        try BundleName.validate(record.name)
        try await rename(&record, package.encoders)
        if let present = try await registry.heads().first(where: { $0.name == record.name }),
            present.digest == record.digest, present.encoderDigest == record.encoderDigest, present.labels == record.labels
        {
            return HeadImport(head: present, isNew: false, notes: [])
        }
        try await registry.requireHeadName(record.name, replacing: replace)
        let staging = try registry.directory.stage()
        do {
            let head = record
            let loaded = try await Workbench.offPool { try package.unpack(members, head, to: staging) }
            // Tokenizers and pooling count as well as weights.
            _ = try await sources(of: loaded, nil)
            let saved = replace ? try await registry.replaceHead(head, staged: staging) : try await registry.addHead(head, staged: staging)
            heads.forget(saved.name)
            var notes = try await keepTraining(members)
            if let calls = saved.calls, !calls.isEmpty {
                notes.append(
                    "The head can only be asked while a client serves it (\(calls.map(\.rawValue).joined(separator: ", "))): "
                        + "\(saved.servedBy ?? "the one that trained it").")
            }
            return HeadImport(head: saved, isNew: true, notes: notes)
        } catch {
            if FileManager.default.fileExists(atPath: staging.path) { try FileManager.default.removeItem(at: staging) }
            throw error
        }
    }

    /// Names the encoders of this home that have the weights of the bundle's.
    private func rename(_ record: inout HeadRecord, _ needed: [EncoderRecord]) async throws {
        let present = try await registry.encoders()
        var names: [String: String] = [:]
        for encoder in needed {
            let same = present.filter { $0.digest == encoder.digest }
            guard let match = same.first(where: { $0.name == encoder.name }) ?? same.first else {
                throw Self.missing(encoder, other: present.first { $0.name == encoder.name })
            }
            names[encoder.name] = match.name
        }
        record.encoder = names[record.encoder] ?? record.encoder
        record.inputs = record.inputs?.map { input in
            var input = input
            input.encoder = names[input.encoder] ?? input.encoder
            return input
        }
    }

    private static func missing(_ encoder: EncoderRecord, other: EncoderRecord?) -> WorkbenchError {
        let revision = encoder.revision.isEmpty || !encoder.source.hasPrefix("hf:") || encoder.source.contains("@") ? "" : "@\(encoder.revision)"
        let source = encoder.source + revision
        let isFetched = encoder.source.hasPrefix("hf:") || (!encoder.source.contains("/") && !encoder.source.isEmpty)
        let details = ["encoder": encoder.name, "digest": encoder.digest, "source": source]
        let place = isFetched ? "" : " (it was pulled from the folder \(encoder.source) of the other machine)"
        if let other {
            let advice = isFetched ? "`hidra pull \(source) --name \(encoder.name)-2`" : "`hidra pull FOLDER --name \(encoder.name)-2`"
            return WorkbenchError(
                .conflict,
                "The head was trained on another version of encoder '\(encoder.name)': weights \(encoder.digest.prefix(12))…, and here are "
                    + "\(other.digest.prefix(12))…. Pull that version under another name, \(advice)\(place), and import again.",
                details: details)
        }
        let advice = isFetched ? "`hidra pull \(source) --name \(encoder.name)`" : "`hidra pull FOLDER --name \(encoder.name)`"
        return WorkbenchError(
            .notFound,
            "The head needs encoder '\(encoder.name)' with the weights \(encoder.digest.prefix(12))…, which is not registered here. "
                + "Pull it first, \(advice)\(place), and import again.", details: details)
    }

    /// The run's record, and what it kept. Returns what could not be used.
    private func keepTraining(_ members: [String: Data]) async throws -> [String] {
        guard let bytes = members[HeadPackage.run] else { return [] }
        let training: HeadPackage.Training = try HeadPackage.decode(bytes, HeadPackage.run)
        guard training.record.state != .running, BundleName.isRun(training.record.id) else {
            return ["The record of the head's run cannot be used."]
        }
        do {
            _ = try await registry.run(training.record.id)
            return []
        } catch let error as WorkbenchError where error.code == .notFound {
            try await registry.addRun(training.record, metrics: training.metrics)
            guard let rows = members[TestRows.fileName] else { return [] }
            return await keep(try HeadPackage.decode(rows, TestRows.fileName), of: training.record).map { [$0] } ?? []
        }
    }
}

extension HeadPackage {
    /// Checks an archive against its index.
    static func read(_ data: Data) throws -> (package: HeadPackage, members: [String: Data]) {
        let all: [ZipFile.Member]
        do { all = try ZipFile.decode(data) } catch let error as ArchiveError {
            throw WorkbenchError(.corrupt, "This is no bundle of a head: \(error). Export it again.", cause: error)
        }
        let members = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.bytes) })
        guard let index = members[Self.index] else {
            throw WorkbenchError(.corrupt, "This archive has no \(Self.index): it is no bundle of a head.")
        }
        struct Version: Decodable { var format: Int }
        let version: Version = try decode(index, Self.index)
        guard version.format == currentFormat else {
            throw WorkbenchError(
                .unsupported, "The bundle has format \(version.format); this version of Hidra reads \(currentFormat). Update Hidra.")
        }
        let package: HeadPackage = try decode(index, Self.index)
        for file in package.files {
            guard let bytes = members[file.path] else { throw WorkbenchError(.corrupt, "The bundle lacks \(file.path). Export it again.") }
            guard SHA256Digest(of: bytes).hex == file.sha256 else {
                throw WorkbenchError(
                    .corrupt, "\(file.path) in the bundle was altered: its SHA-256 is not the one in \(Self.index). Export it again.",
                    details: ["file": file.path])
            }
        }
        let known = Set(package.files.map(\.path))
        guard package.head.files.allSatisfy({ known.contains(headFolder + $0.path) }) else {
            throw WorkbenchError(.corrupt, "The bundle lacks files of its head. Export it again.")
        }
        return (package, members)
    }

    static func decode<Value: Decodable>(_ bytes: Data, _ name: String) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do { return try decoder.decode(Value.self, from: bytes) } catch {
            throw WorkbenchError(.corrupt, "\(name) in the bundle cannot be read: \(error). Export it again.", cause: error)
        }
    }

    /// Writes the head's own files, which have plain names, and loads them once.
    func unpack(_ members: [String: Data], _ record: HeadRecord, to folder: URL) throws -> LoadedHead {
        for file in record.files {
            guard !file.path.contains("/"), !file.path.hasPrefix("."), !file.path.isEmpty, let bytes = members[Self.headFolder + file.path]
            else {
                throw WorkbenchError(.corrupt, "'\(file.path)' cannot be a file of a head. Export the head again.")
            }
            try bytes.write(to: folder.appending(path: file.path))
        }
        do {
            let bundle = try HeadBundle(folder: folder)
            guard bundle.description.weightsDigest == record.digest, bundle.description.labels == record.labels else {
                throw WorkbenchError(.corrupt, "The bundle's record and its head do not fit each other. Export it again.")
            }
            return LoadedHead(record: record, bundle: bundle)
        } catch let error as HeadError {
            throw WorkbenchError(error)
        }
    }
}
