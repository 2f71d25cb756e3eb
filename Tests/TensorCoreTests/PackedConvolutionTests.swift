import CKernels
import TestSupport
import Testing

@testable import TensorCore

extension KernelTests {
    /// Packed convolutions against the differentiable ones; a part of the kernels' suite because the level changes for the whole process.
    @Suite("Packed convolution")
    struct PackedConvolutionTests {
        struct Layer: Sendable, CustomTestStringConvertible {
            let batch: Int, channels: Int, outputs: Int, size: [Int], kernel: [Int], groups: Int
            let window: Window
            var testDescription: String {
                "\(batch) × \(size) × \(channels) → \(outputs), kernel \(kernel), stride \(window.stride), groups \(groups)"
            }

            init(
                _ batch: Int, _ channels: Int, _ outputs: Int, _ size: [Int], _ kernel: [Int], _ window: Window,
                groups: Int = 1
            ) {
                (self.batch, self.channels, self.outputs) = (batch, channels, outputs)
                (self.size, self.kernel, self.window, self.groups) = (size, kernel, window, groups)
            }
        }

        static let layers = [
            Layer(2, 16, 24, [7, 5], [1, 1], Window(rank: 2)),
            Layer(1, 37, 50, [13, 11], [1, 1], Window(rank: 2)),
            Layer(2, 9, 7, [8, 8], [1, 1], Window(rank: 2, stride: 2)),
            Layer(3, 16, 16, [16, 16], [3, 3], Window(rank: 2, padding: 1)),
            Layer(1, 16, 40, [12, 9], [3, 3], Window(rank: 2, stride: 2, padding: 1)),
            Layer(
                2, 3, 32, [15, 17], [3, 3], Window(stride: [2, 2], dilation: [1, 1], before: [0, 0], after: [1, 1])),
            Layer(1, 3, 20, [23, 20], [7, 7], Window(rank: 2, stride: 2, padding: 3)),
            Layer(
                2, 5, 6, [9, 10], [3, 2], Window(stride: [1, 2], dilation: [2, 3], before: [2, 1], after: [1, 4])),
            Layer(2, 8, 12, [6, 6], [3, 3], Window(rank: 2, padding: 1), groups: 4),
            Layer(2, 24, 24, [9, 14], [3, 3], Window(rank: 2, padding: 1), groups: 24),
            Layer(1, 33, 33, [11, 30], [3, 3], Window(rank: 2, stride: 2, padding: 1), groups: 33),
            Layer(
                1, 16, 16, [12, 12], [5, 5],
                Window(stride: [1, 1], dilation: [2, 2], before: [4, 3], after: [4, 5]),
                groups: 16),
            Layer(1, 3, 6, [6, 6], [3, 3], Window(rank: 2, padding: 1), groups: 3),
        ]
        static let levels = (0...Int(ck_best_level().rawValue)).map { ck_level(rawValue: UInt32($0)) }

        @Test("equals convolution, batch norm, addition and rectifier one after the other", arguments: layers)
        func equalsComposite(_ layer: Layer) {
            let before = ck_current_level()
            defer { ck_set_level(before) }
            let x = numbers(Shape([layer.batch, layer.channels] + layer.size), 1)
            let weight = numbers(Shape([layer.outputs, layer.channels / layer.groups] + layer.kernel), 2)
            let bias = numbers([layer.outputs], 3)
            let (gamma, beta, mean) = (
                numbers([layer.outputs], 4), numbers([layer.outputs], 5), numbers([layer.outputs], 6)
            )
            let variance = numbers([layer.outputs], 7, scale: 0.4, shift: 1)
            for level in Self.levels {
                ck_set_level(level)
                let plain = BatchNormalisation(training: false)(
                    Convolution(layer.window, groups: layer.groups)(x, weight, bias), gamma, beta, mean, variance)
                let residual = numbers(plain.shape, 8)
                for activation in [Rectifier.identity, .relu, .relu6] {
                    let packed = PackedConvolution(
                        weight: weight, bias: bias, batchNorm: (gamma, beta, mean, variance, 1e-5),
                        window: layer.window,
                        groups: layer.groups, activation: activation)
                    for added in [nil, residual] {
                        let sum = added.map { Add()(plain, $0) } ?? plain
                        let expected = sum.values.map {
                            activation == .identity ? $0 : min(max($0, 0), activation == .relu6 ? 6 : .infinity)
                        }
                        let actual = packed(x.channelsLast, residual: added?.channelsLast).channelsFirst.values
                        let result = difference(actual, expected, absolute: 5e-5, relative: 1e-5)
                        #expect(
                            result.isWithinTolerance,
                            "\(layer.testDescription), \(activation), residual \(added != nil), level \(level): \(result)"
                        )
                    }
                }
            }
        }

