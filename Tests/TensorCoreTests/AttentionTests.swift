import Testing

@testable import TensorCore

@Suite("Attention")
struct AttentionTests {
    /// `softmax(q kᵀ · scale + mask) v` out of ops that know nothing of heads.
    private func composite(_ q: Tensor, _ k: Tensor, _ v: Tensor, mask: Tensor) -> Tensor {
        let scores = MatrixProduct(transposeB: true)(q, k)
        let scale = Tensor(scalar: 1 / Float(q.shape.last).squareRoot())
        return MatrixProduct()(Softmax()(Add()(Multiply()(scores, scale), mask)), v)
    }

    @Test(
        "the fused op equals the composite, values and gradients, for lengths around its blocks",
        arguments: [1, 31, 300])
    func equalsTheComposite(_ length: Int) {
        let shape: Shape = [2, 3, length, 8]
        for causal in [false, true] {
            let leaves = (1...3).map { numbers(shape, UInt64($0)).tracked }
            let mask = Tensor(repeating: -.infinity, [length, length])
            let seen = Triangle(upper: true, diagonal: 1)(Tensor(repeating: 1, [length, length])).values
            let additive = MaskedFill(Mask(seen.map { !causal || $0 == 0 }, [length, length]), value: 0)(mask)
            let fused = Attention(causal: causal)(leaves[0], leaves[1], leaves[2])
            let reference = composite(leaves[0], leaves[1], leaves[2], mask: additive)
            let weights = numbers(shape, 9)
            let pairs =
                zip(
                    [fused] + fused.gradients(for: leaves, from: weights),
                    [reference] + reference.gradients(for: leaves, from: weights))
            for (index, (actual, expected)) in pairs.enumerated() {
                let worst = zip(actual.values, expected.values).map { abs($0 - $1) }.max() ?? 0
                #expect(worst < 2e-5, "length \(length), causal \(causal), tensor \(index): off by \(worst)")
            }
        }
    }

    @Test("a query that may see nothing gets zeros and sends no gradient")
    func nothingToSee() {
        let leaves = (1...3).map { numbers([1, 1, 2, 4], UInt64($0)).tracked }
        let mask = Mask([false, false, true, true], [2, 2])
        let y = Attention(mask: mask)(leaves[0], leaves[1], leaves[2])
        #expect(Array(y.values[..<4]) == [0, 0, 0, 0])
        let gradients = Sum()(y).gradients(for: leaves)
        #expect(Array(gradients[0].values[..<4]) == [0, 0, 0, 0])
        #expect(gradients.allSatisfy { $0.values.allSatisfy(\.isFinite) })
    }

    @Test("a sequence's result has the same bits alone and in a batch")
    func batchesDoNotMatter() {
        let q = numbers([5, 4, 19, 8], 1), k = numbers([5, 2, 23, 8], 2), v = numbers([5, 2, 23, 6], 3)
        let together = Attention()(q, k, v)
        for index in 0..<5 {
            let range = index..<index + 1
            let alone = Attention()(q.rows(range), k.rows(range), v.rows(range))
            #expect(alone.values == together.rows(range).values, "sequence \(index)")
        }
    }

    @Test("NaN in one query reaches its own row only")
    func keepsNaN() {
        var values = numbers([1, 1, 3, 4], 1).values
        values[5] = .nan
        let y = Attention()(Tensor(values, [1, 1, 3, 4]), numbers([1, 1, 3, 4], 2), numbers([1, 1, 3, 4], 3)).values
        #expect(y[4..<8].allSatisfy(\.isNaN) && y[..<4].allSatisfy(\.isFinite) && y[8...].allSatisfy(\.isFinite))
    }

    @Test("rotated queries and keys depend on the distance of their positions only")
    func rotation() {
        let q = numbers([1, 8], 1), k = numbers([1, 8], 2)
        func score(_ first: Int, _ second: Int, _ interleaved: Bool) -> Float {
            let a = RotaryEmbedding(positions: [first], interleaved: interleaved)(q)
            let b = RotaryEmbedding(positions: [second], interleaved: interleaved)(k)
            return Sum()(Multiply()(a, b)).scalar
        }
        for interleaved in [false, true] {
            #expect(abs(score(3, 7, interleaved) - score(10, 14, interleaved)) < 1e-5)
            #expect(abs(score(3, 7, interleaved) - score(7, 3, interleaved)) > 1e-3)
        }
    }
}
