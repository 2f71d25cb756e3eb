import Checkpoints
import Foundation
import Testing
import TestSupport

@testable import Encoders
@testable import TensorCore

@Suite("An encoder's folder")
struct EncoderFolderTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try TinyEncoder.write(to: folder.url)
    }

    private func change(_ key: String, _ value: Any?) throws {
        var configuration = TinyEncoder.configuration
        configuration[key] = value
        try JSONSerialization.data(withJSONObject: configuration).write(to: folder.url.appending(path: "config.json"))
    }

    @Test("a text has the same bits alone and in company")
    func batchInvariance() throws {
        let encoder = try TextEncoder(folder: folder.url)
        let texts = ["abc def", "x", "hello there world", "", "a b c d e f g"].map(encoder.tokenize)
        let together = encoder.features(texts)
        for (row, text) in texts.enumerated() {
            #expect(encoder.features([text]).values == together.rows(row..<row + 1).values)
        }
    }

    @Test("a long text is cut and counted")
    func truncation() throws {
        let encoder = try TextEncoder(folder: folder.url)
        let text = encoder.tokenize(String(repeating: "a ", count: 100))
        #expect(text.count == 24 && text.truncated == 78)
    }

    @Test("nothing above the tap is computed, and every tap is there")
    func taps() throws {
        let encoder = try TextEncoder(folder: folder.url)
        let text = encoder.tokenize("abc")
        let rows = (0...2).map { encoder.features([text], tap: $0).values }
        #expect(Set(rows.map { $0.map(\.bitPattern) }).count == 3)
    }

    @Test("each key the computation depends on is required", arguments: [
        "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act", "vocab_size",
        "max_position_embeddings", "type_vocab_size", "layer_norm_eps", "model_type",
    ])
    func required(_ key: String) throws {
        try change(key, nil)
        let error = #expect(throws: CheckpointError.self) { try TextEncoder(folder: folder.url) }
        #expect(error?.code == .invalidConfiguration && error?.message.contains(key) == true, "\(String(describing: error))")
    }

    @Test("values that cannot be are refused by name", arguments: [
        ("hidden_act", "swish"), ("position_embedding_type", "relative_key"), ("model_type", "gpt9"),
    ])
    func unknownValues(_ key: String, _ value: String) throws {
        try change(key, value)
        let error = #expect(throws: CheckpointError.self) { try TextEncoder(folder: folder.url) }
        #expect(error?.code == .invalidConfiguration, "\(String(describing: error))")
    }

    @Test("numbers that do not fit the weights are refused", arguments: [
        ("hidden_size", 64), ("num_hidden_layers", 3), ("num_hidden_layers", 1), ("num_attention_heads", 5), ("vocab_size", 7),
        ("hidden_size", -1), ("num_hidden_layers", 100_000_000),
    ])
    func wrongNumbers(_ key: String, _ value: Int) throws {
        try change(key, value)
        #expect(throws: CheckpointError.self) { try TextEncoder(folder: folder.url) }
    }

    @Test("pooling is read from sentence-transformers' files, and unknown modules are refused")
    func pooling() throws {
        #expect(try TextEncoder(folder: folder.url).pooling == Pooling(mode: .mean, normalise: false))
        let modules = folder.url.appending(path: "modules.json")
        try Data(#"[{"path":"","type":"sentence_transformers.models.Transformer"},{"path":"2","type":"x.Normalize"}]"#.utf8)
            .write(to: modules)
        #expect(try TextEncoder(folder: folder.url).pooling.normalise)
        try Data(#"[{"path":"3_Dense","type":"sentence_transformers.models.Dense"}]"#.utf8).write(to: modules)
        #expect(throws: CheckpointError.self) { try TextEncoder(folder: folder.url) }
        try Data(#"[{"path":"../../etc","type":"sentence_transformers.models.Pooling"}]"#.utf8).write(to: modules)
        #expect(throws: CheckpointError.self) { try TextEncoder(folder: folder.url) }
    }
}
