import Glibc
package import TensorCore

/// Variations of an image that leave what it shows the same: turned, zoomed (a random crop, brought back to size), shifted, flipped,
/// noisy. Pixels from outside are those of the edge.
package struct Augmentation: Sendable, Codable, Equatable {
    /// Largest angle, in degrees.
    package var rotation = 0.0
    /// Largest shift, as a share of the side.
    package var shift = 0.0
    /// Smallest share of the side that a crop keeps; 1: no crops. Up to its inverse it is also zoomed out.
    package var crop = 1.0
    /// Half of the images are mirrored. Not for digits and letters.
    package var flip = false
    /// Largest deviation of pixel noise.
    package var noise = 0.0

    package init(rotation: Double = 0, shift: Double = 0, crop: Double = 1, flip: Bool = false, noise: Double = 0) {
        (self.rotation, self.shift, self.crop, self.flip, self.noise) = (rotation, shift, crop, flip, noise)
    }

    /// For two views of one image.
    package static let views = Augmentation(rotation: 20, shift: 0.12, crop: 0.7, noise: 0.15)

    func validate() throws {
        guard (0...180).contains(rotation), (0...0.5).contains(shift), crop > 0.1, crop <= 1, (0...1).contains(noise) else {
            throw LatentError(
                .invalidArgument,
                "Augmentations turn by 0 to 180 degrees, shift by 0 to 0.5, keep more than 0.1 and at most 1 of the side, and have a "
                    + "noise of 0 to 1; they were \(rotation), \(shift), \(crop) and \(noise).")
        }
    }

    /// Images `[batch, channels, side, side]`, each varied in its own way. The same seed, stream and step vary in the same way.
    package func callAsFunction(_ images: Tensor, seed: UInt64, stream: String, step: Int) -> Tensor {
        let x = images.contiguous(), batch = x.shape[0], channels = x.shape[1], side = x.shape[2]
        let numbers = CounterNoise(seed: seed, stream: stream, step: step), result = Tensor(uninitialised: x.shape)
        let plane = side * side, from = x.pointer, to = result.mutablePointer
        WorkerPool.shared.forRanges(batch, grain: 4) { range in
            for image in range {
                let map = inverseMap(numbers, image, side)
                for channel in 0..<channels {
                    let start = (image * channels + channel) * plane
                    map.sample(from + start, side, into: to + start)
                }
            }
        }
        guard noise > 0 else { return result }
        let pixels = CounterNoise(seed: seed, stream: stream + "/noise", step: step)
        return pixels.disturbing(result, deviation: Float(noise) * numbers.uniform(1 << 20))
    }

    private func inverseMap(_ numbers: CounterNoise, _ image: Int, _ side: Int) -> AffineMap {
        func symmetric(_ index: Int) -> Float { numbers.uniform(image * 8 + index) * 2 - 1 }
        let angle = Float(rotation) * .pi / 180 * symmetric(0)
        let zoomX = expf(logf(Float(crop)) * symmetric(1)), zoomY = zoomX * expf(0.3 * logf(Float(crop)) * symmetric(2))
        let mirror: Float = flip && numbers.uniform(image * 8 + 3) < 0.5 ? -1 : 1
        return AffineMap(
            xx: cosf(angle) * zoomX * mirror, xy: -sinf(angle) * zoomY, yx: sinf(angle) * zoomX * mirror, yy: cosf(angle) * zoomY,
            dx: Float(shift) * Float(side) * symmetric(4), dy: Float(shift) * Float(side) * symmetric(5))
    }
}

/// Where each pixel of the result comes from, about the middle of the image.
private struct AffineMap {
    let xx: Float, xy: Float, yx: Float, yy: Float, dx: Float, dy: Float

    /// One channel `[side, side]`, bicubic (Catmull & Rom 1974): bilinear sampling would blur what is learned.
    func sample(_ from: UnsafePointer<Float>, _ side: Int, into to: UnsafeMutablePointer<Float>) {
        let middle = Float(side - 1) / 2, last = side - 1
        for row in 0..<side {
            let v = Float(row) - middle
            for column in 0..<side {
                let u = Float(column) - middle
                let x = min(max(xx * u + xy * v + middle + dx, 0), Float(last)), y = min(max(yx * u + yy * v + middle + dy, 0), Float(last))
                let left = Int(x), top = Int(y), across = Self.weights(x - Float(left)), down = Self.weights(y - Float(top))
                var total: Float = 0
                for i in 0..<4 {
                    let line = from + min(max(top + i - 1, 0), last) * side
                    let sum =
                        across[0] * line[max(left - 1, 0)] + across[1] * line[left] + across[2] * line[min(left + 1, last)]
                        + across[3] * line[min(left + 2, last)]
                    total += down[i] * sum
                }
                to[row * side + column] = min(max(total, 0), 1)
            }
        }
    }

    /// Of the four pixels around a place `t` after the second.
    @inline(__always)
    private static func weights(_ t: Float) -> SIMD4<Float> {
        let square = t * t, cube = square * t
        return SIMD4(
            -0.5 * t + square - 0.5 * cube, 1 - 2.5 * square + 1.5 * cube, 0.5 * t + 2 * square - 1.5 * cube, 0.5 * (cube - square))
    }
}
