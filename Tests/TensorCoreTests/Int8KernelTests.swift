import CKernels
import Foundation
import TestSupport
import Testing

@testable import TensorCore

extension KernelTests {
    /// Eight-bit kernels against loops over integers; a part of the kernels' suite because the level changes for the whole process.
    @Suite("Products of eight-bit integers")
    struct Int8KernelTests {
        static let levels = (0...Int(ck_best_level().rawValue)).map { ck_level(rawValue: UInt32($0)) }
        /// Rows, columns, shared dimension: odd ones, none, tiles of every height, the encoder's.
        static let shapes = [
            (1, 1, 1), (2, 17, 3), (5, 16, 4), (0, 5, 8), (3, 100, 7), (13, 40, 65), (4, 33, 130), (12, 32, 384),
            (29, 45, 700), (1, 384, 1536),
        ]

        private func atLevel<Result>(_ level: ck_level, _ body: () -> Result) -> Result {
            KernelTests().atLevel(level, body)
        }

        private func numbers(_ count: Int, seed: UInt64, scale: Float = 1) -> [Float] {
            var random = Random(seed: seed)
            return (0..<count).map { _ in (random.uniform() * 2 - 1) * scale }
        }

        /// A row in steps of 1/255 of its range, zero included, as the contract says.
        private func quantised(_ x: ArraySlice<Float>) -> (q: [Int32], scale: Float, zero: Int32) {
            let low = min(x.min() ?? 0, 0), range = max(x.max() ?? 0, 0) - low
            if x.contains(where: { !$0.isFinite }) || !range.isFinite { return (x.map { _ in 0 }, .nan, 0) }
            if range < 1e-30 { return (x.map { _ in 0 }, 0, 0) }
            let inverse = 255 / range, zero = (-low * inverse).rounded(.toNearestOrEven)
            let q = x.map { value -> Int32 in
                Int32(min(max((value * inverse + (zero + 12_582_912)) - 12_582_912, 0), 255))
            }
            return (q, range / 255, Int32(zero))
        }

        /// `(Σ (q − zero) w) · (scale · weight scale) + bias`, the sums in integers, each further step rounded once.
        private func product(_ x: [Float], _ w: [Float], _ bias: [Float], _ size: (m: Int, n: Int, k: Int)) -> [Float] {
            let rows = (0..<size.m).map { quantised(x[$0 * size.k..<($0 + 1) * size.k]) }
            return rows.flatMap { row in
                (0..<size.n).map { column -> Float in
                    let weights = w[column * size.k..<(column + 1) * size.k]
                    let top = weights.reduce(0) { max($0, abs($1)) }, inverse = top > 1e-30 ? 127 / top : 0
                    var sum: Int32 = 0
                    for (q, weight) in zip(row.q, weights) {
                        sum += (q - row.zero) * Int32((weight * inverse).rounded(.toNearestOrEven))
                    }
                    let scaled = Float(sum) * (top / 127 * row.scale)
                    return scaled + bias[column]
                }
            }
        }

        private func bits(_ x: [Float]) -> [UInt32] { x.map { $0.isNaN ? Float.nan.bitPattern : $0.bitPattern } }

        @Test("a product has the bits of a naive one, and its activations are right, at every level", arguments: shapes)
        func products(_ m: Int, _ n: Int, _ k: Int) {
            let x = numbers(m * k, seed: 1, scale: 3), w = numbers(n * k, seed: 2), bias = numbers(n, seed: 3)
            let matrix = Int8Matrix(transposing: [Tensor(w, [n, k])], biases: [Tensor(bias, [n])])
            let expected = product(x, w, bias, (m, n, k))
            var activated: [[UInt32]] = []
            for level in Self.levels {
                let (plain, relu, gelu) = atLevel(level) {
                    let rows = QuantisedRows(Tensor(x, [m, k]))
                    return (
                        matrix.multiply(rows).values, matrix.multiply(rows, activation: .relu).values,
                        matrix.multiply(rows, activation: .gelu).values
                    )
                }
                #expect(bits(plain) == bits(expected), "\(m)×\(n)×\(k) at level \(level.rawValue)")
                #expect(relu == expected.map { max($0, 0) })
                let exact = expected.map { Float(0.5 * Double($0) * erfc(-Double($0) / 2.0.squareRoot())) }
                let worst = difference(gelu, exact, absolute: 3e-6, relative: 1e-6)
                #expect(worst.isWithinTolerance, "\(worst)")
                activated.append(bits(gelu))
            }
            #expect(Set(activated).count == 1, "the same bits at every level")
        }

