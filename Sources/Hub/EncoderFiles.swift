import Foundation

/// Which files of a repository or folder make an encoder.
struct EncoderFiles: Equatable {
    enum Weights: Equatable {
        case single(String)
        /// The index lists the shards.
        case sharded(index: String)
    }

    /// Configuration and tokenizer, `config.json` first.
    var plain: [String]
    var weights: Weights

    /// Bytes; the index of a model with thousands of weights has some hundred kilobytes.
    static let longestIndex = 16 << 20

    /// An encoder as a graph, where there are no safetensors: at the top, or where exporters put it.
    private static let graphs = ["model.onnx", "onnx/model.onnx"]
    private static let optional: Set = [
        "added_tokens.json", "config.json", "config_sentence_transformers.json", "modules.json",
        "preprocessor_config.json",
        "special_tokens_map.json", "tokenizer_config.json",
    ]
    private static let pickles = [".bin", ".pt", ".pth", ".ckpt", ".pkl"]

    /// Chooses from the paths that a source holds.
    ///
    /// Throws `unsupported` when the only weights are Python pickles, and `invalidData` when something is missing.
    /// - Parameters:
    ///   - source: how to call the source in an error.
    ///   - readsText: whether it needs a tokenizer; nil: unless there is a `preprocessor_config.json`.
    static func choose(from paths: Set<String>, source: String, readsText: Bool? = nil) throws(HubError) -> EncoderFiles
    {
        let weights: Weights
        var required =
            readsText ?? !paths.contains("preprocessor_config.json")
            ? ["config.json", "tokenizer.json"] : ["config.json"]
        if paths.contains("model.safetensors") {
            weights = .single("model.safetensors")
        } else if paths.contains("model.safetensors.index.json") {
            weights = .sharded(index: "model.safetensors.index.json")
        } else if let graph = graphs.first(where: paths.contains) {
            weights = .single(graph)
            // The graph says itself what it is.
            required.removeFirst()
        } else if let pickle = paths.sorted().first(where: { path in pickles.contains { path.hasSuffix($0) } }) {
            throw HubError(
                .unsupported,
                "\(source) has its weights only as a Python pickle (\(pickle)). Reading one can run code, "
                    + "so Hidra never does. Look for a revision or a copy with model.safetensors, or convert it with "
                    + "safetensors in Python.")
        } else {
            throw HubError(
                .invalidData,
                "\(source) has no model.safetensors and no model.onnx. Give a repository or folder that has one.")
        }
        let missing = required.filter { !paths.contains($0) }
        guard missing.isEmpty else {
            throw HubError(
                .invalidData,
                "\(source) has no \(missing.joined(separator: " and no ")). A text encoder needs config.json, tokenizer.json and "
                    + "model.safetensors in its top folder, or tokenizer.json and model.onnx; an image encoder config.json, "
                    + "preprocessor_config.json and model.safetensors, or preprocessor_config.json and model.onnx.")
        }
        let others = paths.filter { path in
            !required.contains(path) && (optional.contains(path) || isSentenceConfiguration(path) || isModule(path))
        }
        return EncoderFiles(plain: required + others.sorted(), weights: weights)
    }

    /// The shards that an index file names, sorted.
    ///
    /// The names come from the source: each must be a plain file name that the source holds, and end as weights do.
    static func shards(inIndex data: Data, of paths: Set<String>, source: String) throws(HubError) -> [String] {
        struct Index: Decodable {
            var weight_map: [String: String]
        }
        let index: Index
        do {
            index = try JSONDecoder().decode(Index.self, from: data)
        } catch {
            throw HubError(
                .invalidData, "model.safetensors.index.json of \(source) is not a list of weights: \(error)",
                cause: error)
        }
        let shards = Set(index.weight_map.values)
        for shard in shards where shard.contains("/") || !shard.hasSuffix(".safetensors") || !paths.contains(shard) {
            throw HubError(
                .invalidData, "model.safetensors.index.json names '\(shard)', which \(source) does not have.")
        }
        guard !shards.isEmpty else {
            throw HubError(.invalidData, "model.safetensors.index.json of \(source) names no weights.")
        }
        return shards.sorted()
    }

    /// `sentence_bert_config.json` and its kin: the limit on the text's length.
    private static func isSentenceConfiguration(_ path: String) -> Bool {
        path.hasPrefix("sentence_") && path.hasSuffix("_config.json") && !path.contains("/")
    }

    /// A file of a sentence-transformers module: `1_Pooling/config.json`, `2_Dense/model.safetensors`.
    private static func isModule(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && ["config.json", "model.safetensors"].contains(parts[1])
            && isModuleFolder(String(parts[0]))
    }

    /// `1_Pooling`: digits, an underscore, letters.
    static func isModuleFolder(_ name: String) -> Bool {
        let words = name.split(separator: "_", omittingEmptySubsequences: false)
        guard words.count == 2, let number = words.first, let kind = words.last else { return false }
        return !number.isEmpty && number.utf8.allSatisfy { (0x30...0x39).contains($0) } && !kind.isEmpty
            && kind.unicodeScalars.allSatisfy { $0.isASCII && $0.properties.isAlphabetic }
    }
}
