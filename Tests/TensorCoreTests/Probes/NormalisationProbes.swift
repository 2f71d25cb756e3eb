@testable import TensorCore

extension Probes {
    static let normalisation: [String: @Sendable () -> [Probe]] = [
        LayerNormalisation.name: {
            let norm = LayerNormalisation(eps: 1e-5)
            return [
                Probe(norm, [numbers([3, 18], 1), numbers([18], 2), numbers([18], 3)]),
                Probe(norm, [numbers([3, 18], 1), numbers([18], 2)]),
                Probe(norm, [numbers([3, 18], 1)]),
                Probe(
                    LayerNormalisation(eps: 1e-5, axes: 2),
                    [numbers([2, 3, 5], 1), numbers([3, 5], 2), numbers([3, 5], 3)]),
            ]
        },
        RMSNormalisation.name: {
            [
                Probe(RMSNormalisation(eps: 1e-5), [numbers([3, 18], 1), numbers([18], 2)]),
                Probe(RMSNormalisation(eps: 1e-5, axes: 2), [numbers([2, 3, 5], 1)]),
            ]
        },
        ResidualLayerNormalisation.name: {
            [
                Probe(
                    ResidualLayerNormalisation(eps: 1e-5),
                    [numbers([3, 18], 1), numbers([3, 18], 4), numbers([18], 2), numbers([18], 3)])
            ]
        },
        L2Normalisation.name: {
            [
                Probe(L2Normalisation(), [numbers([3, 18], 1)]),
                Probe(L2Normalisation(axis: 1), [numbers([2, 6, 3], 1)]),
            ]
        },
    ]
}
