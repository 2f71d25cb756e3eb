import Testing
import Tokenizers

@Suite("Golden: tokenizers agree with transformers", .enabled(if: GoldenCases.areAvailable))
struct TokenizerGoldenTests {
    @Test("The manifest has tokenizers of a supported model")
    func manifestHasCases() {
        #expect(!GoldenCases.supported.isEmpty)
    }

    @Test("The vocabulary has the size that the manifest states", arguments: GoldenCases.supported)
    func vocabularySize(entry: GoldenCases.Entry) throws {
        let size = try GoldenCases.tokenizer(entry).vocabularySize
        #expect(size == entry.vocabulary)
    }

    @Test("Single texts give the same ids and offsets", arguments: GoldenCases.supported)
    func single(entry: GoldenCases.Entry) throws {
        try check(entry, GoldenCases.cases(entry).single)
    }

    @Test("Texts without special tokens give the same ids and offsets", arguments: GoldenCases.supported)
    func withoutSpecialTokens(entry: GoldenCases.Entry) throws {
        try check(entry, GoldenCases.cases(entry).withoutSpecialTokens, addSpecialTokens: false)
    }

    @Test("Pairs give the same ids, segments and offsets", arguments: GoldenCases.supported)
    func pairs(entry: GoldenCases.Entry) throws {
        try check(entry, GoldenCases.cases(entry).pairs)
    }

    @Test("Truncated texts give the same ids, and the count of what was cut", arguments: GoldenCases.supported)
    func truncated(entry: GoldenCases.Entry) throws {
        let tokenizer = try GoldenCases.tokenizer(entry)
        let expectations = try GoldenCases.cases(entry).truncated
        try check(entry, expectations)
        for expected in expectations {
            let whole = tokenizer.encode(expected.text, pair: expected.pair)
            let cut = tokenizer.encode(expected.text, pair: expected.pair, maxLength: expected.maxLength)
            #expect(cut.truncated == whole.count - cut.count, "\(entry.name): \(expected.text.debugDescription)")
        }
    }

    @Test("Ids decode to the same text, with and without special tokens", arguments: GoldenCases.supported)
    func decoding(entry: GoldenCases.Entry) throws {
        let tokenizer = try GoldenCases.tokenizer(entry)
        var compared = 0
        for expected in try GoldenCases.cases(entry).single {
            for (text, skipSpecial) in [(expected.decoded, false), (expected.decodedSkipSpecial, true)] {
                guard let text else { continue }
                let decoded = tokenizer.decode(expected.ids, skipSpecial: skipSpecial)
                // Swift's == equates canonically equivalent strings; these have to be the same scalars.
                #expect(
                    Array(decoded.utf8) == Array(text.utf8),
                    "\(entry.name), skipping special \(skipSpecial): \(decoded.debugDescription)")
                compared += 1
            }
        }
        #expect(compared > 0)
    }

    private func check(
        _ entry: GoldenCases.Entry, _ expectations: [GoldenCases.Expectation], addSpecialTokens: Bool = true
    ) throws {
        let tokenizer = try GoldenCases.tokenizer(entry)
        #expect(!expectations.isEmpty)
        for expected in expectations {
            let encoding = tokenizer.encode(
                expected.text, pair: expected.pair, addSpecialTokens: addSpecialTokens, maxLength: expected.maxLength)
            let differences = differences(encoding, expected)
            #expect(differences.isEmpty, "\(entry.name), \(expected.text.debugDescription): \(differences)")
        }
    }

    /// The first place where each array differs, in words; empty where all are equal.
    private func differences(_ encoding: Encoding, _ expected: GoldenCases.Expectation) -> [String] {
        let flatOffsets = encoding.offsets.flatMap { [$0.lowerBound, $0.upperBound] }
        let typeIDs = expected.typeIDs ?? Array(repeating: 0, count: expected.ids.count)
        return [
            firstDifference("ids", encoding.ids, expected.ids),
            firstDifference("type ids", encoding.typeIDs, typeIDs),
            firstDifference("offsets", flatOffsets, expected.offsets),
        ].compactMap { $0 }
    }

    private func firstDifference<Value: Equatable>(_ name: String, _ actual: [Value], _ expected: [Value]) -> String? {
        guard actual != expected else { return nil }
        let unequal = zip(actual, expected).enumerated().first { $1.0 != $1.1 }
        let index = unequal?.offset ?? min(actual.count, expected.count)
        return "\(name) differ from index \(index): \(actual[index...].prefix(8)) instead of "
            + "\(expected[index...].prefix(8)), \(actual.count) instead of \(expected.count) in all"
    }
}
