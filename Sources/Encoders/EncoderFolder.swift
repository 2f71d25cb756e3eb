package import Foundation

/// Finds out what kind of encoder a folder holds, and loads it.
package enum EncoderFolder {
    /// A native architecture when there are safetensors, else the graph.
    ///
    /// - Throws: `CheckpointError` and the errors of what it loads: the folder is incomplete, damaged or of an unsupported kind.
    ///   `PrecisionError`: int8 was asked for, and this is no text encoder of a native architecture.
    package static func load(
        _ folder: URL, precision: Precision = .fp32, registry: EncoderRegistry = .native
    ) throws -> any FeatureEncoder {
        func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: folder.appending(path: file).path) }
        if !has("model.safetensors"), GraphEncoder.files.contains(where: has) {
            if precision != .fp32 { throw PrecisionError(precision, "An encoder given as an ONNX graph") }
            return try GraphEncoder(folder: folder)
        }
        let modality =
            has("config.json") ? try registry.modality(Data(contentsOf: folder.appending(path: "config.json"))) : .text
        switch modality {
        case .text: return try TextEncoder(folder: folder, precision: precision, registry: registry)
        case .image:
            if precision != .fp32 { throw PrecisionError(precision, "An encoder of images") }
            return try ImageEncoder(folder: folder, registry: registry)
        }
    }
}
