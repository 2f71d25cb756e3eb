@testable import TensorCore

extension Probes {
    static let reductions: [String: @Sendable () -> [Probe]] = [
        Softmax.name: {
            return [Probe(Softmax(), [numbers([3, 19], 1, scale: 2)])]
        },
        Sum.name: {
            return [Probe(Sum(), [numbers([3, 4], 1)])]
        },
        Mean.name: {
            return [Probe(Mean(), [numbers([3, 4], 1)])]
        },
        MeanPooling.name: {
            return [Probe(MeanPooling(SequenceOffsets(lengths: [3, 1, 4])), [numbers([8, 5], 1)])]
        },
    ]
}
