import Testing

@testable import Tokenizers

@Suite("Added tokens are found in text")
struct AddedTokenTests {
    /// A text and its pieces: tokens in angle brackets with their id, the rest as it is.
    static let samples: [(text: String, pieces: [String])] = [
        ("", []),
        ("plain", ["plain"]),
        ("a[M]b", ["a", "<1 [M]>", "b"]),
        ("[M][M]", ["<1 [M]>", "<1 [M]>"]),
        ("[M", ["[M"]),
        ("[M]x longer", ["<2 [M]x>", " longer"]),
        ("a  [L]  b", ["a", "<3   [L]>", "  b"]),
        ("a [R]  b", ["a ", "<4 [R]  >", "b"]),
        ("[R]  [L]", ["<4 [R]  >", "<3 [L]>"]),
        ("a word b", ["a ", "<5 word>", " b"]),
        ("swords word", ["swords ", "<5 word>"]),
        ("word_ 1word word\u{301} (word)", ["word_ 1word word\u{301} (", "<5 word>", ")"]),
        ("x🙂y", ["x", "<6 🙂>", "y"]),
    ]

    @Test("A text is cut at its added tokens", arguments: samples)
    func pieces(text: String, pieces: [String]) {
        func token(
            _ id: Int32, _ text: String, singleWord: Bool = false, left: Bool = false, right: Bool = false
        ) -> AddedToken {
            AddedToken(
                id: id, text: Array(text.utf8)[...], content: UTF8Text.scalars(text), decoded: Array(text.utf8)[...],
                isSpecial: true, isNormalized: false, isSingleWord: singleWord, stripsLeft: left, stripsRight: right)
        }
        let matcher = AddedTokenMatcher([
            token(1, "[M]"), token(2, "[M]x"), token(3, "[L]", left: true), token(4, "[R]", right: true),
            token(5, "word", singleWord: true), token(6, "🙂"),
        ])
        let scalars = UTF8Text.scalars(text)
        func string(_ range: Range<Int>) -> String {
            String(decoding: UTF8Text.bytes(Array(scalars[range])), as: UTF8.self)
        }
        let found = matcher.split(scalars).map { piece in
            switch piece {
            case .text(let range): string(range)
            case .token(let id, let range): "<\(id) \(string(range))>"
            }
        }
        #expect(found == pieces)
    }

    @Test("A normalised token is found in normalised text, at its place in the source, and decodes normalised")
    func normalizedToken() throws {
        let tokenizer = try TinyTokenizer.make([
            "added_tokens": "[\(TinyTokenizer.added(20, "Été", "normalized"))]", "post_processor": "null",
        ])
        let encoding = tokenizer.encode("a éTE\u{301} b")
        #expect(encoding.ids == [4, 20, 5])
        #expect(encoding.offsets == [0..<1, 2..<5, 7..<8])
        #expect(tokenizer.decode([20], skipSpecial: true) == "ete")
    }

    @Test("White space that a token took is taken out of its offsets where the post-processor trims them")
    func trimmedOffsets() throws {
        let tokenizer = try TinyTokenizer.make([
            "added_tokens": "[\(TinyTokenizer.added(20, "<m>", "special", "lstrip", "rstrip"))]",
            "post_processor":
                #"{"type": "RobertaProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2], "#
                + #""trim_offsets": true, "add_prefix_space": false}"#,
        ])
        let encoding = tokenizer.encode("a  <m> b", pair: "b")
        #expect(encoding.ids == [2, 4, 20, 5, 3, 3, 5, 3])
        #expect(encoding.offsets[2] == 3..<6)
        #expect(encoding.typeIDs == [0, 0, 0, 0, 0, 0, 0, 0])
    }
}
