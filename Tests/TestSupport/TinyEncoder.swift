import Checkpoints
package import Foundation
import TensorCore

/// A random BERT of two layers and 32 dimensions with a small vocabulary: everything a real encoder has, in milliseconds.
package enum TinyEncoder {
    static let width = 32, layers = 2, inner = 64, positions = 24
    package static let words =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + "abcdefghijklmnopqrstuvwxyz".flatMap { ["\($0)", "##\($0)"] }

    /// Writes the folder of a Hugging Face encoder. The same seed gives the same weights.
    package static func write(to folder: URL, seed: UInt64 = 1) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // Sorted: the same encoder has the same digests.
        try JSONSerialization.data(withJSONObject: configuration, options: .sortedKeys).write(
            to: folder.appending(path: "config.json"))
        try JSONSerialization.data(withJSONObject: tokenizer, options: .sortedKeys).write(
            to: folder.appending(path: "tokenizer.json"))
        try SafetensorsWriter.encode(weights(seed)).write(to: folder.appending(path: "model.safetensors"))
    }

    package static var configuration: [String: Any] {
        [
            "model_type": "bert", "hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": 4,
            "intermediate_size": inner, "hidden_act": "gelu", "vocab_size": words.count,
            "max_position_embeddings": positions,
            "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        ]
    }

    private static var tokenizer: [String: Any] {
        let special: [String: Any] = [
            "[CLS]": ["id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]],
            "[SEP]": ["id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]],
        ]
        func token(_ id: String) -> [String: Any] { ["SpecialToken": ["id": id, "type_id": 0]] }
        func sequence(_ id: String, _ type: Int) -> [String: Any] { ["Sequence": ["id": id, "type_id": type]] }
        return [
            "version": "1.0",
            "added_tokens": words.prefix(4).enumerated().map { id, word -> [String: Any] in
                [
                    "id": id, "content": word, "special": true, "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false,
                ]
            },
            "normalizer": [
                "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "lowercase": true,
            ],
            "pre_tokenizer": ["type": "BertPreTokenizer"],
            "post_processor": [
                "type": "TemplateProcessing", "single": [token("[CLS]"), sequence("A", 0), token("[SEP]")],
                "pair": [token("[CLS]"), sequence("A", 0), token("[SEP]"), sequence("B", 1), token("[SEP]")],
                "special_tokens": special,
            ],
            "decoder": ["type": "WordPiece", "prefix": "##", "cleanup": true],
            "model": [
                "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100,
                "vocab": Dictionary(uniqueKeysWithValues: words.enumerated().map { ($1, $0) }),
            ],
        ]
    }

    private static func weights(_ seed: UInt64) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        func random(_ name: String, _ shape: Shape, around centre: Float = 0) {
            var numbers = Random(seed: seed, stream: name)
            tensors[name] = Tensor((0..<shape.count).map { _ in centre + (numbers.uniform() - 0.5) * 0.4 }, shape)
        }
        func linear(_ name: String, _ input: Int, _ output: Int) {
            random("\(name).weight", [output, input])
            random("\(name).bias", [output])
        }
        func norm(_ name: String) {
            random("\(name).weight", [width], around: 1)
            random("\(name).bias", [width])
        }
        random("embeddings.word_embeddings.weight", [words.count, width])
        random("embeddings.position_embeddings.weight", [positions, width])
        random("embeddings.token_type_embeddings.weight", [2, width])
        norm("embeddings.LayerNorm")
        for layer in 0..<layers {
            let path = "encoder.layer.\(layer)"
            for part in ["query", "key", "value"] { linear("\(path).attention.self.\(part)", width, width) }
            linear("\(path).attention.output.dense", width, width)
            norm("\(path).attention.output.LayerNorm")
            linear("\(path).intermediate.dense", width, inner)
            linear("\(path).output.dense", inner, width)
            norm("\(path).output.LayerNorm")
        }
        return tensors
    }
}

/// A folder that goes when the test is done with it.
package final class TemporaryFolder: Sendable {
    package let url: URL

    package init() throws {
        // Short: the path of a socket below it has to fit into a hundred bytes.
        url = URL(filePath: "/tmp/hidra-test-\(UUID().uuidString.prefix(8))", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        // A test's leftovers are no test's failure.
        _ = try? FileManager.default.removeItem(at: url)
    }
}
