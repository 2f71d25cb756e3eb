import Encoders
package import Foundation
package import State

extension Workbench {
    /// Registers an encoder that was trained from another one: what `TextBody.write` left in a staged folder
    /// (`registry.directory.stage()`), under a name of its own. From then on it is an encoder like any other.
    ///
    /// It is loaded once: what cannot be loaded is not registered. Its digest covers its base's weights and its own.
    ///
    /// - Parameter source: what made it, such as a session's name.
    /// - Throws: `alreadyExists`, `invalidArgument`, `corrupt`, `unsupported`.
    package func registerAdapted(
        staged: URL, name: String, base: LoadedEncoder, source: String
    ) async throws -> EncoderRecord {
        try BundleName.validate(name)
        let adapted = try await adapted(staged: staged, name: name, base: base, source: source)
        return try await registry.addEncoder(adapted.record, staged: staged)
    }

    /// The encoder in a staged folder, loaded, and what would be registered of it.
    func adapted(staged: URL, name: String, base: LoadedEncoder, source: String) async throws -> LoadedEncoder {
        try await Workbench.offPool {
            let described: AdaptedBase, weights: String
            do {
                (described, weights) = (try AdaptedFolder.base(staged), try AdaptedFolder.weightsFile(staged))
            } catch {
                throw WorkbenchError(.corrupt, "Encoder '\(name)' cannot be registered: \(error)", cause: error)
            }
            guard base.record.base == nil, described.digest == base.record.digest, described.name == base.record.name else {
                throw WorkbenchError(
                    .invalidArgument,
                    "Encoder '\(name)' was trained from '\(described.name)' (\(described.digest.prefix(12))…), not from "
                        + "'\(base.record.name)' (\(base.record.digest.prefix(12))…).")
            }
            let encoder = try EncoderHouse.load(staged, name, base: base.encoder)
            let files = try BundleFile.list(staged)
            guard let own = files.first(where: { $0.path == weights }) else {
                throw WorkbenchError(.corrupt, "Encoder '\(name)' has no \(weights).")
            }
            var record = base.record
            (record.name, record.source, record.revision) = (name, source, "")
            (record.base, record.precision, record.files) = (described, .fp32, files)
            record.parameters = encoder.parameterCount
            record.digest = SHA256Digest(of: Data("\(described.digest)\n\(described.cut)\n\(own.sha256)\n".utf8)).hex
            record.created = Date().timeIntervalSince1970
            return LoadedEncoder(record: record, encoder: encoder, base: base.record)
        }
    }

    /// Registers an adapter that PEFT has saved, in a folder with `adapter_config.json` and `adapter_model.safetensors`, as an encoder
    /// upon `base`.
    ///
    /// - Throws: as `registerAdapted`; `corrupt` for a folder that holds no low-rank adapter of that encoder.
    package func registerAdapter(peft folder: URL, name: String, base: LoadedEncoder) async throws -> EncoderRecord {
        let staged = try registry.directory.stage()
        do {
            try await Workbench.offPool {
                do {
                    try AdaptedFolder.adopt(
                        peft: folder, base: base.record.name, digest: base.record.digest, to: staged)
                } catch {
                    throw WorkbenchError(.corrupt, "The adapter in \(folder.path) cannot be used: \(error)", cause: error)
                }
            }
            return try await registerAdapted(staged: staged, name: name, base: base, source: folder.path)
        } catch {
            if FileManager.default.fileExists(atPath: staged.path) { try FileManager.default.removeItem(at: staged) }
            throw error
        }
    }
}