        @Test("the largest sums neither saturate nor overflow", arguments: [4, 384, 1536, Int8Matrix.longestDepth])
        func extremes(_ k: Int) {
            // Rows of 255 and of 0, weights of ±127.
            let ones = [Float](repeating: 1, count: k)
            let x = ones + ones.map { -$0 } + (0..<k).map { $0 % 2 == 0 ? 1 : -1 }
            let w = ones + ones.map { -$0 } + (0..<k).map { $0 % 2 == 0 ? 1 : -1 }
            let bias = [Float](repeating: 0, count: 3), expected = product(x, w, bias, (3, 3, k))
            let matrix = Int8Matrix(transposing: [Tensor(w, [3, k])], biases: [Tensor(bias, [3])])
            for level in Self.levels {
                let y = atLevel(level) { matrix.multiply(QuantisedRows(Tensor(x, [3, k]))).values }
                #expect(bits(y) == bits(expected))
                // Sums of equal numbers are right but for the scales' rounding; of alternating ones the zero point lies between
                // two steps.
                for (index, sign) in [(0, Float(1)), (1, -1), (3, -1), (4, 1)] {
                    #expect(abs(y[index] - sign * Float(k)) <= Float(k) * 1e-6)
                }
                #expect(abs(y[8] - Float(k)) <= Float(k) / 255)
            }
        }

        @Test("numbers are quantised to the nearest step, and zero is exact, at every level", arguments: levels)
        func steps(_ level: ck_level) {
            for k in [1, 3, 4, 15, 16, 17, 63, 100, 384] {
                var x = numbers(3 * k, seed: UInt64(k), scale: 5)
                for column in 0..<k { x[2 * k + column] += 7 }
                x[k / 2] = 0
                let back = atLevel(level) { QuantisedRows(Tensor(x, [3, k])).dequantised.values }
                for row in 0..<3 {
                    let expected = quantised(x[row * k..<(row + 1) * k])
                    let numbers = expected.q.map { Float($0 - expected.zero) * expected.scale }
                    #expect(bits(Array(back[row * k..<(row + 1) * k])) == bits(numbers), "row \(row) of \(k)")
                    for column in 0..<k {
                        #expect(abs(back[row * k + column] - x[row * k + column]) <= expected.scale * 1.001)
                    }
                }
                #expect(back[k / 2] == 0)
            }
        }

