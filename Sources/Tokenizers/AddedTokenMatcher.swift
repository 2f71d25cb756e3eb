/// Finds added tokens in text: at the leftmost place the longest token, then on behind it.
///
/// Follows `AddedVocabulary::find_matches` of Hugging Face tokenizers.
struct AddedTokenMatcher: Sendable {
    /// A stretch of text: an added token, or what lies between two of them.
    enum Piece: Equatable {
        case text(Range<Int>)
        case token(id: Int32, Range<Int>)
    }

    private struct Node {
        var children: [UInt32: Int] = [:]
        /// Index in `tokens` of the token that ends here.
        var token: Int?
    }

    private let tokens: [AddedToken]
    /// A trie over the tokens' scalars; node 0 is its root.
    private let nodes: [Node]
    /// The ASCII scalars a token can begin with: a text without them is passed over quickly.
    private let asciiStarts: (low: UInt64, high: UInt64)
    private let startsBeyondASCII: Bool

    init(_ tokens: [AddedToken]) {
        var nodes = [Node()]
        var low: UInt64 = 0
        var high: UInt64 = 0
        for (index, token) in tokens.enumerated() {
            // Normalisation can leave nothing of a token, which then cannot be found.
            guard let first = token.content.first else { continue }
            if first < 64 { low |= 1 << UInt64(first) } else if first < 128 { high |= 1 << UInt64(first - 64) }
            var node = 0
            for scalar in token.content {
                if let next = nodes[node].children[scalar] {
                    node = next
                } else {
                    nodes.append(Node())
                    nodes[node].children[scalar] = nodes.count - 1
                    node = nodes.count - 1
                }
            }
            if nodes[node].token == nil { nodes[node].token = index }
        }
        self.tokens = tokens
        self.nodes = nodes
        asciiStarts = (low, high)
        startsBeyondASCII = nodes[0].children.keys.contains { $0 >= 128 }
    }

    /// Cuts `scalars` into pieces, none of them empty. They overlap only where a token that begins with white space
    /// follows one that takes it, as in the reference.
    func split(_ scalars: [UInt32]) -> [Piece] {
        var pieces: [Piece] = []
        /// Where the text not yet in a piece begins.
        var open = 0
        var at = 0
        while let match = nextMatch(in: scalars, from: at) {
            at = match.range.upperBound
            guard let range = extent(of: match, in: scalars, notBefore: open) else { continue }
            if open < range.lowerBound { pieces.append(.text(open..<range.lowerBound)) }
            pieces.append(.token(id: tokens[match.token].id, range))
            open = range.upperBound
        }
        if open < scalars.count { pieces.append(.text(open..<scalars.count)) }
        return pieces
    }

    private func nextMatch(in scalars: [UInt32], from start: Int) -> (token: Int, range: Range<Int>)? {
        for first in start..<scalars.count where mayStart(with: scalars[first]) {
            var node = 0
            var found: (token: Int, range: Range<Int>)?
            var index = first
            while index < scalars.count, let next = nodes[node].children[scalars[index]] {
                node = next
                index += 1
                if let token = nodes[node].token { found = (token, first..<index) }
            }
            if let found { return found }
        }
        return nil
    }

    private func mayStart(with scalar: UInt32) -> Bool {
        if scalar < 64 { return asciiStarts.low >> UInt64(scalar) & 1 == 1 }
        if scalar < 128 { return asciiStarts.high >> UInt64(scalar - 64) & 1 == 1 }
        return startsBeyondASCII
    }

    /// The match with the white space it takes, or nil where it had to be a word by itself and is not.
    private func extent(
        of match: (token: Int, range: Range<Int>), in scalars: [UInt32], notBefore limit: Int
    ) -> Range<Int>? {
        let token = tokens[match.token]
        var start = match.range.lowerBound
        var end = match.range.upperBound
        if token.isSingleWord {
            if start > 0, CharacterClasses.isWord(scalars[start - 1]) { return nil }
            if end < scalars.count, CharacterClasses.isWord(scalars[end]) { return nil }
        }
        if token.stripsLeft {
            while start > limit, CharacterClasses.isWhitespace(scalars[start - 1]) { start -= 1 }
        }
        if token.stripsRight {
            while end < scalars.count, CharacterClasses.isWhitespace(scalars[end]) { end += 1 }
        }
        return start..<end
    }
}
