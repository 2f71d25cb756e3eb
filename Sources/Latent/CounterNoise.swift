import Glibc
package import TensorCore

/// Random numbers by their place: the number at an index depends on seed, purpose and step alone, so that any thread can make any of
/// them, and loops over them are vectorised. Two rounds of the 32-bit mixer "lowbias32" (Wellons 2018) over the counter.
package struct CounterNoise: Sendable {
    private let first: UInt32, second: UInt32

    package init(seed: UInt64, stream: String, step: Int = 0) {
        var random = Random(seed: seed &+ UInt64(step) &* 0x9e37_79b9_7f4a_7c15, stream: stream)
        let bits = random.next()
        (first, second) = (UInt32(truncatingIfNeeded: bits), UInt32(truncatingIfNeeded: bits >> 32))
    }

    @inline(__always)
    private static func mixed(_ value: UInt32) -> UInt32 {
        var x = value
        x = (x ^ (x >> 16)) &* 0x7feb_352d
        x = (x ^ (x >> 15)) &* 0x846c_a68b
        return x ^ (x >> 16)
    }

    @inline(__always)
    func bits(_ index: UInt32) -> UInt32 { Self.mixed(Self.mixed(index ^ first) &+ second) }

    /// Uniform in [0, 1): 24 random bits.
    @inline(__always)
    package func uniform(_ index: Int) -> Float { Float(Int32(bitPattern: bits(UInt32(truncatingIfNeeded: index)) >> 8)) * 0x1p-24 }

    /// Standard normal (Box & Muller 1958); takes the numbers at `2 index` and `2 index + 1`.
    package func normal(_ index: Int) -> Float {
        sqrtf(-2 * logf(1 - uniform(2 * index))) * cosf(2 * .pi * uniform(2 * index + 1))
    }

    package func normals(_ shape: Shape) -> Tensor {
        let result = Tensor(uninitialised: shape), out = result.mutablePointer
        for i in 0..<shape.count { out[i] = normal(i) }
        return result
    }

    /// 1 with the probability given, else 0; of the same shape.
    package func bernoulli(_ probabilities: Tensor) -> Tensor {
        let p = probabilities.contiguous(), result = Tensor(uninitialised: p.shape)
        let from = p.pointer, to = result.mutablePointer
        WorkerPool.shared.forRanges(p.count, grain: 1 << 14) { range in
            for i in range { to[i] = uniform(i) < from[i] ? 1 : 0 }
        }
        return result
    }

    /// `x + deviation · noise`, bounded to 0…1. The noise is the sum of three uniform numbers, of unit variance: bell-shaped, and
    /// cheap enough for every pixel of every step.
    package func disturbing(_ x: Tensor, deviation: Float) -> Tensor {
        let x = x.contiguous(), result = Tensor(uninitialised: x.shape), from = x.pointer, to = result.mutablePointer
        let count = x.count
        WorkerPool.shared.forRanges(count, grain: 1 << 13) { range in
            for i in range {
                let sum = uniform(i) + uniform(i + count) + uniform(i + 2 * count)
                to[i] = min(max(from[i] + deviation * (sum - 1.5) * 2, 0), 1)
            }
        }
        return result
    }
}
