import Glibc
package import TensorCore

/// How close images are to others, image by image. Pixels are from 0 to 1.
package struct ImageFigures: Sendable {
    /// Mean squared error of each image.
    package let errors: [Double]

    /// Images `[batch, …]` and, of the same shape, what they are compared with.
    package init(_ truth: Tensor, _ images: Tensor) {
        precondition(truth.shape == images.shape, "figures: \(truth.shape) and \(images.shape)")
        let a = truth.contiguous(), b = images.contiguous(), batch = truth.shape[0], size = truth.count / max(batch, 1)
        errors = (0..<batch).map { image in
            var sum: Float = 0, total = 0.0
            for i in image * size..<(image + 1) * size {
                let d = a.pointer[i] - b.pointer[i]
                sum += d * d
                if i & 255 == 255 { (total, sum) = (total + Double(sum), 0) }
            }
            return (total + Double(sum)) / Double(size)
        }
    }

    /// Highest ratio that is reported, of equal images: JSON has no infinity.
    package static let highestPSNR = 100.0

    /// Peak signal-to-noise ratio `10 log₁₀(1 / mse)` in decibels, of each image.
    package var psnr: [Double] { errors.map { min(Self.highestPSNR, -10 * log10(max($0, 1e-12))) } }

    package var meanError: Double { errors.reduce(0, +) / Double(max(errors.count, 1)) }
    /// Mean over the images.
    package var meanPSNR: Double { psnr.reduce(0, +) / Double(max(errors.count, 1)) }
}

/// Structural similarity of two planes (Wang et al. 2004): Gaussian window of 11 × 11 with deviation 1.5, K₁ 0.01, K₂ 0.03, the mean over
/// the places where the window fits; of smaller images a window as large as fits.
package enum StructuralSimilarity {
    /// Images `[batch, channels, side, side]`: the mean over each one's channels.
    package static func values(_ a: Tensor, _ b: Tensor) -> [Double] {
        precondition(a.shape == b.shape && a.rank == 4, "ssim: \(a.shape) and \(b.shape)")
        let (x, y) = (a.contiguous(), b.contiguous())
        let (batch, channels, height, width) = (a.shape[0], a.shape[1], a.shape[2], a.shape[3])
        return (0..<batch).map { image in
            let planes = (0..<channels).map { channel in
                let start = (image * channels + channel) * height * width
                return plane(x.pointer + start, y.pointer + start, height, width)
            }
            return planes.reduce(0, +) / Double(channels)
        }
    }

    private static func window(_ size: Int) -> [Double] {
        let middle = Double(size - 1) / 2, raw = (0..<size).map { exp(-pow(Double($0) - middle, 2) / (2 * 1.5 * 1.5)) }
        let total = raw.reduce(0, +)
        return raw.map { $0 / total }
    }

    private static func plane(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ height: Int, _ width: Int) -> Double {
        let size = min(11, height, width), window = window(size)
        func blurred(_ value: (Int) -> Double) -> [Double] {
            let columns = width - size + 1, rows = height - size + 1
            var across = [Double](repeating: 0, count: height * columns)
            for row in 0..<height {
                for column in 0..<columns {
                    across[row * columns + column] = (0..<size).reduce(0.0) { $0 + window[$1] * value(row * width + column + $1) }
                }
            }
            var result = [Double](repeating: 0, count: rows * columns)
            for row in 0..<rows {
                for column in 0..<columns {
                    result[row * columns + column] = (0..<size).reduce(0.0) { $0 + window[$1] * across[(row + $1) * columns + column] }
                }
            }
            return result
        }
        let mx = blurred { Double(x[$0]) }, my = blurred { Double(y[$0]) }
        let xx = blurred { Double(x[$0]) * Double(x[$0]) }, yy = blurred { Double(y[$0]) * Double(y[$0]) }
        let xy = blurred { Double(x[$0]) * Double(y[$0]) }
        let c1 = 0.01 * 0.01, c2 = 0.03 * 0.03
        let total = mx.indices.reduce(0.0) { sum, i in
            let vx = xx[i] - mx[i] * mx[i], vy = yy[i] - my[i] * my[i], covariance = xy[i] - mx[i] * my[i]
            return sum + (2 * mx[i] * my[i] + c1) * (2 * covariance + c2) / ((mx[i] * mx[i] + my[i] * my[i] + c1) * (vx + vy + c2))
        }
        return total / Double(mx.count)
    }
}
