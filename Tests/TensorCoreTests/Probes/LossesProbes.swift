@testable import TensorCore

extension Probes {
    static let losses: [String: @Sendable () -> [Probe]] = [
        CrossEntropy.name: {
            return [
                Probe(CrossEntropy(targets: [0, 4, 2]), [numbers([3, 5], 1, scale: 2)]),
                Probe(
                    CrossEntropy(targets: [0, 4, 2], classWeights: [1, 0.5, 2, 1, 3], smoothing: 0.2),
                    [numbers([3, 5], 1, scale: 2)]),
            ]
        },
        BinaryCrossEntropy.name: {
            return [
                Probe(
                    BinaryCrossEntropy(targets: [1, 0, 0.3, 1, 1, 0], positiveWeights: [2, 1, 0.5]),
                    [numbers([2, 3], 1, scale: 2)])
            ]
        },
        MeanSquaredError.name: {
            return [Probe(MeanSquaredError(), [numbers([3, 4], 1), numbers([3, 4], 2)])]
        },
    ]
}
