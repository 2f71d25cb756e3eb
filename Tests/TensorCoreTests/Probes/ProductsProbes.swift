@testable import TensorCore

extension Probes {
    static let products: [String: @Sendable () -> [Probe]] = [
        LinearProduct.name: {
            [
                Probe(LinearProduct(), [numbers([2, 3, 4], 1), numbers([5, 4], 2), numbers([5], 3)]),
                Probe(LinearProduct(), [numbers([3, 4], 1), numbers([5, 4], 2)]),
                Probe(LinearProduct(), [numbers([4], 1), numbers([5, 4], 2), numbers([5], 3)]),
            ]
        },
        LinearGELU.name: {
            return [
                Probe(LinearGELU(), [numbers([2, 3, 4], 1), numbers([5, 4], 2), numbers([5], 3)]),
                Probe(LinearGELU(), [numbers([7, 19], 1), numbers([33, 19], 2, scale: 0.3), numbers([33], 3)]),
            ]
        },
        MatrixProduct.name: {
            let shapes: [(Shape, Shape)] = [
                ([3, 4], [4, 2]), ([4], [4, 2]), ([3, 4], [4]), ([4], [4]), ([2, 3, 4], [4, 5]), ([2, 3, 4], [4]),
                ([4], [2, 4, 3]), ([3, 4], [2, 4, 5]), ([2, 1, 3, 4], [5, 4, 2]), ([2, 3, 4], [2, 4, 3]),
                ([1, 3, 4], [1, 4, 3]),
            ]
            return shapes.map { Probe(MatrixProduct(), [numbers($0, 1), numbers($1, 2)]) } + [
                Probe(MatrixProduct(transposeA: true), [numbers([2, 4, 3], 1), numbers([2, 4, 2], 2)]),
                Probe(MatrixProduct(transposeA: true), [numbers([2, 4, 3], 1), numbers([4, 2], 2)]),
                Probe(MatrixProduct(transposeB: true), [numbers([3, 4], 1), numbers([2, 4], 2)]),
                Probe(MatrixProduct(transposeB: true), [numbers([5, 3, 4], 1), numbers([2, 4], 2)]),
                Probe(MatrixProduct(transposeA: true, transposeB: true), [numbers([4, 3], 1), numbers([2, 4], 2)]),
            ]
        },
        PackedLinear.name: {
            let weights = [numbers([5, 4], 2), numbers([3, 4], 3)], biases = [numbers([5], 4), numbers([3], 5)]
            let frozen = FrozenLinear(weights, biases: biases, passesGradients: true)
            return [
                Probe(PackedLinear(frozen), [numbers([6, 4], 1)]),
                Probe(PackedLinear(frozen, activation: .gelu), [numbers([6, 4], 1)]),
            ]
        },
        AdaptedLinear.name: {
            let frozen = FrozenLinear([numbers([5, 4], 2)], biases: [numbers([5], 4)], passesGradients: true)
            let inputs = [numbers([6, 4], 1), numbers([2, 4], 3), numbers([5, 2], 5)]
            return [Probe(AdaptedLinear(frozen, scale: 1), inputs), Probe(AdaptedLinear(frozen, scale: 0.7), inputs)]
        },
    ]
}
