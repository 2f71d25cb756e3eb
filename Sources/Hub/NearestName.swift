/// The candidate closest to a mistyped name.
enum NearestName {
    /// The candidate with the fewest edits from `name`, ignoring case, if at most a third of the letters (at least two)
    /// need to change; otherwise nil.
    static func suggestion(for name: String, among candidates: [String]) -> String? {
        let ranked = candidates.map { (edits(name.lowercased(), $0.lowercased()), $0) }.min { $0.0 < $1.0 }
        guard let (edits, candidate) = ranked, edits <= max(2, candidate.count / 3) else { return nil }
        return candidate
    }

    /// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
    static func edits(_ left: String, _ right: String) -> Int {
        // Names are short; a longer text is no typing error and would cost quadratic time.
        let a = Array(left.prefix(64)), b = Array(right.prefix(64))
        var beforeLast = [Int](), last = Array(0...b.count)
        for i in 0..<a.count {
            var current = [i + 1]
            for j in 0..<b.count {
                var best = min(last[j + 1] + 1, current[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    best = min(best, beforeLast[j - 1] + 1)
                }
                current.append(best)
            }
            (beforeLast, last) = (last, current)
        }
        return last[b.count]
    }
}
