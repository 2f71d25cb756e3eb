@testable import TensorCore

extension Probes {
    static let reductions: [String: @Sendable () -> [Probe]] = [
        Sum.name: { everyAxis { Sum($0, keepingAxes: $1) } },
        Mean.name: { everyAxis { Mean($0, keepingAxes: $1) } },
        Variance.name: { everyAxis { Variance($0, correction: 1, keepingAxes: $1) } },
        Product.name: { everyAxis { Product($0, keepingAxes: $1) } },
        LogSumExp.name: { everyAxis { LogSumExp($0, keepingAxes: $1) } },
        L1Norm.name: { everyAxis { L1Norm($0, keepingAxes: $1) } },
        L2Norm.name: { everyAxis { L2Norm($0, keepingAxes: $1) } },
        SumOfSquares.name: { everyAxis { SumOfSquares($0, keepingAxes: $1) } },
        Largest.name: { everyAxis { Largest($0, keepingAxes: $1) } },
        Smallest.name: { everyAxis { Smallest($0, keepingAxes: $1) } },
        LargestAlongAxis.name: {
            [
                Probe(LargestAlongAxis(1), [spread([3, 4, 2])]),
                Probe(LargestAlongAxis(-1, keepingAxis: true), [spread([3, 4])]),
            ]
        },
        SmallestAlongAxis.name: {
            [
                Probe(SmallestAlongAxis(0), [spread([3, 4])]),
                Probe(SmallestAlongAxis(1, keepingAxis: true), [spread([3, 4])]),
            ]
        },
        TopK.name: {
            [
                Probe(TopK(2, axis: 1), [spread([3, 4, 2])]),
                Probe(TopK(3, axis: -1, largest: false), [spread([3, 4])]),
            ]
        },
        CumulativeSum.name: {
            [
                Probe(CumulativeSum(1), [numbers([2, 5, 3], 1)]),
                Probe(CumulativeSum(-1, exclusive: true), [numbers([3, 5], 1)]),
                Probe(CumulativeSum(0, exclusive: true, reversed: true), [numbers([4, 3], 1)]),
                Probe(CumulativeSum(0, reversed: true), [numbers([4, 3], 1)]),
            ]
        },
        Softmax.name: {
            [
                Probe(Softmax(), [numbers([3, 19], 1, scale: 2)]),
                Probe(Softmax(axis: 1), [numbers([2, 5, 3], 1, scale: 2)]),
            ]
        },
        LogSoftmax.name: {
            [
                Probe(LogSoftmax(), [numbers([3, 19], 1, scale: 2)]),
                Probe(LogSoftmax(axis: 0), [numbers([5, 3], 1, scale: 2)]),
            ]
        },
        MeanPooling.name: { [Probe(MeanPooling(SequenceOffsets(lengths: [3, 1, 4])), [numbers([8, 5], 1)])] },
    ]

    /// Every kind of axes: all, one at each place, neighbours, others between.
    private static func everyAxis(_ op: ([Int]?, Bool) -> any DifferentiableOp) -> [Probe] {
        let axes: [[Int]?] = [nil, [0], [1], [-1], [0, 1], [1, 2], [0, 2], [-1, 0, 1]]
        return axes.enumerated().map { Probe(op($0.element, $0.offset % 2 == 1), [spread([3, 4, 2])]) }
    }

    /// Numbers at least 0.2 apart and as far from 0, in no order.
    private static func spread(_ shape: Shape) -> Tensor {
        var random = Random(seed: 5)
        return Tensor(
            random.permutation(shape.count).map { index in
                let place = Float(index) - Float(shape.count) / 2 + 0.5
                return place * 0.2 + (place > 0 ? 0.1 : -0.1)
            }, shape)
    }
}
