import Foundation
import Testing

@testable import Tokenizers

@Suite("A tokenizer.json that is no good is refused")
struct TokenizerErrorTests {
    /// What is changed in a good file, the error's code, and a part of its message.
    static let faults: [(changes: [String: String], code: TokenizerError.Code, message: String)] = [
        (["model": ""], .invalid, "lacks the key 'model'"),
        (["model": "[]"], .invalid, "'model' must be an object"),
        (
            ["model": #"{"type": "Nonesuch", "vocab": {}}"#], .unsupported,
            "model 'Nonesuch' is not supported; supported are: WordPiece"
        ),
        (["normalizer": #"{"type": "Nonesuch"}"#], .unsupported, "normalizer 'Nonesuch'"),
        (["pre_tokenizer": #"{"type": "Nonesuch"}"#], .unsupported, "pre-tokenizer 'Nonesuch'"),
        (["post_processor": #"{"type": "Nonesuch"}"#], .unsupported, "post-processor 'Nonesuch'"),
        (["decoder": #"{"type": "Nonesuch"}"#], .unsupported, "decoder 'Nonesuch'"),
        (["version": #""2.0""#], .unsupported, "version '2.0'"),
        (["normalizer": #"{"type": "BertNormalizer"}"#], .invalid, "'normalizer' lacks the key 'clean_text'"),
        (
            ["normalizer": TinyTokenizer.normalizer(stripsAccents: "1")], .invalid,
            "'normalizer.strip_accents' must be true or false"
        ),
        (["model": TinyTokenizer.model(#"{"a":0}"#)], .invalid, "the unknown token '[UNK]' is not in the vocabulary"),
        (["model": TinyTokenizer.model("{}")], .invalid, "the unknown token"),
        (["model": TinyTokenizer.model(#"{"[UNK]":0}"#, settings: #""x": 1"#)], .invalid, "lacks the key 'unk_token'"),
        (["model": TinyTokenizer.model(#"{"[UNK]":0,"a":0}"#)], .invalid, "id 0 is given to both '[UNK]' and 'a'"),
        (["model": TinyTokenizer.model(#"{"[UNK]":0,"a":1,"a":2}"#)], .invalid, "token 'a' occurs twice"),
        (["model": TinyTokenizer.model(#"{"[UNK]":0,"a":-1}"#)], .invalid, "has id -1"),
        (["model": TinyTokenizer.model(#"{"[UNK]":0,"a":4194304}"#)], .invalid, "has id 4194304"),
        (
            ["model": TinyTokenizer.model(#"{"[UNK]":0,"a":1.5}"#)], .invalid,
            "'model.vocab' must be an integer, not 1.5"
        ),
        (["model": TinyTokenizer.model(#"{"[UNK]":0,"a":99999999999999999999}"#)], .invalid, "must be an integer"),
        (["model": TinyTokenizer.model(#"{"[UNK]":0,"a":"1"}"#)], .invalid, "must be an integer"),
        (["added_tokens": "[\(TinyTokenizer.added(4, "x"))]"], .invalid, "the added token 'x' has id 4"),
        (["added_tokens": "[\(TinyTokenizer.added(11, "a"))]"], .invalid, "the added token 'a' has id 11"),
        (["added_tokens": "[\(TinyTokenizer.added(-1, "x"))]"], .invalid, "has id -1"),
        (["added_tokens": "[\(TinyTokenizer.added(11, ""))]"], .invalid, "is empty"),
        (
            ["added_tokens": "[\(TinyTokenizer.added(11, "x")), \(TinyTokenizer.added(12, "x"))]"], .invalid,
            "occurs twice"
        ),
        (
            ["added_tokens": "[\(TinyTokenizer.added(11, "x")), \(TinyTokenizer.added(11, "y"))]"], .invalid,
            "occurs twice"
        ),
        (["added_tokens": #"[{"id": 11}]"#], .invalid, "'added_tokens' lacks the key 'content'"),
        (
            ["post_processor": #"{"type": "BertProcessing", "sep": ["[SEP]"], "cls": ["[CLS]", 2]}"#], .invalid,
            "post_processor.sep"
        ),
        (["post_processor": template(single: "[\(first)]", pair: "[\(first)]")], .invalid, "must use A once"),
        (["post_processor": template(single: "[\(first), \(special("[X]"))]", pair: "[]")], .invalid, "'[X]'"),
        (["post_processor": template(single: "[\(sequence("C"))]", pair: "[]")], .invalid, "not A or B"),
    ]

    private static let first = sequence("A")

    private static func sequence(_ id: String) -> String {
        #"{"Sequence": {"id": "\#(id)", "type_id": 0}}"#
    }

    private static func special(_ id: String) -> String {
        #"{"SpecialToken": {"id": "\#(id)", "type_id": 0}}"#
    }

    private static func template(single: String, pair: String) -> String {
        #"{"type": "TemplateProcessing", "special_tokens": {}, "single": \#(single), "pair": \#(pair)}"#
    }

    @Test("A fault is named", arguments: faults.indices)
    func fault(index: Int) throws {
        let sample = Self.faults[index]
        let error = try #require(throws: TokenizerError.self, "\(sample)") { try TinyTokenizer.make(sample.changes) }
        #expect(error.code == sample.code, "\(error)")
        #expect(error.message.contains(sample.message), "\(error)")
    }

    /// Texts that are not JSON, with the place and reason of the fault.
    static let malformed: [(text: String, message: String)] = [
        ("", "line 1, byte 1: the text ends where a value is expected"),
        ("{", "line 1, byte 2: a quoted key"),
        ("{\"a\":1,\n \"b\":}", "line 2, byte 6: a value is expected"),
        ("{\"a\":1,}", "byte 8: a quoted key"),
        ("{\"a\" 1}", "':' is expected"),
        ("{\"a\":1 \"b\":2}", "',' or '}' is expected"),
        ("[1 2]", "',' or ']' is expected"),
        ("{} x", "text after the end"),
        ("{}\u{0}", "text after the end"),
        ("\"a", "a string is not closed"),
        ("\"a\nb\"", "a control character"),
        (#""\x""#, "an unknown escape"),
        (#""\u12g4""#, "four hexadecimal digits"),
        (#""\ud800""#, "half of a surrogate pair"),
        (#""\ud800\u0041""#, "half of a surrogate pair"),
        (#""\udc00""#, "half of a surrogate pair"),
        ("01", "text after the end"), ("1.", "a digit is expected"), ("-", "a digit is expected"), ("1e", "a digit"),
        ("tru", "a value is expected"), ("nul", "a value is expected"),
        (String(repeating: "[", count: 100_000), "nested more than 64 deep"),
        (#"{"a":1"#, "',' or '}' is expected"),
    ]

    @Test("A text that is not JSON is refused, with the place", arguments: malformed)
    func refused(text: String, message: String) throws {
        let error = try #require(throws: TokenizerError.self) { try Tokenizer(json: Data(text.utf8)) }
        #expect(error.code == .malformed)
        #expect(error.message.contains(message), "\(error)")
    }

    @Test("A text that is not UTF-8 is refused")
    func invalidUTF8() throws {
        let error = try #require(throws: TokenizerError.self) { try Tokenizer(json: Data([0x22, 0xC3, 0x28, 0x22])) }
        #expect(error.code == .malformed)
        #expect(error.message.contains("byte 1"), "\(error)")
    }

    @Test("Escapes in keys and values are resolved")
    func escapes() throws {
        let root = try JSONDocument(Data(#"{"\u0061\n": "x\ud83d\ude00\u00e9\"\\\/\b\f\r\t"}"#.utf8)).root.object(
            "root")
        #expect(try root.string("a\n") == "x😀é\"\\/\u{8}\u{C}\r\t")
    }

    @Test("A file above the limit is refused before it is read, and one that is not there as unreadable")
    func files() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tokenizer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        let file = folder.appendingPathComponent("tokenizer.json")
        let missing = try #require(throws: TokenizerError.self) { try Tokenizer.load(file) }
        #expect(missing.code == .unreadable)
        #expect(missing.file == file.path)

        try TinyTokenizer.json().write(to: file)
        #expect(try Tokenizer.load(file).vocabularySize == 11)

        let handle = try FileHandle(forWritingTo: file)
        try handle.truncate(atOffset: UInt64(Tokenizer.fileSizeLimit) + 1)
        try handle.close()
        let large = try #require(throws: TokenizerError.self) { try Tokenizer.load(file) }
        #expect(large.code == .tooLarge)
        #expect(large.file == file.path)
    }
}
