import Glibc
import TensorCore

/// The data set of each row that an epoch draws. A function of the seed, the epoch and the data sets' sizes: nothing of it needs
/// to be saved.
struct EpochOrder {
    /// A data set's place for each row drawn.
    let datasets: [Int]
    /// Rows drawn of each data set.
    let quotas: [Int]

    /// - Parameter sizes: rows to learn from of each data set; 0 for one that is not drawn from any more.
    init(sizes: [Int], sampler: JointSampler, seed: UInt64, epoch: Int) {
        quotas = Self.quotas(sizes, sampler)
        var order: [Int] = []
        if case .roundRobin = sampler {
            var left = quotas
            while order.count < quotas.reduce(0, +) {
                for (dataset, count) in left.enumerated() where count > 0 {
                    order.append(dataset)
                    left[dataset] -= 1
                }
            }
        } else {
            let sorted = quotas.enumerated().flatMap { [Int](repeating: $0.offset, count: $0.element) }
            var random = Random(seed: seed, stream: "data sets of epoch \(epoch)")
            order = random.permutation(sorted.count).map { sorted[$0] }
        }
        datasets = order
    }

    /// As many rows as there are in all, divided as the sampler says; what division leaves over goes to the largest remainders,
    /// the first of equals.
    static func quotas(_ sizes: [Int], _ sampler: JointSampler) -> [Int] {
        let total = sizes.reduce(0, +)
        let shares: [Double]
        switch sampler {
        case .proportional: return sizes
        case .temperature(let temperature): shares = sizes.map { $0 == 0 ? 0 : pow(Double($0), 1 / temperature) }
        case .roundRobin: shares = sizes.map { $0 == 0 ? 0 : 1 }
        }
        let sum = shares.reduce(0, +)
        guard sum > 0 else { return sizes.map { _ in 0 } }
        let exact = shares.map { $0 / sum * Double(total) }
        var quotas = exact.map { Int($0) }
        let order = exact.indices.filter { sizes[$0] > 0 }.sorted {
            (exact[$1] - Double(quotas[$1]), $0) < (exact[$0] - Double(quotas[$0]), $1)
        }
        for dataset in order.prefix(total - quotas.reduce(0, +)) { quotas[dataset] += 1 }
        return quotas
    }
}

/// The rows of one data set in the order they are drawn: pass after pass, each in an order of its own.
struct RowStream {
    let rows: [Int]
    private let seed: UInt64
    private let name: String
    private var pass = -1
    private var order: [Int] = []

    init(_ rows: [Int], seed: UInt64, name: String) {
        self.rows = rows
        self.seed = seed
        self.name = name
    }

    /// The row drawn after `drawn` others.
    mutating func row(after drawn: Int) -> Int {
        let current = drawn / rows.count
        if current != pass {
            var random = Random(seed: seed, stream: "\(name) pass \(current)")
            order = random.permutation(rows.count)
            pass = current
        }
        return rows[order[drawn % rows.count]]
    }
}
