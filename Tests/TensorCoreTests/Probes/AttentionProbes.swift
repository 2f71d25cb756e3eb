@testable import TensorCore

extension Probes {
    static let attention: [String: @Sendable () -> [Probe]] = [
        PackedAttention.name: {
            [
                Probe(
                    PackedAttention(SequenceOffsets(lengths: [3, 1, 4]), heads: 2, width: 6),
                    [numbers([8, 6], 1), numbers([8, 6], 2), numbers([8, 6], 3)])
            ]
        },
        Attention.name: {
            let q = numbers([2, 4, 3, 5], 1), k = numbers([2, 2, 6, 5], 2), v = numbers([2, 2, 6, 3], 3)
            // The last query of each sequence may see nothing.
            let mask = Mask((0..<18).map { $0 < 12 && $0 % 5 != 0 }, [1, 1, 3, 6])
            return [
                Probe(Attention(), [q, k, v]),
                Probe(Attention(causal: true, scale: 0.7), [q, k, v]),
                Probe(Attention(mask: mask), [q, k, v, numbers([4, 1, 6], 4)]),
                Probe(
                    Attention(causal: true),
                    [numbers([1, 2, 5, 4], 1), numbers([1, 2, 3, 4], 2), numbers([1, 2, 3, 4], 3)]),
            ]
        },
        RotaryEmbedding.name: {
            [
                Probe(RotaryEmbedding(positions: [0, 3, 7]), [numbers([2, 3, 6], 1)]),
                Probe(RotaryEmbedding(positions: [2, 5], base: 100, interleaved: true), [numbers([3, 2, 4], 1)]),
            ]
        },
    ]
}
