/// BERT's normalisation: control characters removed, white space made spaces, ideographs set apart, accents removed,
/// lower case.
///
/// Follows `normalizers/bert.rs` of Hugging Face tokenizers, whose order of steps is part of the contract.
struct BertNormalizer: Normalizer {
    let cleansText: Bool
    let separatesIdeographs: Bool
    let stripsAccents: Bool
    let lowercases: Bool

    init(cleansText: Bool, separatesIdeographs: Bool, stripsAccents: Bool?, lowercases: Bool) {
        self.cleansText = cleansText
        self.separatesIdeographs = separatesIdeographs
        // BERT's own rule: unless told otherwise, an uncased model has no accents either.
        self.stripsAccents = stripsAccents ?? lowercases
        self.lowercases = lowercases
    }

    init(_ settings: JSONObject) throws(TokenizerError) {
        self.init(
            cleansText: try settings.boolean("clean_text"),
            separatesIdeographs: try settings.boolean("handle_chinese_chars"),
            stripsAccents: try settings.optional("strip_accents")?.boolean("normalizer.strip_accents"),
            lowercases: try settings.boolean("lowercase"))
    }

    func normalize(_ text: inout AlignedText) {
        if text.isASCII {
            // In ASCII nothing is an ideograph, decomposes or has a longer lower case: one pass does it all.
            text.rewriteEach { scalar, output in
                if cleansText {
                    if CharacterClasses.isControl(scalar) { return }
                    if CharacterClasses.isWhitespace(scalar) {
                        output.append(0x20)
                        return
                    }
                }
                output.append(lowercases && 0x41...0x5A ~= scalar ? scalar + 0x20 : scalar)
            }
            return
        }
        if cleansText { text.rewriteEach(Self.clean) }
        if separatesIdeographs { text.rewriteEach(Self.separate) }
        if stripsAccents {
            CanonicalDecomposition.apply(to: &text)
            text.rewriteEach { scalar, output in
                if !CharacterClasses.isNonspacingMark(scalar) { output.append(scalar) }
            }
        }
        if lowercases { text.rewriteEach(Self.lowercase) }
    }

    private static func clean(_ scalar: UInt32, _ output: inout [UInt32]) {
        if scalar == 0 || scalar == 0xFFFD || CharacterClasses.isControl(scalar) { return }
        output.append(CharacterClasses.isWhitespace(scalar) ? 0x20 : scalar)
    }

    private static func separate(_ scalar: UInt32, _ output: inout [UInt32]) {
        guard CharacterClasses.isChineseCharacter(scalar) else { return output.append(scalar) }
        output.append(0x20)
        output.append(scalar)
        output.append(0x20)
    }

    /// Lower case of each scalar by itself; unlike `String.lowercased()`, no rule looks at its neighbours.
    private static func lowercase(_ scalar: UInt32, _ output: inout [UInt32]) {
        if scalar < 0x80 {
            output.append(0x41...0x5A ~= scalar ? scalar + 0x20 : scalar)
        } else {
            let mapping = CharacterClasses.properties(scalar).lowercaseMapping
            for lower in mapping.unicodeScalars { output.append(lower.value) }
        }
    }
}
