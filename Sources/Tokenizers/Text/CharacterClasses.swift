/// The character classes of the reference tokenizer, Hugging Face `tokenizers` (Rust).
///
/// Its general categories come from the crate `unicode_categories` 0.1, which has the tables of Unicode 8.0, while
/// white space and lower case come from Rust's standard library and are current. A vocabulary was learned with these
/// tables, so text has to be cut with them too: a scalar assigned after Unicode 8.0 counts as unassigned, and the
/// seven scalars whose category was changed since keep the old one.
enum CharacterClasses {
    /// Unicode's White_Space, Rust's `char::is_whitespace`.
    static func isWhitespace(_ scalar: UInt32) -> Bool {
        if scalar < 0x80 { return scalar == 0x20 || 0x09...0x0D ~= scalar }
        return properties(scalar).isWhitespace
    }

    /// Categories Cc, Cf and Co, without tab, line feed and carriage return.
    static func isControl(_ scalar: UInt32) -> Bool {
        if scalar < 0x80 { return (scalar < 0x20 || scalar == 0x7F) && !(scalar == 9 || scalar == 10 || scalar == 13) }
        return switch category(scalar) {
        case .control, .format, .privateUse: true
        default: false
        }
    }

    /// ASCII punctuation and symbols, and the categories P*.
    static func isPunctuation(_ scalar: UInt32) -> Bool {
        if scalar < 0x80 {
            return 0x21...0x2F ~= scalar || 0x3A...0x40 ~= scalar || 0x5B...0x60 ~= scalar || 0x7B...0x7E ~= scalar
        }
        return switch category(scalar) {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            true
        default: false
        }
    }

    /// Category Mn.
    static func isNonspacingMark(_ scalar: UInt32) -> Bool {
        scalar >= 0x300 && category(scalar) == .nonspacingMark
    }

    /// The ideographs that BERT sets apart with spaces. The reference starts one range at 2B920 where Unicode's block
    /// starts at 2B820; vocabularies were made that way, so it stays.
    static func isChineseCharacter(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0..<0x3400: false
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }

    /// `\w` of Rust's `regex`: letters, marks, decimal digits, connectors and join controls.
    static func isWord(_ scalar: UInt32) -> Bool {
        let properties = properties(scalar)
        if properties.isAlphabetic || properties.isJoinControl { return true }
        return switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
        default: false
        }
    }

    /// True if the scalar was assigned by `version` of Unicode, so that tables of that age know it.
    static func isAssigned(_ scalar: UInt32, by version: Int) -> Bool {
        (properties(scalar).age?.major ?? Int.max) <= version
    }

    /// The properties of a scalar; of U+FFFD for a value that is none.
    static func properties(_ scalar: UInt32) -> Unicode.Scalar.Properties {
        (Unicode.Scalar(scalar) ?? "\u{FFFD}").properties
    }

    private static func category(_ scalar: UInt32) -> Unicode.GeneralCategory {
        switch scalar {
        case 0x166D, 0x111C9: return .otherPunctuation
        case 0x1734, 0x1171E: return .nonspacingMark
        case 0x1885, 0x1886: return .otherLetter
        case 0xA9BD: return .spacingMark
        default:
            let properties = properties(scalar)
            return (properties.age?.major ?? Int.max) <= 8 ? properties.generalCategory : .unassigned
        }
    }
}
