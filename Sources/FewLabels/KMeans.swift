package import TensorCore

/// k-means on the unit sphere: points and centres have length 1, the distance is `1 − cosine`, a centre is the direction of its points' sum
/// (Dhillon & Modha 2001). Begins by k-means++ (Arthur & Vassilvitskii 2007). One `step` at a time, so that its owner decides what runs
/// between them; the same seed gives the same clusters.
package struct KMeans {
    /// `[rows, width]`, each of length 1.
    let points: Tensor
    package private(set) var centres: Tensor
    package private(set) var assignment: [Int]
    /// Of each row from its centre.
    package private(set) var distances: [Float]
    package private(set) var isFinished = false
    private var steps = 0

    static let mostSteps = 100
    /// Rows whose distances from all centres are computed at a time.
    private static let block = 4096

    /// - Parameters:
    ///   - points: `[rows, width]`, each of length 1; at least `clusters` of them.
    ///   - start: the beginning's number, which with `seed` decides it.
    package init(_ points: Tensor, clusters: Int, seed: UInt64, start: Int) {
        precondition(points.rank == 2 && clusters >= 1 && points.shape[0] >= clusters, "k-means: \(points.shape) into \(clusters)")
        self.points = points
        assignment = [Int](repeating: -1, count: points.shape[0])
        distances = [Float](repeating: 0, count: points.shape[0])
        var random = Random(seed: seed, stream: "k-means \(clusters) \(start)")
        centres = Self.gather(points, Self.beginning(points, clusters, &random))
    }

    package var clusters: Int { centres.shape[0] }
    /// Sum of the distances: what the steps make smaller.
    package var inertia: Double { distances.reduce(0) { $0 + Double($1) } }

    /// Assigns the points and moves the centres.
    package mutating func step() {
        guard !isFinished else { return }
        let moved = assign()
        steps += 1
        isFinished = !moved || steps == Self.mostSteps
        if !isFinished { move() }
    }

    /// Whether a point changed its cluster.
    private mutating func assign() -> Bool {
        let count = points.shape[0], clusters = clusters
        var moved = false
        for first in stride(from: 0, to: count, by: Self.block) {
            let rows = min(Self.block, count - first)
            let similarities = MatrixProduct(transposeB: true)(points.rows(first..<first + rows), centres).contiguous()
            for row in 0..<rows {
                let best = Self.largest(similarities.pointer + row * clusters, clusters)
                if assignment[first + row] != best { moved = true }
                assignment[first + row] = best
                distances[first + row] = max(0, 1 - similarities.pointer[row * clusters + best])
            }
        }
        return moved
    }

    private mutating func move() {
        let width = points.shape[1]
        let sums = Tensor(repeating: 0, centres.shape)
        var sizes = [Int](repeating: 0, count: clusters)
        for (row, cluster) in assignment.enumerated() {
            sizes[cluster] += 1
            let target = sums.mutablePointer + cluster * width, source = points.pointer + row * width
            for column in 0..<width { target[column] += source[column] }
        }
        // A cluster that lost its points begins anew at the point farthest from its centre.
        var far = distances.indices.sorted { (distances[$1], $0) < (distances[$0], $1) }[...]
        for cluster in sizes.indices where sizes[cluster] == 0 {
            guard let row = far.popFirst() else { break }
            (sums.mutablePointer + cluster * width).update(from: points.pointer + row * width, count: width)
        }
        centres = L2Normalisation()(sums)
    }

    /// Each next centre is drawn by its distance from those there are.
    private static func beginning(_ points: Tensor, _ clusters: Int, _ random: inout Random) -> [Int] {
        let count = points.shape[0]
        var chosen = [random.index(below: count)]
        var nearest = [Double](repeating: .infinity, count: count)
        while chosen.count < clusters {
            let last = gather(points, [chosen[chosen.count - 1]])
            let similarities = MatrixProduct(transposeB: true)(points, last).contiguous()
            var total = 0.0
            for row in 0..<count {
                nearest[row] = min(nearest[row], Double(max(0, 1 - similarities.pointer[row])))
                total += nearest[row]
            }
            chosen.append(draw(nearest, total, &random))
        }
        return chosen
    }

    /// A position, each as likely as its weight; any when all are 0.
    static func draw(_ weights: [Double], _ total: Double, _ random: inout Random) -> Int {
        guard total > 0 else { return random.index(below: weights.count) }
        var rest = Double(random.uniform()) * total
        for (position, weight) in weights.enumerated() {
            rest -= weight
            if rest < 0, weight > 0 { return position }
        }
        return weights.lastIndex { $0 > 0 } ?? 0
    }

    static func gather(_ points: Tensor, _ rows: [Int]) -> Tensor { Embedding(rows.map { Int32($0) })(points).contiguous() }

    private static func largest(_ values: UnsafePointer<Float>, _ count: Int) -> Int {
        var best = 0
        for index in 1..<max(count, 1) where values[index] > values[best] { best = index }
        return best
    }
}

