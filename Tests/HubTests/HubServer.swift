import Foundation
import Testing

/// A hub of its own for one test, played by `hub_server.py`.
struct HubServer: Sendable {
    struct Request: Decodable {
        var host: String
        var method: String
        var path: String
        var authorization: String?
        var range: String?
        var ifRange: String?
        var acceptEncoding: String?

        private enum CodingKeys: String, CodingKey {
            case host, method, path, authorization, range
            case ifRange = "if-range"
            case acceptEncoding = "accept-encoding"
        }
    }

    static let commit = "0123456789abcdef0123456789abcdef01234567"

    static let canRun = FixtureProcess.isPresent && FetchHarness.hasCurl

    private let number: Int
    /// For `HF_ENDPOINT`.
    let endpoint: String
    /// SHA-256 of the served files, computed by Python.
    let sha256: [String: String]

    /// - Parameters:
    ///   - files: what the repository `org/name` holds.
    ///   - settings: further settings of `hub_server.py`.
    init(_ files: [String: Data] = Self.encoder(), _ settings: [String: Any] = [:]) throws {
        struct Answer: Decodable {
            var number: Int
            var endpoint: String
            var sha256: [String: String]
        }
        // The server reads the files once.
        let folder = try TemporaryFolder()
        for (path, data) in files { try folder.write(data, to: path) }
        var settings = settings
        settings["root"] = folder.url.path
        settings["repo"] = "org/name"
        settings["commit"] = Self.commit
        let answer: Answer = try FixtureProcess.ask("hub", settings)
        number = answer.number
        endpoint = answer.endpoint
        sha256 = answer.sha256
        withExtendedLifetime(folder) {}
    }

    /// The requests so far.
    func log() throws -> [Request] {
        try FixtureProcess.ask("log", ["hub": number])
    }

    /// GETs of a file's content, at either host.
    func downloads(_ path: String, from host: String) throws -> [Request] {
        try log().filter { $0.method == "GET" && $0.host == host && $0.path.contains(path) }
    }

    /// Reproducible noise, so that no two stretches are alike.
    static func noise(_ count: Int) -> Data {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        return Data(
            (0..<count).map { _ in
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                return UInt8(truncatingIfNeeded: state >> 24)
            })
    }

    /// The files of a sentence encoder with weights of `weights` bytes, and some that must not be fetched.
    static func encoder(weights: Int = 300_000) -> [String: Data] {
        [
            "config.json": Data(#"{"model_type": "bert"}"#.utf8),
            "tokenizer.json": Data(String(repeating: #"{"version": "1.0"} "#, count: 4_000).utf8),
            "tokenizer_config.json": Data("{}".utf8),
            "special_tokens_map.json": Data(#"{"cls_token": "[CLS]"}"#.utf8),
            "modules.json": Data("[]".utf8),
            "1_Pooling/config.json": Data(#"{"pooling_mode_mean_tokens": true}"#.utf8),
            "sentence_bert_config.json": Data(#"{"max_seq_length": 256}"#.utf8),
            "config_sentence_transformers.json": Data("{}".utf8),
            "model.safetensors": noise(weights),
            "pytorch_model.bin": Data("pickle".utf8),
            "README.md": Data("# A model".utf8),
            "onnx/model.onnx": Data("graph".utf8),
        ]
    }

    /// Those of `encoder()` that an encoder needs.
    static let needed: Set<String> = [
        "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "modules.json",
        "1_Pooling/config.json", "sentence_bert_config.json", "config_sentence_transformers.json", "model.safetensors",
    ]
}
