import Testing

@testable import TensorCore

@Suite("Functions that are computed twice instead of remembered")
struct RecomputedTests {
    @Test("have the value and the gradients of the function, to the bit, also one parameter in two of them")
    func same() {
        var random = Random(seed: 2)
        func numbers(_ shape: Shape) -> Tensor { Tensor((0..<shape.count).map { _ in random.uniform() - 0.5 }, shape) }
        let x = numbers([3, 4]).tracked, w = numbers([4, 4]).tracked, b = numbers([4]).tracked
        func layer(_ x: Tensor) -> Tensor { Tanh()(LinearProduct()(GELU()(LinearProduct()(x, w, b)), w)) }
        let weights = numbers([3, 4])
        func loss(_ y: Tensor) -> Tensor { Sum()(Multiply()(y, weights)) }
        let plain = loss(layer(layer(x))), again = Recomputed([w, b], layer)
        let recomputed = loss(again(again(x)))
        #expect(plain.values == recomputed.values)
        for (a, e) in zip(recomputed.gradients(for: [x, w, b]), plain.gradients(for: [x, w, b])) {
            for (p, q) in zip(a.values, e.values) { #expect(abs(p - q) <= 1e-6 * (1 + abs(q))) }
        }
        // Only what is asked for; and a tape that was walked once can be walked again.
        #expect(recomputed.gradients(for: [b])[0].shape == [4])
        let frozen = again(x.detached)
        #expect(frozen.isTracked && loss(frozen).gradients(for: [w])[0].values.contains { $0 != 0 })
    }
}
