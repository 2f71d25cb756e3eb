/// Where the features of several inputs lie in one buffer of floats, end to end: vectors of one width, or hidden states of as many
/// tokens as each input has.
struct FeatureRuns {
    /// Start of each input's features, and the end of the last.
    private let bounds: [Int]

    init(count: Int, width: Int) { bounds = (0...count).map { $0 * width } }

    init(tokens: [Int], width: Int) {
        bounds = tokens.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1 * width) }
    }

    var count: Int { bounds.count - 1 }
    var floats: Int { bounds[bounds.count - 1] }
    subscript(_ index: Int) -> Range<Int> { bounds[index]..<bounds[index + 1] }

    /// What an input's features take on disk.
    func bytes(_ index: Int) -> Int { FeatureSchema.rowBytes(width: self[index].count) }

    /// Inputs from `start` on that together take at most `limit` bytes, at least one.
    func chunk(from start: Int, limit: Int) -> (rows: Range<Int>, bytes: Int) {
        var end = start + 1, total = bytes(start)
        while end < count {
            let next = bytes(end)
            if total + next > limit { break }
            total += next
            end += 1
        }
        return (start..<end, total)
    }
}
