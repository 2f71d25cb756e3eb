/// Takes white space at the edges of a token out of its offsets, for vocabularies whose tokens carry it.
///
/// Follows `process_offsets` in `pre_tokenizers/byte_level.rs` of Hugging Face tokenizers.
struct OffsetTrimming: Sendable {
    /// The pre-tokenizer put a space before the text, which has no offset to take out.
    let addsPrefixSpace: Bool

    /// How byte-level vocabularies write a space.
    private static let writtenSpace: UInt32 = 0x120

    func applied(to sequence: TokenSequence, vocabulary: Vocabulary) -> TokenSequence {
        var tokens = sequence
        var added = tokens.edgeSpace[...]
        for index in tokens.ids.indices {
            let space: (leading: Int, trailing: Int)
            if let next = added.first, next.token == index {
                space = (next.leading, next.trailing)
                added.removeFirst()
            } else {
                space = Self.space(around: vocabulary.bytes(of: tokens.ids[index]) ?? [])
            }
            guard space != (0, 0) else { continue }
            var start = tokens.offsets[index].lowerBound
            var end = tokens.offsets[index].upperBound
            var leading = space.leading
            // A single space before the first token is the one put there; where there are more, none was.
            if leading == 1, addsPrefixSpace, index == 0 || start == 0 { leading = 0 }
            start = min(start + leading, end)
            if space.trailing > 0, end >= space.trailing { end = max(end - space.trailing, start) }
            tokens.offsets[index] = start..<end
        }
        return tokens
    }

    /// True for white space, and for a space as byte-level vocabularies write it.
    static func isSpace(_ scalar: UInt32) -> Bool {
        scalar == writtenSpace || CharacterClasses.isWhitespace(scalar)
    }

    /// White space at the beginning and at the end of a token, in scalars.
    private static func space(around token: ArraySlice<UInt8>) -> (leading: Int, trailing: Int) {
        // Nearly all tokens begin and end with a letter below U+0080: look no further.
        guard let first = token.first, let last = token.last else { return (0, 0) }
        guard first <= 0x20 || first >= 0x80 || last <= 0x20 || last >= 0x80 else { return (0, 0) }
        var scalars: [UInt32] = []
        var at = token.startIndex
        while at < token.endIndex { scalars.append(UTF8Text.next(token, &at)) }
        return (scalars.prefix(while: isSpace).count, scalars.reversed().prefix(while: isSpace).count)
    }
}
