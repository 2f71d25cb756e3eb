/// "Did you mean …?" for a mistyped name.
package enum NameSuggestion {
    /// The candidate fewest typing slips away, or nil when none is close enough to be what was meant.
    ///
    /// Close enough: at most a third of the longer name's characters (at least one) differ, upper and lower case
    /// counted as equal; or, from three characters on, one name begins with the other.
    package static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased())
        var best: (name: String, distance: Int)?
        for candidate in candidates where candidate != name {
            let other = Array(candidate.lowercased())
            let shorter = min(wanted.count, other.count)
            let longer = max(wanted.count, other.count)
            let distance = distance(wanted, other)
            let isPrefix = shorter >= 3 && wanted.prefix(shorter) == other.prefix(shorter)
            guard distance <= max(1, longer / 3) || isPrefix, distance < longer else { continue }
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// Damerau–Levenshtein distance in its optimal-string-alignment form: insertions, deletions, substitutions and
    /// swaps of two neighbours, each counting one (Damerau 1964; Levenshtein 1966).
    static func distance(_ a: [Character], _ b: [Character]) -> Int {
        if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
        var beforePrevious = [Int](repeating: 0, count: b.count + 1)
        var previous = Array(0...b.count)
        for i in 1...a.count {
            var current = [Int](repeating: 0, count: b.count + 1)
            current[0] = i
            for j in 1...b.count {
                let substitution = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                current[j] = min(previous[j] + 1, current[j - 1] + 1, substitution)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    current[j] = min(current[j], beforePrevious[j - 2] + 1)
                }
            }
            beforePrevious = previous
            previous = current
        }
        return previous[b.count]
    }
}
