/// The tokens of a text, or of a pair of texts. All arrays are `[tokens]`.
package struct Encoding: Sendable, Equatable {
    package var ids: [Int32] = []
    /// The segment a token belongs to, as the model's post-processor numbers them.
    package var typeIDs: [Int32] = []
    /// Where a token lies in its text (in the pair's for tokens of the pair), in Unicode scalars; `0..<0` for tokens
    /// that the post-processor put in.
    package var offsets: [Range<Int>] = []
    /// True for tokens that the post-processor put in.
    package var specialMask: [Bool] = []
    /// How many tokens were cut off to keep to the maximum length.
    package var truncated = 0

    package init() {}

    package var count: Int { ids.count }
}

/// The tokens of one text before special tokens are put around them. Arrays are `[tokens]`.
struct TokenSequence: Sendable {
    var ids: [Int32] = []
    var offsets: [Range<Int>] = []
    /// Added tokens with white space at their edges, in order of `token`, their index.
    var edgeSpace: [(token: Int, leading: Int, trailing: Int)] = []

    var count: Int { ids.count }

    mutating func append(_ id: Int32, _ range: Range<Int>) {
        ids.append(id)
        offsets.append(range)
    }

    /// Drops tokens from the end until `limit` are left.
    mutating func truncate(to limit: Int) {
        guard count > limit else { return }
        ids.removeSubrange(limit...)
        offsets.removeSubrange(limit...)
        edgeSpace.removeAll { $0.token >= limit }
    }
}
