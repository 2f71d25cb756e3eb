import CKernels
import TestSupport
import Testing

@testable import TensorCore

extension KernelTests {
    /// Convolution and its gradients against loops in double precision; a part of the kernels' suite because the level changes for
    /// the whole process.
    @Suite("Convolution over planes")
    struct ConvolutionKernelTests {
        struct Layer: Sendable, CustomTestStringConvertible {
            let x: [Int], weight: [Int], window: Window, groups: Int
            var testDescription: String { "x \(x), weight \(weight), \(window), groups \(groups)" }

            init(_ x: [Int], _ weight: [Int], _ window: Window, groups: Int = 1) {
                (self.x, self.weight, self.window, self.groups) = (x, weight, window, groups)
            }
        }

        static let levels = (0...Int(ck_best_level().rawValue)).map { ck_level(rawValue: UInt32($0)) }
        static let layers = [
            Layer([2, 3, 16, 16], [20, 3, 3, 3], Window(rank: 2, padding: 1)),
            Layer([1, 2, 9, 20], [3, 2, 3, 3], Window(rank: 2, padding: 1)),
            Layer([2, 3, 32, 32], [5, 3, 3, 3], Window(rank: 2, stride: 2, padding: 1)),
            Layer([2, 4, 16, 16], [7, 4, 4, 4], Window(rank: 2, stride: 2, padding: 1)),
            Layer([1, 2, 15, 17], [3, 2, 3, 5], Window(rank: 2, stride: 3, padding: 2)),
            Layer(
                [1, 2, 11, 23], [2, 2, 2, 3],
                Window(stride: [1, 2], dilation: [2, 3], before: [3, 0], after: [0, 5])),
            Layer([1, 40, 14, 19], [3, 40, 5, 5], Window(rank: 2, padding: 2)),
            Layer([2, 6, 7, 7], [6, 1, 3, 3], Window(rank: 2, stride: 2, padding: 1), groups: 6),
            Layer([3, 4, 40], [6, 2, 7], Window(rank: 1, stride: 2, padding: 3), groups: 2),
            Layer(
                [1, 30, 5, 6, 18], [2, 30, 3, 2, 3],
                Window(stride: [1, 1, 1], dilation: [1, 1, 1], before: [1, 1, 1], after: [1, 0, 1])),
            Layer([1, 2, 4, 5, 6], [3, 2, 2, 3, 2], Window(rank: 3, stride: 2, padding: 1)),
            Layer(
                [1, 1, 2, 3], [2, 1, 2, 2], Window(stride: [1, 1], dilation: [1, 1], before: [0, 3], after: [0, 9])),
        ]

        @Test("forward and gradients equal loops in double precision", arguments: layers)
        func equalsLoops(_ layer: Layer) {
            let before = ck_current_level()
            defer { ck_set_level(before) }
            let x = numbers(Shape(layer.x), 1), weight = numbers(Shape(layer.weight), 2)
            let op = Convolution(layer.window, groups: layer.groups)
            let y = op.forward([x, weight]).output
            let dy = numbers(y.shape, 3)
            let expected = loops(layer, x, weight, dy)
            for level in Self.levels {
                ck_set_level(level)
                let output = op.forward([x, weight]).output
                let gradients = op.backward(dy, inputs: [x, weight], saved: [], needs: [true, true])
                for (what, actual, reference) in [
                    ("output", output, expected.y), ("dx", gradients[0], expected.dx),
                    ("dweight", gradients[1], expected.dweight),
                ] {
                    let result = difference(
                        actual?.values ?? [], reference.map { Float($0) }, absolute: 5e-5, relative: 1e-5)
                    #expect(result.isWithinTolerance, "\(what) at level \(level): \(result)")
                }
            }
        }

