import Foundation
import Testing

@testable import Tokenizers

@Suite("Normalisation keeps track of where text came from")
struct NormalizationTests {
    /// Source, normalised text, and the source scalar of each normalised one.
    static let samples: [(about: String, source: String, normalized: String, sources: [Int32])] = [
        ("lower case", "AbC", "abc", [0, 1, 2]),
        ("control characters and white space", "a\u{0}b\tc\u{7F}\n", "ab c ", [0, 2, 3, 4, 6]),
        ("ideographs", "a中b", "a 中 b", [0, 1, 1, 1, 2]),
        ("accents", "e\u{301}é", "ee", [0, 2]),
        ("a dotted capital I", "İx", "ix", [0, 1]),
        ("a Hangul syllable", "각x", "\u{1100}\u{1161}\u{11A8}x", [0, 0, 0, 1]),
        ("no final sigma", "ΑΣ", "ας".replacingOccurrences(of: "ς", with: "σ"), [0, 1]),
        ("marks that are not nonspacing", "a\u{903}\u{20DD}", "a\u{903}\u{20DD}", [0, 1, 2]),
        ("a mark younger than the reference's tables", "a\u{1ABF}", "a\u{1ABF}", [0, 1]),
        ("a scalar that is no white space, and one that is", "a\u{200B}b\u{2003}c", "ab c", [0, 2, 3, 4]),
        ("replacement character", "a\u{FFFD}b", "ab", [0, 2]),
        ("nothing left", "\u{0}\u{FEFF}", "", []),
    ]

    @Test("BERT's normalisation gives the text and its sources", arguments: samples.indices)
    func bert(index: Int) {
        let sample = Self.samples[index]
        var text = AlignedText(UTF8Text.scalars(sample.source)[...])
        BertNormalizer(cleansText: true, separatesIdeographs: true, stripsAccents: nil, lowercases: true)
            .normalize(&text)
        #expect(text.scalars == UTF8Text.scalars(sample.normalized), "\(sample.about)")
        #expect(text.sources == sample.sources, "\(sample.about)")
    }

    @Test("Accents stay where the file says so")
    func accentsStay() {
        var text = AlignedText(UTF8Text.scalars("É")[...])
        BertNormalizer(cleansText: true, separatesIdeographs: true, stripsAccents: false, lowercases: true)
            .normalize(&text)
        #expect(text.scalars == [0xE9])
    }

    @Test("Marks are put in canonical order, and take the sources of their new places")
    func reordering() {
        // U+0227 is a + dot above (class 230); the dot below (220) goes before that dot.
        var text = AlignedText([0x227, 0x323, 0x62])
        CanonicalDecomposition.apply(to: &text)
        #expect(text.scalars == [0x61, 0x323, 0x307, 0x62])
        #expect(text.sources == [0, 1, 1, 2])
    }

    @Test("Every scalar known to Unicode 9 decomposes as Foundation has it")
    func decompositionIsComplete() {
        for value in UInt32(0)..<0x30000 {
            guard let scalar = Unicode.Scalar(value), !(0x3400...0x9FFF ~= value), !(0xAD00...0xD700 ~= value) else {
                continue
            }
            let expected = String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars.map(\.value)
            guard expected != [value] || CanonicalDecomposition.candidates.contains(where: { $0.contains(value) })
            else {
                continue
            }
            let known = CharacterClasses.isAssigned(value, by: 9)
            #expect(
                CanonicalDecomposition.decomposed(value) == (known ? expected : [value]),
                "U+\(String(value, radix: 16))")
        }
    }

    /// Scalars whose category differs between Unicode 8.0, which the reference has, and today, and some that do not.
    static let classes: [(scalar: UInt32, isPunctuation: Bool, isMark: Bool, isControl: Bool)] = [
        (0x24, true, false, false), (0x61, false, false, false), (0x0B, false, false, true),
        (0x09, false, false, false), (0xA7, true, false, false), (0xD7, false, false, false),
        (0x301, false, true, false), (0x903, false, false, false), (0xAD, false, false, true),
        (0x200B, false, false, true), (0xE000, false, false, true), (0x85, false, false, true),
        (0x166D, true, false, false), (0x111C9, true, false, false), (0x1734, false, true, false),
        (0x1171E, false, true, false), (0x1885, false, false, false), (0xA9BD, false, false, false),
        (0x61D, false, false, false), (0x2E52, false, false, false), (0x1DFB, false, false, false),
        (0x8E2, false, false, false), (0x378, false, false, false),
    ]

    @Test("Scalars have the classes of the reference's tables", arguments: classes.indices)
    func characterClasses(index: Int) {
        let sample = Self.classes[index]
        let name = "U+\(String(sample.scalar, radix: 16))"
        #expect(CharacterClasses.isPunctuation(sample.scalar) == sample.isPunctuation, "\(name)")
        #expect(CharacterClasses.isNonspacingMark(sample.scalar) == sample.isMark, "\(name)")
        #expect(CharacterClasses.isControl(sample.scalar) == sample.isControl, "\(name)")
    }
}