        @Test("a row of zeros gives the bias; one that is not finite gives NaN, and its neighbours do not notice", arguments: levels)
        func specialRows(_ level: ck_level) {
            let k = 37, n = 20, bias = numbers(n, seed: 5)
            let w = Tensor(numbers(n * k, seed: 6), [n, k])
            let matrix = Int8Matrix(transposing: [w], biases: [Tensor(bias, [n])])
            let fine = numbers(k, seed: 7)
            for special in [Float.nan, .infinity, -.infinity, .greatestFiniteMagnitude] {
                for column in [0, 16, 36] {
                    var spoilt = fine
                    spoilt[column] = special
                    // Two huge numbers whose difference no float holds.
                    if special.isFinite { spoilt[(column + 1) % k] = -special }
                    let x = spoilt + [Float](repeating: 0, count: k) + fine + fine.map { $0 * 1e-35 }
                    for activation in [Int8Matrix.Activation.identity, .gelu, .relu] {
                        let (y, alone) = atLevel(level) {
                            (
                                matrix.multiply(QuantisedRows(Tensor(x, [4, k])), activation: activation).values,
                                matrix.multiply(QuantisedRows(Tensor(fine, [1, k])), activation: activation).values
                            )
                        }
                        #expect(y[..<n].allSatisfy { $0.isNaN }, "\(special) at \(column), \(activation)")
                        if activation == .identity { #expect(Array(y[n..<2 * n]) == bias && Array(y[(3 * n)...]) == bias) }
                        #expect(Array(y[2 * n..<3 * n]) == alone)
                    }
                }
            }
        }

        @Test("a weight that is not finite spoils its own output channel only")
        func specialWeights() {
            var w = numbers(3 * 8, seed: 8)
            w[10] = .nan
            let matrix = Int8Matrix(transposing: [Tensor(w, [3, 8])], biases: [Tensor(repeating: 0, [3])])
            let y = matrix.multiply(QuantisedRows(Tensor(numbers(8, seed: 9), [1, 8]))).values
            #expect(y.map(\.isNaN) == [false, true, false])
        }

        @Test("a row of a product does not depend on the others, to the bit", arguments: levels)
        func rowsAreIndependent(_ level: ck_level) {
            let (m, n, k) = (29, 205, 384)
            let x = Tensor(numbers(m * k, seed: 1), [m, k])
            let matrix = Int8Matrix(
                transposing: [Tensor(numbers(n * k, seed: 2), [n, k])], biases: [Tensor(numbers(n, seed: 3), [n])])
            atLevel(level) {
                let together = matrix.multiply(QuantisedRows(x), activation: .gelu).values
                for row in 0..<m {
                    let alone = matrix.multiply(QuantisedRows(x.rows(row..<row + 1)), activation: .gelu).values
                    #expect(alone == Array(together[row * n..<(row + 1) * n]))
                }
            }
        }

        @Test("the fused layer norm is the layer norm, then quantised", arguments: levels)
        func layerNorm(_ level: ck_level) {
            for (rows, width) in [(1, 1), (3, 20), (7, 384)] {
                let x = Tensor(numbers(rows * width, seed: 1), [rows, width])
                let residual = Tensor(numbers(rows * width, seed: 2), [rows, width])
                let weight = Tensor(numbers(width, seed: 3), [width]), bias = Tensor(numbers(width, seed: 4), [width])
                atLevel(level) {
                    let expected = ResidualLayerNormalisation(eps: 1e-5).forward([x, residual, weight, bias]).output
                    let (values, quantised) = QuantisedRows.layerNorm(
                        x, residual: residual, weight: weight, bias: bias, eps: 1e-5)
                    #expect(values.values == expected.values)
                    #expect(quantised.dequantised.values == QuantisedRows(expected).dequantised.values)
                }
            }
        }

        @Test("AVX-512 without its eight-bit products takes AVX2's; every level has kernels of its own")
        func names() {
            let names = Self.levels.map { atLevel($0) { KernelLevel.int8 } }
            #expect(names.first == "portable")
            for (level, name) in zip(Self.levels, names) {
                switch level {
                case ck_avx512: #expect(name == (ck_int8_has_products() == 1 ? "avx512vnni" : "avx2"))
                case ck_avx2: #expect(name == "avx2")
                default: #expect(name == "portable")
                }
            }
        }

        @Test("attention on joined projections equals packed attention, and a sequence sees no other", arguments: levels)
        func joinedAttention(_ level: ck_level) {
            let heads = 3, width = 24
            let lengths = [1, 5, 16, 17, 40], offsets = SequenceOffsets(lengths: lengths)
            let x = Tensor(numbers(offsets.rows * 3 * width, seed: 1, scale: 4), [offsets.rows, 3 * width])
            atLevel(level) {
                let expected = PackedAttention(offsets, heads: heads, width: width)(
                    x.columns(0..<width), x.columns(width..<2 * width), x.columns(2 * width..<3 * width))
                let actual = JoinedAttention(offsets, heads: heads)(x)
                let worst = difference(actual, expected, absolute: 2e-6, relative: 1e-5)
                #expect(worst.isWithinTolerance, "\(worst)")
                for sequence in lengths.indices {
                    let rows = offsets[sequence]
                    let alone = JoinedAttention(SequenceOffsets(lengths: [rows.count]), heads: heads)(x.rows(rows))
                    #expect(alone.values == actual.rows(rows).values)
                }
            }
        }

        @Test("attention does not hide a NaN", arguments: levels)
        func attentionKeepsNaN(_ level: ck_level) {
            var values = numbers(6 * 24, seed: 1)
            values[2 * 24 + 8] = .nan
            let y = atLevel(level) {
                JoinedAttention(SequenceOffsets(lengths: [4, 2]), heads: 1)(Tensor(values, [6, 24])).values
            }
            #expect(y[..<32].allSatisfy { $0.isNaN } && y[32...].allSatisfy { $0.isFinite })
        }
    }
}
