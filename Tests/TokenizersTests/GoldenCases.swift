import Foundation

@testable import Tokenizers

/// The golden values for tokenizers: `manifest.json`, and for each case a tokenizer and what the reference
/// (transformers) makes of some texts with it.
enum GoldenCases {
    /// One entry of the manifest that describes a tokenizer.json.
    struct Entry: Decodable, Sendable, CustomStringConvertible {
        struct Files: Decodable, Sendable {
            var tokenizer: String?
            var cases: String
        }

        var name: String
        var files: Files
        var vocabulary: Int?
        var description: String { name }
    }

    private struct Manifest: Decodable {
        var cases: [Entry]
    }

    /// What the reference makes of one text.
    struct Expectation: Decodable, Sendable {
        var text: String
        var pair: String?
        var maxLength: Int?
        var ids: [Int32]
        var typeIDs: [Int32]?
        var offsets: [Int]
        var decoded: String?
        var decodedSkipSpecial: String?

        enum CodingKeys: String, CodingKey {
            case text, pair, ids, offsets, decoded
            case maxLength = "max_length"
            case typeIDs = "type_ids"
            case decodedSkipSpecial = "decoded_skip_special"
        }
    }

    struct Cases: Decodable, Sendable {
        var single: [Expectation]
        var withoutSpecialTokens: [Expectation]
        var pairs: [Expectation]
        var truncated: [Expectation]

        enum CodingKeys: String, CodingKey {
            case single, pairs, truncated
            case withoutSpecialTokens = "without_special_tokens"
        }
    }

    static let folder: URL = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path = ProcessInfo.processInfo.environment["HIDRA_GOLDEN"] ?? "../shared/golden"
        return URL(fileURLWithPath: path, relativeTo: root).appendingPathComponent("tokenizers")
    }()

    static let areAvailable = FileManager.default.fileExists(
        atPath: folder.appendingPathComponent("manifest.json").path)

    /// The entries whose tokenizer has a model that is supported; empty where there are no golden values.
    static let supported: [Entry] = {
        guard areAvailable else { return [] }
        do {
            let manifest = try JSONDecoder().decode(Manifest.self, from: data("manifest.json"))
            return try manifest.cases.filter { entry in
                guard let path = entry.files.tokenizer else { return false }
                let model = try JSONDocument(data(path)).root.object("tokenizer.json").object("model")
                return try TokenizerModelRegistry.supported.contains(model.string("type"))
            }
        } catch {
            fatalError("the golden values in \(folder.path) cannot be read: \(error)")
        }
    }()

    /// Each tokenizer is loaded once for all tests.
    private static let tokenizers: [String: Result<Tokenizer, any Error>] = Dictionary(
        uniqueKeysWithValues: supported.map { entry in
            let file = folder.appendingPathComponent(entry.files.tokenizer ?? "")
            return (entry.name, Result { try Tokenizer.load(file) })
        })

    static func tokenizer(_ entry: Entry) throws -> Tokenizer {
        guard let result = tokenizers[entry.name] else {
            throw TokenizerError(.unreadable, "no tokenizer called \(entry.name)")
        }
        return try result.get()
    }

    static func cases(_ entry: Entry) throws -> Cases {
        try JSONDecoder().decode(Cases.self, from: data(entry.files.cases))
    }

    private static func data(_ path: String) throws -> Data {
        try Data(contentsOf: folder.appendingPathComponent(path))
    }
}
