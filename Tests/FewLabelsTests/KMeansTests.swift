import TensorCore
import Testing

@testable import FewLabels

/// Points around some directions of the unit sphere, and which direction each belongs to.
private func blobs(_ clusters: Int, rows: Int, width: Int = 16, spread: Float = 0.15) -> (points: Tensor, truth: [Int]) {
    var random = Random(seed: 5, stream: "blobs")
    func direction() -> [Float] { (0..<width).map { _ in random.uniform() - 0.5 } }
    let centres = (0..<clusters).map { _ in direction() }
    let truth = (0..<rows).map { $0 % clusters }
    let values = truth.flatMap { cluster in centres[cluster].map { $0 + (random.uniform() - 0.5) * spread } }
    return (L2Normalisation()(Tensor(values, [rows, width])).contiguous(), truth)
}

/// Share of pairs that two groupings agree about.
private func agreement(_ a: [Int], _ b: [Int]) -> Double {
    var same = 0, pairs = 0
    for i in a.indices {
        for j in 0..<i {
            pairs += 1
            if (a[i] == a[j]) == (b[i] == b[j]) { same += 1 }
        }
    }
    return Double(same) / Double(pairs)
}

private func run(_ search: ClusterSearch) -> Clustering {
    var search = search
    while true { if let result = search.step() { return result } }
}

@Suite("Clusters")
struct KMeansTests {
    @Test("groups that are there are found, the same for the same seed")
    func findsGroups() {
        let (points, truth) = blobs(6, rows: 240)
        let first = run(ClusterSearch(points, clusters: 6, seed: 1, starts: 8))
        let again = run(ClusterSearch(points, clusters: 6, seed: 1, starts: 8))
        #expect(agreement(first.assignment, truth) == 1)
        #expect(first.assignment == again.assignment && first.distances == again.distances)
        #expect(first.sizes.count == 6 && first.sizes.reduce(0, +) == 240)
        #expect(first.silhouette > 0.8)
    }

    @Test("the number of groups is found by the silhouette")
    func findsNumber() {
        let (points, truth) = blobs(7, rows: 280, spread: 0.1)
        let result = run(ClusterSearch(points, clusters: nil, seed: 0, starts: 4))
        #expect(result.sizes.count == 7, "\(result.sizes)")
        #expect(agreement(result.assignment, truth) == 1)
    }

    @Test("each step lowers the sum of the distances, and the assignment is that of the nearest centre")
    func descends() {
        let (points, _) = blobs(5, rows: 200, spread: 0.9)
        var means = KMeans(points, clusters: 5, seed: 3, start: 0), last = Double.infinity
        while !means.isFinished {
            means.step()
            #expect(means.inertia <= last + 1e-4)
            last = means.inertia
        }
        let similarities = MatrixProduct(transposeB: true)(points, means.centres).contiguous()
        for row in 0..<200 {
            let own = similarities.pointer[row * 5 + means.assignment[row]]
            #expect((0..<5).allSatisfy { similarities.pointer[row * 5 + $0] <= own })
        }
    }

    @Test("more clusters than different points leave none empty that could be filled")
    func duplicates() {
        let points = L2Normalisation()(Tensor([1, 0, 1, 0, 0, 1, 0, 1] as [Float], [4, 2])).contiguous()
        let result = run(ClusterSearch(points, clusters: 3, seed: 0, starts: 2))
        #expect(result.assignment[0] == result.assignment[1] || result.distances[0] == 0)
        #expect(result.distances.allSatisfy { $0 < 1e-6 })
    }

    @Test("names come from the words that only one cluster has")
    func names() {
        let texts = ["where is my card", "the card is lost", "my lost card", "exchange rate of euros", "rate for euros is bad", "which exchange rate"]
        let words = DistinguishingWords(texts, [0, 0, 0, 1, 1, 1], clusters: 2)
        #expect(words.words[0].first == "card" && words.words[1].first == "rate")
        #expect(Set(words.names).count == 2)
        #expect(DistinguishingWords(["a b", "c"], [0, 1], clusters: 2).names == ["cluster-1", "cluster-2"])
    }
}

@Suite("Suggestions of rows to label")
struct SuggestionTests {
    @Test("uncertainty is 0 for a sure answer and 1 for none")
    func uncertainty() {
        #expect(Suggestion.uncertainty([1, 0, 0] as [Float]) == 0)
        #expect(abs(Suggestion.uncertainty([0.25, 0.25, 0.25, 0.25] as [Float]) - 1) < 1e-9)
        // Entropy of (0.5, 0.5, 0) is ln 2 of ln 3; the margin is 0.
        #expect(abs(Suggestion.uncertainty([0.5, 0.5, 0] as [Float]) - (0.630929753571457 + 1) / 2) < 1e-9)
        #expect(Suggestion.uncertainty(independent: [0.5, 0.99] as [Float]) == 1)
    }

    @Test("the most uncertain comes first, then what is uncertain and far from it, and nothing twice")
    func diversity() {
        // Two bundles of three near points, all uncertain; one sure point far from both.
        let values: [Float] = [1, 0, 0, 0.999, 0.01, 0, 0.998, 0.02, 0, 0, 1, 0, 0.01, 0.999, 0, 0, 0, 1]
        let points = L2Normalisation()(Tensor(values, [6, 3])).contiguous()
        let chosen = Suggestion.choose(6, of: points, uncertainties: [0.9, 1, 0.95, 0.8, 0.85, 0.01])
        #expect(chosen.prefix(2) == [1, 4])
        #expect(Set(chosen).count == chosen.count && chosen.count == 6)
        let twins = Suggestion.choose(3, of: L2Normalisation()(Tensor([1, 0, 1, 0, 0, 1] as [Float], [3, 2])).contiguous(), uncertainties: [1, 1, 1])
        #expect(twins.count == 2)
    }

    @Test("pseudo-labels are sure, and no class gets more than its share")
    func pseudoLabels() {
        let guesses = (0..<10).map { (best: $0 < 8 ? 0 : 1, confidence: 0.99 - Double($0) * 0.01) }
        let chosen = PseudoLabels.choose(guesses, confidence: 0.9, counts: [5, 5])
        #expect(chosen.map(\.row) == [0, 1, 2, 3, 4, 8, 9])
        #expect(PseudoLabels.choose(guesses, confidence: 0.95, counts: [5, 5]).map(\.row) == [0, 1, 2, 3, 4])
        #expect(PseudoLabels.choose(guesses, confidence: 0.999, counts: [5, 5]).isEmpty)
    }
}