/// What came of k-means.
package struct Clustering: Sendable {
    /// For each row its cluster, the largest being 0.
    package var assignment: [Int]
    /// `1 − cosine` from the centre.
    package var distances: [Float]
    package var sizes: [Int]
    /// Mean over the rows of how much nearer their own centre is than the next, −1 to 1: the silhouette (Rousseeuw 1987) by centres.
    package var silhouette: Double

    package init(_ means: KMeans) {
        var sizes = [Int](repeating: 0, count: means.clusters)
        for cluster in means.assignment { sizes[cluster] += 1 }
        let order = sizes.indices.filter { sizes[$0] > 0 }.sorted { (sizes[$1], $0) < (sizes[$0], $1) }
        var position = [Int](repeating: 0, count: means.clusters)
        for (new, old) in order.enumerated() { position[old] = new }
        assignment = means.assignment.map { position[$0] }
        distances = means.distances
        self.sizes = order.map { sizes[$0] }
        silhouette = Self.silhouette(means)
    }

    /// Rows of a cluster, the nearest to its centre first.
    package func nearest(_ cluster: Int, count: Int) -> [Int] {
        let rows = assignment.indices.filter { assignment[$0] == cluster }
        return Array(rows.sorted { (distances[$0], $0) < (distances[$1], $1) }.prefix(count))
    }

    private static func silhouette(_ means: KMeans) -> Double {
        guard means.clusters > 1 else { return 0 }
        let count = means.points.shape[0], clusters = means.clusters
        var total = 0.0
        for first in stride(from: 0, to: count, by: 4096) {
            let rows = min(4096, count - first)
            let similarities = MatrixProduct(transposeB: true)(means.points.rows(first..<first + rows), means.centres).contiguous()
            for row in 0..<rows {
                let values = similarities.pointer + row * clusters, own = means.assignment[first + row]
                let other = (0..<clusters).filter { $0 != own }.map { values[$0] }.max() ?? 0
                let near = Double(max(0, 1 - values[own])), far = Double(max(0, 1 - other))
                let largest = max(near, far)
                if largest > 0 { total += (far - near) / largest }
            }
        }
        return total / Double(count)
    }
}

/// Clusters points: several beginnings, the best of which counts, and where the number is not given several numbers, of which the one
/// with the best silhouette does.
package struct ClusterSearch {
    private let points: Tensor
    private let seed: UInt64
    private let starts: Int
    private var pending: [(clusters: Int, start: Int)]
    private var current: KMeans?
    /// Of the number of clusters under way.
    private var best: KMeans?
    private var result: Clustering?
    package let total: Int
    package var done: Int { total - pending.count - (current == nil ? 0 : 1) }

    /// Beginnings for each number that is only looked at.
    private static let probingStarts = 2

    /// - Parameter clusters: nil: chosen.
    package init(_ points: Tensor, clusters: Int?, seed: UInt64, starts: Int) {
        self.points = points
        self.seed = seed
        self.starts = starts
        let rows = points.shape[0]
        if let clusters {
            pending = (0..<starts).map { (clusters, $0) }
        } else {
            pending = Self.candidates(rows).flatMap { clusters in
                (0..<Self.probingStarts).map { (clusters, $0) }
            }
        }
        total = pending.count
    }

    /// Numbers of clusters that are looked at: growing by about a quarter, at most as many as give ten rows to each, and 200.
    static func candidates(_ rows: Int) -> [Int] {
        let most = min(200, max(2, rows / 10), rows)
        var numbers: [Int] = [], next = 2
        while next <= most {
            numbers.append(next)
            next = max(next + 1, next * 5 / 4)
        }
        return numbers.isEmpty ? [min(2, rows)] : numbers
    }

    /// A step of k-means. The clustering, when it was the last.
    package mutating func step() -> Clustering? {
        if current == nil {
            guard !pending.isEmpty else { return result }
            let next = pending.removeFirst()
            current = KMeans(points, clusters: next.clusters, seed: seed, start: next.start)
        }
        current?.step()
        guard let finished = current, finished.isFinished else { return nil }
        current = nil
        if best.map({ finished.inertia < $0.inertia }) ?? true { best = finished }
        // The number's last beginning.
        if pending.first?.clusters != finished.clusters, let winner = best {
            let clustering = Clustering(winner)
            if result.map({ clustering.silhouette > $0.silhouette }) ?? true { result = clustering }
            best = nil
        }
        return pending.isEmpty ? result : nil
    }
}
