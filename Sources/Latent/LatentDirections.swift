import Checkpoints
package import Foundation
import Glibc
package import TensorCore

/// A way to go in a latent space: adding `amount · vector` to a code makes an image more of what the direction is named after.
package struct LatentDirection: Sendable, Codable, Equatable {
    package enum Method: String, Sendable, Codable, CaseIterable {
        /// From the mean of the codes without the label to the mean of those with it.
        case means
        /// The normal of the plane that separates them best: a logistic regression.
        case probe
        /// The axis of the largest, second largest … variance.
        case pca
    }

    package let name: String
    package let method: Method
    /// Of length `scale`: an amount of 1 goes from one group's mean to the other's, or along one deviation of an axis.
    package let vector: [Float]
    /// Share of the codes it tells apart (`means`, `probe`), or of the variance it explains (`pca`).
    package let quality: Double

    package init(name: String, method: Method, vector: [Float], quality: Double) {
        (self.name, self.method, self.vector, self.quality) = (name, method, vector, quality)
    }
}

/// Learns directions from codes.
package enum DirectionLearning {
    /// From codes `[rows, code]`, some of which have the label.
    ///
    /// - Throws: `LatentError.invalidData` when one of the two groups is empty.
    package static func labelled(
        _ name: String, _ codes: Tensor, has: [Bool], method: LatentDirection.Method
    ) throws -> LatentDirection {
        let rows = codes.shape[0], width = codes.shape[1], x = codes.contiguous()
        precondition(has.count == rows, "\(has.count) labels for \(rows) codes")
        let with = has.count { $0 }
        guard with > 0, with < rows else {
            throw LatentError(
                .invalidData,
                "\(with) of \(rows) images have the label for direction '\(name)'; there must be some with it and some without.")
        }
        func mean(_ group: Bool) -> [Double] {
            var sum = [Double](repeating: 0, count: width)
            for row in 0..<rows where has[row] == group { for i in 0..<width { sum[i] += Double(x.pointer[row * width + i]) } }
            return sum.map { $0 / Double(group ? with : rows - with) }
        }
        let yes = mean(true), no = mean(false)
        var vector = zip(yes, no).map { $0 - $1 }
        if method == .probe {
            let normal = LogisticProbe.normal(x, has)
            // As far along the normal as the means lie apart along it.
            let length = zip(normal, vector).reduce(0) { $0 + $1.0 * $1.1 }, square = normal.reduce(0) { $0 + $1 * $1 }
            vector = normal.map { $0 * length / max(square, 1e-12) }
        }
        // The threshold half-way between the means.
        let middle = zip(yes, no).map { ($0 + $1) / 2 }
        var right = 0
        for row in 0..<rows {
            let side = (0..<width).reduce(0.0) { $0 + vector[$1] * (Double(x.pointer[row * width + $1]) - middle[$1]) }
            if (side > 0) == has[row] { right += 1 }
        }
        return LatentDirection(
            name: name, method: method, vector: vector.map { Float($0) }, quality: Double(right) / Double(rows))
    }

    /// The `count` axes of largest variance, named `pc1`, `pc2`, …, each as long as one deviation.
    package static func principal(_ codes: Tensor, count: Int) -> [LatentDirection] {
        let axes = PrincipalAxes(codes, count: count)
        return axes.vectors.indices.map { index in
            let deviation = axes.variances[index].squareRoot()
            return LatentDirection(
                name: "pc\(index + 1)", method: .pca, vector: axes.vectors[index].map { Float($0 * deviation) },
                quality: axes.total > 0 ? axes.variances[index] / axes.total : 0)
        }
    }
}

