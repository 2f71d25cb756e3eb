import Foundation

@testable import Tokenizers

/// A `tokenizer.json` of a few words, to be changed by tests.
struct TinyTokenizer {
    /// The document, as JSON values by key.
    var root: [String: String] = [
        "version": #""1.0""#,
        "truncation": #"{"max_length": 3, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}"#,
        "padding": "null",
        "added_tokens": "[\(added(0, "[PAD]")), \(added(2, "[CLS]")), \(added(3, "[SEP]"))]",
        "normalizer": normalizer(),
        "pre_tokenizer": #"{"type": "BertPreTokenizer"}"#,
        "post_processor": #"{"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}"#,
        "decoder": ###"{"type": "WordPiece", "prefix": "##", "cleanup": true}"###,
        "model": model(
            ###"{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"a":4,"b":5,"ab":6,"##b":7,"##bc":8,".":9,"e":10}"###),
    ]

    static func normalizer(stripsAccents: String = "null", lowercases: Bool = true, cleans: Bool = true) -> String {
        """
        {"type": "BertNormalizer", "clean_text": \(cleans), "handle_chinese_chars": true, \
        "strip_accents": \(stripsAccents), "lowercase": \(lowercases)}
        """
    }

    static func model(
        _ vocabulary: String, settings: String = #""unk_token": "[UNK]", "max_input_chars_per_word": 8"#
    ) -> String {
        ###"{"type": "WordPiece", \###(settings), "continuing_subword_prefix": "##", "vocab": \###(vocabulary)}"###
    }

    /// One of `added_tokens`; `flags` are the names of those that are true.
    static func added(_ id: Int, _ content: String, _ flags: String...) -> String {
        let settings = ["special", "normalized", "single_word", "lstrip", "rstrip"]
            .map { "\"\($0)\": \(flags.contains($0) || $0 == "special" && flags.isEmpty)" }
        return "{\"id\": \(id), \"content\": \"\(content)\", \(settings.joined(separator: ", "))}"
    }

    /// The document with some keys changed, or removed where the value is empty.
    static func json(_ changes: [String: String] = [:]) -> Data {
        let root = TinyTokenizer().root.merging(changes) { $1 }.filter { !$0.value.isEmpty }
        return Data("{\(root.map { "\"\($0)\": \($1)" }.joined(separator: ",\n"))}".utf8)
    }

    static func make(_ changes: [String: String] = [:]) throws -> Tokenizer {
        try Tokenizer(json: json(changes))
    }
}
