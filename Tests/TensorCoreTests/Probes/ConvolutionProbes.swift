@testable import TensorCore

extension Probes {
    static let convolution: [String: @Sendable () -> [Probe]] = [
        Convolution.name: {
            let uneven = Window(stride: [2, 1], dilation: [1, 2], before: [1, 0], after: [0, 3])
            return [
                Probe(
                    Convolution(Window(rank: 2, padding: 1)),
                    [numbers([2, 2, 4, 3], 1), numbers([3, 2, 3, 3], 2), numbers([3], 3)]),
                Probe(Convolution(uneven, groups: 2), [numbers([1, 4, 5, 6], 1), numbers([2, 2, 2, 3], 2)]),
                Probe(
                    Convolution(Window(rank: 2, stride: 2, padding: 1), groups: 3),
                    [numbers([2, 3, 5, 4], 1), numbers([6, 1, 3, 3], 2), numbers([6], 3)]),
                Probe(
                    Convolution(Window(rank: 1, stride: 3, padding: 2)),
                    [numbers([2, 2, 8], 1), numbers([3, 2, 4], 2), numbers([3], 3)]),
                Probe(
                    Convolution(Window(rank: 3, padding: 1)),
                    [numbers([1, 2, 2, 3, 2], 1), numbers([2, 2, 2, 3, 1], 2), numbers([2], 3)]),
            ]
        },
        TransposedConvolution.name: {
            let uneven = Window(stride: [2, 3], dilation: [1, 2], before: [1, 0], after: [0, 2])
            return [
                Probe(
                    TransposedConvolution(Window(rank: 2, stride: 2, padding: 1)),
                    [numbers([2, 3, 3, 2], 1), numbers([3, 2, 4, 4], 2), numbers([2], 3)]),
                Probe(
                    TransposedConvolution(uneven, groups: 2, outputPadding: [1, 2]),
                    [numbers([1, 4, 3, 2], 1), numbers([4, 3, 2, 3], 2), numbers([6], 3)]),
                Probe(
                    TransposedConvolution(Window(rank: 1, stride: 2)), [numbers([2, 2, 4], 1), numbers([2, 3, 3], 2)]),
            ]
        },
        MaxPooling.name: {
            return [
                Probe(
                    MaxPooling(kernel: [2, 3], window: Window(rank: 2, stride: 2, padding: 1)),
                    [distinct([2, 2, 5, 6])]),
                Probe(
                    MaxPooling(kernel: [3], window: Window(rank: 1, stride: 2, dilation: 2), ceil: true),
                    [distinct([1, 2, 10])]),
                Probe(MaxPooling(kernel: [2, 2, 2], window: Window(rank: 3, stride: 2)), [distinct([1, 1, 2, 4, 4])]),
            ]
        },
        AveragePooling.name: {
            let uneven = Window(stride: [2, 1], dilation: [1, 1], before: [0, 1], after: [1, 0])
            return [
                Probe(AveragePooling(kernel: [3, 2], window: uneven), [numbers([2, 2, 5, 4], 1)]),
                Probe(
                    AveragePooling(kernel: [3, 2], window: uneven, ceil: true, countsPadding: false),
                    [numbers([2, 2, 6, 4], 1)]),
                Probe(AveragePooling(kernel: [4], window: Window(rank: 1, stride: 3)), [numbers([1, 2, 10], 1)]),
            ]
        },
        AdaptiveAveragePooling.name: {
            return [
                Probe(AdaptiveAveragePooling(size: [3, 4]), [numbers([2, 2, 7, 10], 1)]),
                Probe(AdaptiveAveragePooling(size: [5]), [numbers([1, 2, 3], 1)]),
            ]
        },
        Upsample.name: {
            return [
                Probe(Upsample(size: [7, 3], mode: .nearest), [numbers([1, 2, 4, 5], 1)]),
                Probe(Upsample(size: [7, 3], mode: .linear), [numbers([1, 2, 4, 5], 1)]),
                Probe(Upsample(size: [7, 3], mode: .cubic, alignCorners: true), [numbers([1, 2, 4, 5], 1)]),
                Probe(Upsample(size: [3, 2], mode: .cubic, antialias: true), [numbers([1, 1, 7, 5], 1)]),
                Probe(
                    Upsample(
                        size: [9, 6], mode: .cubic, coordinates: .halfPixel, scales: [2.4, 1.3], excludesOutside: true),
                    [numbers([1, 1, 4, 5], 1)]),
            ]
        },
        Pad.name: {
            return [
                Probe(Pad(before: [1, 0, 2], after: [0, 3, 1], mode: .constant(0.5)), [numbers([2, 3, 4], 1)]),
                Probe(Pad(before: [0, 2], after: [1, 3], mode: .reflect), [numbers([3, 5], 1)]),
                Probe(Pad(before: [0, 4], after: [1, 3], mode: .replicate), [numbers([3, 2], 1)]),
                Probe(Pad(before: [-1, 4], after: [0, -1], mode: .wrap), [numbers([3, 2], 1)]),
            ]
        },
        BatchNormalisation.name: {
            let statistics = [numbers([3], 5), numbers([3], 6, scale: 0.5, shift: 1)]
            return [
                Probe(
                    BatchNormalisation(training: true),
                    [numbers([4, 3, 2, 3], 1), numbers([3], 2), numbers([3], 3)] + statistics),
                Probe(BatchNormalisation(training: true), [numbers([6, 3], 1)] + statistics),
                Probe(
                    BatchNormalisation(training: false),
                    [numbers([2, 3, 5], 1), numbers([3], 2), numbers([3], 3)] + statistics),
                Probe(BatchNormalisation(training: false), [numbers([2, 3, 5], 1)] + statistics),
            ]
        },
        GroupNormalisation.name: {
            return [
                Probe(GroupNormalisation(groups: 2), [numbers([2, 4, 3, 3], 1), numbers([4], 2), numbers([4], 3)]),
                Probe(GroupNormalisation(groups: 3), [numbers([2, 3, 5], 1)]),
            ]
        },
    ]

    /// Values far enough apart that a step of the stencil changes no maximum.
    private static func distinct(_ shape: Shape) -> Tensor {
        var random = Random(seed: 3)
        return Tensor(random.permutation(shape.count).map { Float($0) / 4 }, shape)
    }
}
