@testable import TensorCore

extension Probes {
    static let shapes: [String: @Sendable () -> [Probe]] = [
        Reshape.name: {
            return [Probe(Reshape([6, 2]), [numbers([3, 4], 1)])]
        },
        Permute.name: {
            return [Probe(Permute([2, 0, 1]), [numbers([2, 3, 4], 1)])]
        },
        Embedding.name: {
            return [Probe(Embedding([2, 0, 2, 4]), [numbers([5, 3], 1)])]
        },
    ]
}
