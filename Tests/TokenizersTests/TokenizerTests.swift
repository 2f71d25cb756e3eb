import Foundation
import Testing

@testable import Tokenizers

@Suite("A tokenizer encodes and decodes")
struct TokenizerTests {
    @Test("The file's own truncation and padding are ignored")
    func ignoresTruncationOfTheFile() throws {
        let encoding = try TinyTokenizer.make().encode("a b a b")
        #expect(encoding.ids == [2, 4, 5, 4, 5, 3])
        #expect(encoding.truncated == 0)
    }

    @Test("Special tokens are marked, and have empty offsets")
    func specialMask() throws {
        let encoding = try TinyTokenizer.make().encode("ab")
        #expect(encoding.specialMask == [true, false, true])
        #expect(encoding.offsets == [0..<0, 0..<2, 0..<0])
        #expect(try TinyTokenizer.make().encode("ab", addSpecialTokens: false).ids == [6])
    }

    @Test("The longest token is taken, then the longest that continues the word")
    func longestMatch() throws {
        let tokenizer = try TinyTokenizer.make()
        #expect(tokenizer.encode("abbbc", addSpecialTokens: false).ids == [6, 7, 8])
        #expect(tokenizer.encode("abbx", addSpecialTokens: false).ids == [1])
    }

    @Test("A word longer than the model takes is unknown as a whole")
    func longWord() throws {
        let tokenizer = try TinyTokenizer.make()
        #expect(tokenizer.encode("abbbbbbb", addSpecialTokens: false).ids == [6, 7, 7, 7, 7, 7, 7])
        #expect(tokenizer.encode("abbbbbbbb", addSpecialTokens: false).ids == [1])
        #expect(tokenizer.encode("abbbbbbbb", addSpecialTokens: false).offsets == [0..<9])
    }

    @Test("Tokens that are canonically equivalent are different tokens")
    func canonicallyEquivalentTokens() throws {
        let tokenizer = try TinyTokenizer.make([
            "normalizer": "null", "added_tokens": "[]", "post_processor": "null",
            "model": TinyTokenizer.model("{\"[UNK]\":0,\"\u{E9}\":1,\"e\u{301}\":2,\"K\":3,\"\u{212A}\":4}"),
        ])
        #expect(tokenizer.encode("\u{E9} e\u{301} K \u{212A}").ids == [1, 2, 3, 4])
        #expect(tokenizer.id(of: "\u{E9}") == 1)
        #expect(tokenizer.id(of: "e\u{301}") == 2)
        #expect(Array(tokenizer.decode([2], skipSpecial: false).utf8) == Array("e\u{301}".utf8))
    }

    @Test("Sizes count added tokens and gaps between ids")
    func sizes() throws {
        let tokenizer = try TinyTokenizer.make([
            "added_tokens": "[\(TinyTokenizer.added(2, "[CLS]")), \(TinyTokenizer.added(40, "<x>"))]"
        ])
        #expect(tokenizer.vocabularySize == 12)
        #expect(tokenizer.idUpperBound == 41)
        #expect(tokenizer.id(of: "<x>") == 40)
        #expect(tokenizer.id(of: "nothing") == nil)
    }

    @Test("Special tokens stay even where there is no room for them", arguments: 0...2)
    func maximumBelowSpecialTokens(maxLength: Int) throws {
        let encoding = try TinyTokenizer.make().encode("a b", maxLength: maxLength)
        #expect(encoding.ids == [2, 3])
        #expect(encoding.truncated == 2)
    }

    /// Lengths, limit, and what of each is kept.
    static let truncations: [(lengths: (Int, Int), limit: Int, kept: (Int, Int))] = [
        ((3, 4), 7, (3, 4)), ((3, 4), 6, (3, 3)), ((4, 3), 6, (3, 3)), ((2, 9), 6, (2, 4)), ((9, 2), 6, (4, 2)),
        ((9, 9), 7, (3, 4)), ((9, 8), 7, (4, 3)), ((8, 9), 7, (3, 4)), ((5, 0), 3, (3, 0)), ((0, 5), 3, (0, 3)),
        ((5, 5), 0, (0, 0)), ((5, 5), 1, (0, 1)), ((1, 9), 1, (0, 1)),
    ]

    @Test("The longer text is cut first", arguments: truncations.indices)
    func truncation(index: Int) {
        let sample = Self.truncations[index]
        let kept = Truncation.lengths(sample.lengths.0, sample.lengths.1, limit: sample.limit)
        #expect(kept == sample.kept, "\(sample)")
    }

    /// Tokens and the text they decode to.
    static let decodings: [(tokens: [String], text: String)] = [
        (["hello", "##s", ",", "world", "!"], "hellos, world!"),
        (["do", "n't", "I", "'m", "we", "'ve", "they", "'re", "it", "'s"], "don't I'm we've they're it's"),
        (["a", ".", "b", "?"], "a. b?"),
        (["##a", "b"], "##a b"),
        ([], ""),
    ]

    @Test("Word pieces are joined and cleaned up", arguments: decodings)
    func decoding(tokens: [String], text: String) {
        let decoder = WordPieceDecoder(prefix: "##", cleansUp: true)
        #expect(String(decoding: decoder.decode(tokens.map { Array($0.utf8)[...] }), as: UTF8.self) == text)
    }

    @Test("Ids that no token has are left out, and special tokens if asked")
    func decodingIDs() throws {
        let tokenizer = try TinyTokenizer.make()
        #expect(tokenizer.decode([2, 6, 7, -1, 99, 9, 3], skipSpecial: false) == "[CLS] abb. [SEP]")
        #expect(tokenizer.decode([2, 6, 7, -1, 99, 9, 3], skipSpecial: true) == "abb.")
    }

    @Test("Many tasks at once get what one gets alone")
    func concurrency() async throws {
        let tokenizer = try TinyTokenizer.make()
        let texts = (0..<200).map { index in String(repeating: "é ab\u{AC00}b. ", count: index % 7) + "\(index)" }
        let alone = texts.map { tokenizer.encode($0) }
        let together = await withTaskGroup(of: (Int, Encoding).self) { group in
            for (index, text) in texts.enumerated() { group.addTask { (index, tokenizer.encode(text)) } }
            return await group.reduce(into: [Int: Encoding]()) { $0[$1.0] = $1.1 }
        }
        for (index, encoding) in alone.enumerated() { #expect(together[index] == encoding) }
    }
}