        /// Every multiply-add of the definition, one by one.
        private func loops(
            _ layer: Layer, _ x: Tensor, _ weight: Tensor, _ dy: Tensor
        ) -> (y: [Double], dx: [Double], dweight: [Double]) {
            let window = layer.window, rank = window.rank
            var result = (
                y: [Double](repeating: 0, count: dy.count), dx: [Double](repeating: 0, count: x.count),
                dweight: [Double](repeating: 0, count: weight.count)
            )
            let outputs = weight.shape[0], inner = weight.shape[1]
            let positions = indices(Array(dy.shape.dimensions.dropFirst(2)))
            let taps = indices(Array(weight.shape.dimensions.dropFirst(2)))
            let plane = x.shape.dimensions.dropFirst(2).reduce(1, *)
            for n in 0..<x.shape[0] {
                for o in 0..<outputs {
                    for (p, position) in positions.enumerated() {
                        let out = (n * outputs + o) * positions.count + p
                        for (t, tap) in taps.enumerated() {
                            var place = 0, inside = true
                            for axis in 0..<rank {
                                let i =
                                    position[axis] * window.stride[axis] + tap[axis] * window.dilation[axis]
                                    - window.before[axis]
                                if i < 0 || i >= x.shape[axis + 2] { inside = false }
                                place = place * x.shape[axis + 2] + i
                            }
                            guard inside else { continue }
                            for c in 0..<inner {
                                let channel = o / (outputs / layer.groups) * inner + c
                                let at = (n * x.shape[1] + channel) * plane + place,
                                    w = (o * inner + c) * taps.count + t
                                result.y[out] += Double(x.pointer[at]) * Double(weight.pointer[w])
                                result.dx[at] += Double(dy.pointer[out]) * Double(weight.pointer[w])
                                result.dweight[w] += Double(dy.pointer[out]) * Double(x.pointer[at])
                            }
                        }
                    }
                }
            }
            return result
        }

        private func indices(_ extents: [Int]) -> [[Int]] {
            extents.reduce([[]]) { list, extent in list.flatMap { index in (0..<extent).map { index + [$0] } } }
        }

        @Test(
            "planes are scaled, combined, summed and transposed alike at every level", arguments: [1, 15, 16, 33, 200])
        func planes(_ n: Int) {
            let before = ck_current_level()
            defer { ck_set_level(before) }
            let x = numbers([n], 1), y = numbers([n], 2)
            for level in Self.levels {
                ck_set_level(level)
                let out = Tensor(uninitialised: [n])
                ck_affine_f32(n, 1.5, -0.25, x.pointer, out.mutablePointer)
                #expect(
                    difference(out.values, x.values.map { $0 * 1.5 - 0.25 }, absolute: 1e-6, relative: 1e-6)
                        .isWithinTolerance)
                ck_combine_f32(n, 1.5, x.pointer, -2, y.pointer, 0.5, out.mutablePointer)
                let combined = zip(x.values, y.values).map { 1.5 * $0 - 2 * $1 + 0.5 }
                #expect(difference(out.values, combined, absolute: 1e-6, relative: 1e-6).isWithinTolerance)
                let squares = x.values.reduce(0) { $0 + (Double($1) - 0.5) * (Double($1) - 0.5) }
                #expect(abs(Double(ck_centred_dot_f32(n, x.pointer, 0.5, nil)) - squares) < 1e-4)
                let dot = zip(x.values, y.values).reduce(0) { $0 + (Double($1.0) - 0.5) * Double($1.1) }
                #expect(abs(Double(ck_centred_dot_f32(n, x.pointer, 0.5, y.pointer)) - dot) < 1e-4)
                let matrix = numbers([n, 19], 3), transposed = Tensor(uninitialised: [19, n])
                ck_transpose_f32(n, 19, matrix.pointer, 19, transposed.mutablePointer, n)
                #expect(transposed.values == matrix.permutedView([1, 0]).values, "transpose at level \(level)")
            }
        }
    }

    @Suite("Buffers kept for reuse")
    struct BufferCacheTests {
        @Test("a steady workload gets its own buffers back, also large ones")
        func reuses() {
            let cache = BufferCache()
            let sizes = [1 << 25, 3000, 1 << 24, 100]
            let first = sizes.map { cache.take($0) }
            for (pointer, size) in zip(first, sizes) { cache.give(pointer, size) }
            let second = sizes.map { cache.take($0) }
            #expect(first == second)
            for (pointer, size) in zip(second, sizes) { cache.give(pointer, size) }
            cache.clear()
        }

        @Test("what is kept is forgotten when the work gets smaller")
        func shrinks() {
            let cache = BufferCache()
            cache.give(cache.take(1 << 24), 1 << 24)
            #expect(cache.keptFloats == 1 << 24)
            // Two epochs of small requests; the last one is of a size that is not there, so that the cache looks at its bound.
            for _ in 0..<20_000 { cache.give(cache.take(100), 100) }
            cache.give(cache.take(5000), 5000)
            #expect(cache.keptFloats < 8 << 20, "\(cache.keptFloats) floats kept")
            cache.clear()
            #expect(cache.keptFloats == 0)
        }
    }
}
