import Glibc

/// Rotary position embedding (Su et al. 2021): x `[…, length, size]`, pair i of the row at position p turned by
/// `p · base^(−2i / size)`. A pair is elements i and `i + size/2` (the half-split form), or `2i` and `2i + 1` when interleaved.
package struct RotaryEmbedding: DifferentiableOp {
    package static let name = "rope"
    /// The position of each of the `length` rows.
    package let positions: [Int]
    package let base: Double
    package let interleaved: Bool

    package init(positions: [Int], base: Double = 10_000, interleaved: Bool = false) {
        self.positions = positions
        self.base = base
        self.interleaved = interleaved
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) { (turned(inputs[0], 1), []) }

    /// A rotation's transpose turns back.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [turned(gradient, -1)]
    }

    private func turned(_ x: Tensor, _ direction: Double) -> Tensor {
        precondition(
            x.rank >= 2 && x.shape[-2] == positions.count && x.shape.last % 2 == 0,
            "rope: \(x.shape) for \(positions.count) positions")
        let x = x.contiguous(), y = Tensor(uninitialised: x.shape), size = x.shape.last, half = size / 2
        var turns: [(cos: Float, sin: Float)] = []
        turns.reserveCapacity(positions.count * half)
        for position in positions {
            for i in 0..<half {
                let angle = Double(position) * pow(base, -2 * Double(i) / Double(size))
                turns.append((Float(cos(angle)), Float(direction * sin(angle))))
            }
        }
        let step = interleaved ? 2 : 1, apart = interleaved ? 1 : half
        for row in 0..<x.shape.rows {
            let from = x.pointer + row * size, to = y.mutablePointer + row * size
            let start = row % positions.count * half
            for i in 0..<half {
                let (cos, sin) = turns[start + i], a = from[i * step], b = from[i * step + apart]
                to[i * step] = a * cos - b * sin
                to[i * step + apart] = b * cos + a * sin
            }
        }
        return y
    }
}
