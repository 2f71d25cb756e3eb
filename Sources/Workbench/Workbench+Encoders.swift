import Encoders
package import Foundation
package import State

extension Workbench {
    /// Registers the encoder whose files lie in a staged folder, after loading it once: what cannot be loaded is not registered.
    ///
    /// - Returns: the record, and false when exactly this encoder was registered before.
    package func registerEncoder(
        staged: URL, name: String, source: String, revision: String, licence: String, files: [BundleFile]
    ) async throws -> (record: EncoderRecord, isNew: Bool) {
        try BundleName.validate(name)
        guard let weights = files.first(where: { EncoderRecord.weightsFiles.contains($0.path) }) else {
            throw WorkbenchError(
                .unsupported,
                "The source has no model.safetensors in one piece, and no model.onnx; sharded checkpoints cannot be loaded. Merge the "
                    + "shards first.")
        }
        // Lost files are put back by registering them again; the registry sees to it that heads get their own weights.
        if let present = try await registry.encoders().first(where: { $0.name == name }),
            !registry.isLost(present)
        {
            if present.files == files.sorted(by: { $0.path < $1.path }) {
                try FileManager.default.removeItem(at: staged)
                return (present, false)
            }
            throw WorkbenchError(
                .alreadyExists,
                "There is already another encoder '\(name)'. Give this one a name with --name, or remove the other with "
                    + "`hidra rm \(name)`.", details: ["name": name])
        }
        let record = try await Workbench.offPool {
            let encoder = try EncoderHouse.load(staged, name)
            return EncoderRecord(
                name: name, architecture: encoder.architecture, parameters: encoder.parameterCount,
                bytes: files.reduce(0) { $0 + $1.bytes }, width: encoder.width, layers: encoder.topTap,
                maxTokens: encoder.maxTokens, pooling: encoder.poolingName, modality: encoder.modality,
                taps: encoder.taps.map(\.name), source: source, revision: revision,
                licence: licence, digest: weights.sha256, created: Date().timeIntervalSince1970,
                files: files.sorted { $0.path < $1.path })
        }
        return (try await registry.addEncoder(record, staged: staged), true)
    }
}
