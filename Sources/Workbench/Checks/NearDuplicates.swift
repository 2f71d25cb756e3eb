import TensorCore

/// Pairs of vectors whose cosine is at least a limit: all pairs, by products of blocks, in slices of some milliseconds.
///
/// The work grows with the square of the vectors: `rows² · width` multiplications, half of them spared by symmetry. Above `mostRows` a
/// random sample of as many is compared.
struct NearDuplicates: ComputeTask {
    struct Pair: Sendable, Equatable {
        /// The lesser row first.
        let first: Int, second: Int
        let cosine: Float
    }

    struct Output: Sendable {
        /// The most similar first.
        var pairs: [Pair] = []
        /// Pairs beyond `mostPairs` are only counted.
        var count = 0
    }

    /// 40,000 vectors of 384 numbers: 6 · 10¹¹ operations, some seconds on two cores.
    static let mostRows = 40_000
    static let mostPairs = 100_000
    private static let block = 512, slice = Duration.milliseconds(8)

    private let vectors: Tensor
    private let limit: Float
    private let progress: @Sendable (_ done: Int, _ total: Int) -> Void
    private var row = 0, column = 0
    private var output = Output()

    /// - Parameter values: row-major `[rows, width]`.
    init(values: [Float], width: Int, limit: Double, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }) {
        vectors = L2Normalisation()(Tensor(values, [values.count / width, width]))
        self.limit = Float(limit)
        self.progress = progress
    }

    mutating func step() throws -> Output? {
        let start = ContinuousClock.now, rows = vectors.shape[0]
        while row < rows, ContinuousClock.now - start < Self.slice {
            compare()
            column += Self.block
            if column >= rows {
                row += Self.block
                column = row
            }
        }
        progress(min(row, rows), rows)
        guard row >= rows else { return nil }
        output.pairs.sort { ($1.cosine, $0.first, $0.second) < ($0.cosine, $1.first, $1.second) }
        return output
    }

    private mutating func compare() {
        let rows = vectors.shape[0], width = vectors.shape[1]
        func block(_ start: Int) -> Tensor {
            let count = min(Self.block, rows - start)
            let part = UnsafeBufferPointer(start: vectors.pointer + start * width, count: count * width)
            return Tensor(Array(part), [count, width])
        }
        let cosines = MatrixProduct(transposeB: true)(block(row), block(column))
        let height = cosines.shape[0], breadth = cosines.shape[1]
        for i in 0..<height {
            let from = row == column ? i + 1 : 0, line = cosines.pointer + i * breadth
            for j in stride(from: from, to: breadth, by: 1) where line[j] >= limit {
                output.count += 1
                if output.pairs.count < Self.mostPairs {
                    output.pairs.append(Pair(first: row + i, second: column + j, cosine: min(line[j], 1)))
                }
            }
        }
    }
}
