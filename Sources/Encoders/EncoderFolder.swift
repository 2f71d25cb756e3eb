package import Foundation

/// Finds out what kind of encoder a folder holds, and loads it.
package enum EncoderFolder {
    /// A native architecture when there are safetensors, else the graph.
    ///
    /// - Throws: `CheckpointError` and the errors of what it loads: the folder is incomplete, damaged or of an unsupported kind.
    package static func load(_ folder: URL, registry: EncoderRegistry = .native) throws -> any FeatureEncoder {
        func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: folder.appending(path: file).path) }
        if !has("model.safetensors"), GraphEncoder.files.contains(where: has) {
            return try GraphEncoder(folder: folder)
        }
        let modality =
            has("config.json") ? try registry.modality(Data(contentsOf: folder.appending(path: "config.json"))) : .text
        switch modality {
        case .text: return try TextEncoder(folder: folder, registry: registry)
        case .image: return try ImageEncoder(folder: folder, registry: registry)
        }
    }
}
