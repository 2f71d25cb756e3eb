import Glibc

/// The words that tell the texts of each cluster from those of the others: proposals for its name.
///
/// A word's weight in a cluster is the share of the cluster's texts with it, times how rare it is among clusters (the tf-idf of clusters
/// as documents, as BERTopic has it): `tf · log(1 + A / f)`, A the mean number of words of a cluster, f the word's over all.
package struct DistinguishingWords: Sendable {
    /// Of each cluster, the heaviest first.
    package let words: [[String]]

    /// - Parameter texts: of each row; their clusters are in `assignment`.
    package init(_ texts: [String], _ assignment: [Int], clusters: Int, count: Int = 5) {
        var counts = [[String: Int]](repeating: [:], count: clusters), total: [String: Int] = [:]
        for (text, cluster) in zip(texts, assignment) {
            for word in Set(Self.words(of: text)) {
                counts[cluster][word, default: 0] += 1
                total[word, default: 0] += 1
            }
        }
        let mean = Double(total.values.reduce(0, +)) / Double(max(clusters, 1))
        words = counts.map { own in
            let size = Double(max(own.values.reduce(0, +), 1))
            let weighed = own.map { word, number in
                (word, Double(number) / size * log(1 + mean / Double(total[word] ?? 1)))
            }
            // Equal weights by the alphabet: the same texts give the same names.
            return weighed.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.prefix(count).map { $0.0 }
        }
    }

    /// Names for the clusters, of two words each, or as many as it takes to tell them apart.
    package var names: [String] {
        var taken: Set<String> = []
        return words.enumerated().map { index, words in
            for length in 2...max(2, words.count) {
                let name = words.prefix(length).joined(separator: "-")
                if !name.isEmpty, taken.insert(name).inserted { return name }
            }
            let name = "cluster-\(index + 1)"
            taken.insert(name)
            return name
        }
    }

    /// Words in lower case, of three letters or more, but for the commonest of English, which name nothing.
    static func words(of text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "'" }.map(String.init).filter {
            $0.count >= 3 && !common.contains($0)
        }
    }

    private static let common: Set<String> = [
        "about", "after", "again", "all", "also", "and", "any", "are", "because", "been", "before", "being", "but", "can", "can't",
        "could", "did", "didn't", "does", "doesn't", "doing", "don't", "for", "from", "get", "got", "had", "has", "have", "haven't",
        "her", "here", "him", "his", "how", "i'd", "i'm", "i've", "into", "isn't", "it's", "its", "just", "let", "like", "may", "more",
        "most", "much", "need", "not", "now", "off", "one", "only", "our", "out", "over", "please", "she", "should", "some", "such",
        "than", "that", "that's", "the", "their", "them", "then", "there", "these", "they", "this", "those", "through", "too", "under",
        "use", "very", "want", "was", "wasn't", "way", "were", "what", "what's", "when", "where", "which", "while", "who", "why",
        "will", "with", "won't", "would", "you", "your",
    ]
}