/// The directions of largest variance of codes (Pearson 1901), by Jacobi's method on the covariance.
package struct PrincipalAxes {
    package let mean: [Double]
    /// Of unit length, the largest variance first; their largest element is positive, so that they do not turn around by chance.
    package let vectors: [[Double]]
    package let variances: [Double]
    package let total: Double

    /// Of codes `[rows, code]`.
    package init(_ codes: Tensor, count: Int) {
        let rows = codes.shape[0], width = codes.shape[1], x = codes.contiguous()
        var mean = [Double](repeating: 0, count: width)
        for row in 0..<rows { for i in 0..<width { mean[i] += Double(x.pointer[row * width + i]) / Double(max(rows, 1)) } }
        var matrix = [Double](repeating: 0, count: width * width)
        for row in 0..<rows {
            let d = (0..<width).map { Double(x.pointer[row * width + $0]) - mean[$0] }
            for i in 0..<width { for j in 0...i { matrix[i * width + j] += d[i] * d[j] / Double(max(rows - 1, 1)) } }
        }
        for i in 0..<width { for j in 0..<i { matrix[j * width + i] = matrix[i * width + j] } }
        total = (0..<width).reduce(0) { $0 + matrix[$1 * width + $1] }
        let vectors = Self.rotate(&matrix, width)
        let order = (0..<width).sorted { (matrix[$0 * width + $0], $1) > (matrix[$1 * width + $1], $0) }.prefix(count)
        variances = order.map { max(0, matrix[$0 * width + $0]) }
        self.vectors = order.map { axis in
            let vector = (0..<width).map { vectors[$0 * width + axis] }
            let largest = vector.max { abs($0) < abs($1) } ?? 1
            return largest < 0 ? vector.map(-) : vector
        }
        self.mean = mean
    }

    /// Makes the symmetric `matrix` diagonal; the columns of the result are its eigenvectors.
    private static func rotate(_ matrix: inout [Double], _ n: Int) -> [Double] {
        var vectors = [Double](repeating: 0, count: n * n)
        for i in 0..<n { vectors[i * n + i] = 1 }
        for _ in 0..<50 {
            var off = 0.0
            for i in 0..<n { for j in 0..<i { off += matrix[i * n + j] * matrix[i * n + j] } }
            if off < 1e-20 { break }
            for p in 0..<n {
                for q in p + 1..<max(n, p + 1) where abs(matrix[p * n + q]) > 1e-300 {
                    let theta = (matrix[q * n + q] - matrix[p * n + p]) / (2 * matrix[p * n + q])
                    let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
                    let c = 1 / (t * t + 1).squareRoot(), s = t * c
                    for k in 0..<n {
                        let a = matrix[k * n + p], b = matrix[k * n + q]
                        (matrix[k * n + p], matrix[k * n + q]) = (c * a - s * b, s * a + c * b)
                    }
                    for k in 0..<n {
                        let a = matrix[p * n + k], b = matrix[q * n + k]
                        (matrix[p * n + k], matrix[q * n + k]) = (c * a - s * b, s * a + c * b)
                        let u = vectors[k * n + p], v = vectors[k * n + q]
                        (vectors[k * n + p], vectors[k * n + q]) = (c * u - s * v, s * u + c * v)
                    }
                }
            }
        }
        return vectors
    }
}

/// A logistic regression of two groups, the groups weighing the same.
private enum LogisticProbe {
    private static let rounds = 200

    /// The normal of its plane, in the codes' own units: gradient descent on standardised codes with a small L2 penalty.
    static func normal(_ x: Tensor, _ has: [Bool]) -> [Double] {
        let rows = x.shape[0], width = x.shape[1]
        var mean = [Double](repeating: 0, count: width), deviation = mean
        for row in 0..<rows { for i in 0..<width { mean[i] += Double(x.pointer[row * width + i]) / Double(rows) } }
        for row in 0..<rows { for i in 0..<width { deviation[i] += pow(Double(x.pointer[row * width + i]) - mean[i], 2) / Double(rows) } }
        deviation = deviation.map { max($0.squareRoot(), 1e-6) }
        let with = has.count { $0 }, share = [true: 0.5 / Double(with), false: 0.5 / Double(rows - with)]
        var weight = [Double](repeating: 0, count: width), bias = 0.0
        for _ in 0..<rounds {
            var slope = weight.map { $0 * 1e-3 }, level = 0.0
            for row in 0..<rows {
                var sum = bias
                for i in 0..<width { sum += weight[i] * (Double(x.pointer[row * width + i]) - mean[i]) / deviation[i] }
                let error = (1 / (1 + exp(-sum)) - (has[row] ? 1 : 0)) * (share[has[row]] ?? 0)
                for i in 0..<width { slope[i] += error * (Double(x.pointer[row * width + i]) - mean[i]) / deviation[i] }
                level += error
            }
            for i in 0..<width { weight[i] -= 2 * slope[i] }
            bias -= 2 * level
        }
        return zip(weight, deviation).map { $0 / $1 }
    }
}

/// The named directions of an encoder, in a file of its folder. Not part of the encoder's digest: they come and go.
package struct DirectionFile: Sendable {
    package static let name = "directions.json"
    private let url: URL

    package init(folder: URL) { url = folder.appending(path: Self.name) }

    /// By name; empty when there is no file.
    /// - Throws: `LatentError.corrupt`.
    package func read() throws -> [String: LatentDirection] {
        guard FileManager.default.fileExists(atPath: url.path) else { return [:] }
        do {
            let all = try JSONDecoder().decode([LatentDirection].self, from: Data(contentsOf: url))
            return Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        } catch {
            throw LatentError(.corrupt, "\(url.path) cannot be read: \(error). Remove it, and learn the directions again.")
        }
    }

    /// Adds directions, in the place of those of the same names.
    package func add(_ directions: [LatentDirection]) throws {
        var all = try read()
        for direction in directions { all[direction.name] = direction }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(all.values.sorted { $0.name < $1.name }).write(to: url, options: .atomic)
    }

    /// - Throws: `LatentError.notFound` naming the directions there are.
    package func direction(_ name: String, width: Int) throws -> LatentDirection {
        let all = try read()
        guard let direction = all[name] else {
            let known = all.keys.sorted().joined(separator: ", ")
            throw LatentError(
                .notFound,
                "There is no direction '\(name)'. "
                    + (known.isEmpty ? "Learn one with `hidra latent learn`." : "There are: \(known)."))
        }
        guard direction.vector.count == width else {
            throw LatentError(
                .corrupt, "Direction '\(name)' has \(direction.vector.count) numbers, and a latent of this model \(width). Learn it again.")
        }
        return direction
    }
}