        @Test("an image alone has the same bits as in a batch", arguments: layers)
        func imagesAreIndependent(_ layer: Layer) {
            let images = numbers(Shape([5] + layer.size + [layer.channels]), 1)
            let packed = PackedConvolution(
                weight: numbers(Shape([layer.outputs, layer.channels / layer.groups] + layer.kernel), 2),
                window: layer.window,
                groups: layer.groups, activation: .relu)
            let together = packed(images), chunks = overImages(images, atATime: 2) { packed($0) }
            #expect(together.values == chunks.values)
            for image in 0..<5 {
                #expect(packed(images.rows(image..<image + 1)).values == together.rows(image..<image + 1).values)
            }
        }

        @Test(
            "a bottleneck has the bits of its three layers, at one image and at several",
            arguments: [
                (Window(rank: 2, padding: 1), 8, true), (Window(rank: 2, stride: 2, padding: 1), 12, false),
                (Window(stride: [2, 2], dilation: [1, 1], before: [0, 0], after: [1, 1]), 8, false),
                (Window(rank: 2, dilation: 2, padding: 2), 8, true),
            ])
        func bottleneck(_ window: Window, _ outputs: Int, _ adds: Bool) {
            let hidden = 300
            let expand = PackedConvolution(
                weight: numbers([hidden, 8, 1, 1], 1), bias: numbers([hidden], 2), window: Window(rank: 2),
                activation: .relu6)
            let depthwise = PackedConvolution(
                weight: numbers([hidden, 1, 3, 3], 3), bias: numbers([hidden], 4), window: window, groups: hidden,
                activation: .relu6)
            let reduce = PackedConvolution(weight: numbers([outputs, hidden, 1, 1], 5), window: Window(rank: 2))
            let fused = PackedBottleneck(expand: expand, depthwise: depthwise, reduce: reduce)
            // Rows of 40 pixels × 300 channels: several bands of each image.
            for (images, size) in [(1, [33, 40]), (5, [33, 40]), (2, [2, 40]), (3, [4, 2])] {
                let x = numbers(Shape([images] + size + [8]), 6)
                let separate = reduce(depthwise(expand(x)), residual: adds ? x : nil)
                #expect(fused(x, adds: adds).values == separate.values, "\(images) images of \(size)")
                #expect(overImages(x) { fused($0, adds: adds) }.values == separate.values)
            }
        }

        @Test("NaN passes a rectifier")
        func keepsNaN() {
            let packed = PackedConvolution(
                weight: Tensor([1], [1, 1, 1, 1]), window: Window(rank: 2), activation: .relu6)
            let y = packed(Tensor([.nan, -1, 3, 9], [1, 2, 2, 1])).values
            #expect(y[0].isNaN && y[1...] == [0, 3, 6])
        }

        @Test("pooling over pixels equals pooling over planes")
        func pooling() {
            let x = numbers([2, 19, 9, 7], 1), window = Window(rank: 2, stride: 2, padding: 1)
            for level in Self.levels {
                let before = ck_current_level()
                ck_set_level(level)
                defer { ck_set_level(before) }
                let maximum = PixelPooling(.maximum, kernel: [3, 3], window: window, ceil: true)(x.channelsLast)
                #expect(
                    maximum.channelsFirst.values == MaxPooling(kernel: [3, 3], window: window, ceil: true)(x).values)
                for counts in [false, true] {
                    let kind: PixelPooling.Kind = counts ? .averageCountingPadding : .average
                    let mean = PixelPooling(kind, kernel: [3, 2], window: window)(x.channelsLast).channelsFirst.values
                    let expected = AveragePooling(kernel: [3, 2], window: window, countsPadding: counts)(x).values
                    let result = difference(mean, expected, absolute: 1e-6, relative: 1e-6)
                    #expect(result.isWithinTolerance, "padding counted \(counts): \(result)")
                }
                let mean = PixelPooling.mean(x.channelsLast).values
                let result = difference(
                    mean, AdaptiveAveragePooling(size: [1, 1])(x).values, absolute: 1e-6, relative: 1e-6)
                #expect(result.isWithinTolerance, "mean of pixels: \(result)")
            }
        }
    }
}
