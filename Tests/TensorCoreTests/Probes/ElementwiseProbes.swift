@testable import TensorCore

extension Probes {
    static let elementwise: [String: @Sendable () -> [Probe]] = [
        Add.name: {
            return [
                Probe(Add(), [numbers([3, 4], 1), numbers([4], 2)]),
                Probe(Add(), [numbers([2, 1, 3], 1), numbers([4, 1], 2)]),
            ]
        },
        Subtract.name: {
            return [Probe(Subtract(), [numbers([3, 4], 1), numbers([3, 1], 2)])]
        },
        Multiply.name: {
            return [Probe(Multiply(), [numbers([3, 4], 1), numbers([4], 2)])]
        },
        Divide.name: {
            return [Probe(Divide(), [numbers([3, 4], 1), numbers([1, 4], 2, scale: 0.5, shift: 2)])]
        },
        GELU.name: {
            return [Probe(GELU(), [numbers([5, 7], 1, scale: 3)])]
        },
        ReLU.name: {
            return [Probe(ReLU(), [numbers([5, 7], 1).map { abs($0) < 0.05 ? 0.2 : $0 }])]
        },
        Tanh.name: {
            return [Probe(Tanh(), [numbers([5, 7], 1, scale: 2)])]
        },
        Sigmoid.name: {
            return [Probe(Sigmoid(), [numbers([5, 7], 1, scale: 4)])]
        },
        Dropout.name: {
            return [Probe(Dropout(rate: 0.4, seed: 7), [numbers([5, 7], 1)])]
        },
    ]
}
