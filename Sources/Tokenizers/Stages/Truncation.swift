/// Shortens a text or a pair of texts, the longer one first, from the right.
///
/// Follows `truncate_encodings` with `LongestFirst` of Hugging Face tokenizers.
enum Truncation {
    /// Lengths to keep so that they sum to at most `limit`.
    ///
    /// The shorter text stays whole while it fits into half of the room; otherwise both get half, and the longer one
    /// the odd token.
    static func lengths(_ first: Int, _ second: Int, limit: Int) -> (first: Int, second: Int) {
        guard first + second > limit else { return (first, second) }
        let shorter = min(first, second)
        let kept: (shorter: Int, longer: Int) =
            shorter <= limit - shorter ? (shorter, limit - shorter) : (limit / 2, limit / 2 + limit % 2)
        return first > second ? (kept.longer, kept.shorter) : (kept.shorter, kept.longer)
    }
}
