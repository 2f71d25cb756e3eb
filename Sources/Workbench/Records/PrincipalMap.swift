import Foundation
import TensorCore
import Training

/// Rows of features on the plane along which they vary most: their first two principal components (Pearson 1901), by subspace iteration
/// on the covariance matrix. The same rows give the same bits.
struct PrincipalMap {
    /// Positions in the rows given, ascending.
    let rows: [Int]
    /// `[rows, 2]`
    let points: [Float]
    /// Shares of the variance along both components.
    let explained: [Double]

    /// Rows that are drawn; of more, evenly spaced ones.
    static let mostRows = 20_000
    /// Its covariance matrix takes 64 MB.
    private static let mostWidth = 4_096
    private static let subspace = 6, iterations = 200

    /// nil when there is nothing to see: fewer than three rows, no variance, or vectors that are too wide.
    init?(table: FeatureTable, rows all: [Int]) {
        let step = max(1, (all.count + Self.mostRows - 1) / Self.mostRows), width = table.width
        let positions = Array(stride(from: 0, to: all.count, by: step))
        guard positions.count >= 3, width >= 2, width <= Self.mostWidth else { return nil }
        let x = Self.centred(table.gather(positions.map { all[$0] }))
        let covariance = MatrixProduct(transposeA: true)(x, x)
        let total = (0..<width).reduce(0.0) { $0 + Double(covariance.pointer[$1 * width + $1]) }
        guard total > 0, total.isFinite else { return nil }
        let (axes, strengths) = Self.leading(covariance, width)
        let projected = MatrixProduct()(x, Tensor(axes, [width, 2]))
        rows = positions
        points = projected.values
        explained = strengths.map { $0 / total }
    }

    private static func centred(_ x: Tensor) -> Tensor {
        let rows = x.shape[0], width = x.shape[1]
        var means = [Double](repeating: 0, count: width)
        for row in 0..<rows { for column in 0..<width { means[column] += Double(x.pointer[row * width + column]) } }
        let result = Tensor(uninitialised: [rows, width]), target = result.mutablePointer
        for row in 0..<rows {
            for column in 0..<width {
                target[row * width + column] = Float(Double(x.pointer[row * width + column]) - means[column] / Double(rows))
            }
        }
        return result
    }

    /// The two leading eigenvectors as columns of `[width, 2]`, and their eigenvalues.
    private static func leading(_ matrix: Tensor, _ width: Int) -> (axes: [Float], values: [Double]) {
        let count = min(subspace, width)
        var random = Random(seed: 0, stream: "principal map")
        var basis = (0..<count).map { _ in (0..<width).map { _ in Double(random.uniform()) - 0.5 } }
        var lengths = orthonormalise(&basis), before = [0.0, 0.0]
        for _ in 0..<iterations {
            let packed = (0..<width).flatMap { row in basis.map { Float($0[row]) } }
            let product = MatrixProduct()(matrix, Tensor(packed, [width, count])).values
            basis = (0..<count).map { column in (0..<width).map { Double(product[$0 * count + column]) } }
            lengths = orthonormalise(&basis)
            // Lengths tend to the eigenvalues.
            if zip(lengths, before).allSatisfy({ abs($0 - $1) <= 1e-9 * lengths[0] }) { break }
            before = Array(lengths.prefix(2))
        }
        for index in 0..<2 {
            // An axis has no sign of its own: its largest part is positive.
            let largest = basis[index].max { abs($0) < abs($1) } ?? 1
            if largest < 0 { basis[index] = basis[index].map { -$0 } }
        }
        return ((0..<width).flatMap { [Float(basis[0][$0]), Float(basis[1][$0])] }, Array(lengths.prefix(2)))
    }

    /// Gram and Schmidt's, twice for rounding's sake. Returns the lengths that were left of each vector.
    private static func orthonormalise(_ basis: inout [[Double]]) -> [Double] {
        basis.indices.map { index in
            var vector = basis[index]
            for _ in 0..<2 {
                for other in basis[..<index] {
                    let share = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
                    for position in vector.indices { vector[position] -= share * other[position] }
                }
            }
            let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            basis[index] = length > 0 ? vector.map { $0 / length } : vector
            return length
        }
    }
}
