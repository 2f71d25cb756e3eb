@testable import TensorCore

extension Probes {
    static let normalisation: [String: @Sendable () -> [Probe]] = [
        LayerNormalisation.name: {
            return [Probe(LayerNormalisation(eps: 1e-5), [numbers([3, 18], 1), numbers([18], 2), numbers([18], 3)])]
        },
        ResidualLayerNormalisation.name: {
            return [
                Probe(
                    ResidualLayerNormalisation(eps: 1e-5),
                    [numbers([3, 18], 1), numbers([3, 18], 4), numbers([18], 2), numbers([18], 3)])
            ]
        },
        L2Normalisation.name: {
            return [Probe(L2Normalisation(), [numbers([3, 18], 1)])]
        },
    ]
}
