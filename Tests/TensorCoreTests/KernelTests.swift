import CKernels
import Foundation
import TestSupport
import Testing

@testable import TensorCore

/// The levels change for the whole process, so these tests run one after the other.
@Suite("Kernels at every level this processor has", .serialized)
struct KernelTests {
    static let levels = (0...Int(ck_best_level().rawValue)).map { ck_level(rawValue: UInt32($0)) }

    func atLevel<Result>(_ level: ck_level, _ body: () -> Result) -> Result {
        let before = ck_current_level()
        ck_set_level(level)
        defer { ck_set_level(before) }
        return body()
    }

    private func numbers(_ count: Int, seed: UInt64) -> [Float] {
        var random = Random(seed: seed)
        return (0..<count).map { _ in random.uniform() * 2 - 1 }
    }

    @Test("the packed product equals a naive one for odd sizes", arguments: levels)
    func packedProduct(_ level: ck_level) {
        for (m, n, k) in [(1, 1, 1), (1, 16, 7), (5, 17, 33), (7, 40, 600), (13, 100, 1100), (3, 5, 0), (12, 32, 512)] {
            let a = numbers(m * k, seed: 1), w = numbers(n * k, seed: 2), bias = numbers(n, seed: 3)
            let packed = PackedMatrix(transposing: [Tensor(w, [n, k])])
            let actual = atLevel(level) { packed.multiply(Tensor(a, [m, k]), bias: Tensor(bias, [n])).values }
            for row in 0..<m {
                for column in 0..<n {
                    var expected = Double(bias[column])
                    for i in 0..<k { expected += Double(a[row * k + i]) * Double(w[column * k + i]) }
                    #expect(
                        abs(Double(actual[row * n + column]) - expected) < 1e-4,
                        "\(m)×\(n)×\(k) at [\(row), \(column)]: \(actual[row * n + column]), expected \(expected)")
                }
            }
        }
    }

    @Test("a row of a packed product does not depend on the other rows, to the bit", arguments: levels)
    func rowsAreIndependent(_ level: ck_level) {
        let (m, n, k) = (29, 45, 700)
        let a = Tensor(numbers(m * k, seed: 1), [m, k])
        let packed = PackedMatrix(transposing: [Tensor(numbers(n * k, seed: 2), [n, k])])
        atLevel(level) {
            let together = packed.multiply(a).values
            for row in 0..<m {
                #expect(packed.multiply(a.rows(row..<row + 1)).values == Array(together[row * n..<(row + 1) * n]))
            }
        }
    }

    @Test("an element of a product has the same bits in every tile and for every layout", arguments: levels)
    func layoutsAgree(_ level: ck_level) {
        for (m, n, k) in [
            (1, 1, 1), (2, 50, 33), (3, 77, 16), (13, 17, 48), (29, 45, 700), (64, 77, 512), (25, 100, 0),
        ] {
            let a = numbers(m * k, seed: 1), b = numbers(n * k, seed: 2), bias = numbers(n, seed: 3)
            atLevel(level) {
                // The same product four ways: rows of a or columns of it contiguous, c as rows or as columns.
                var results: [[Float]] = []
                let columns = transposed(a, m, k)
                for c in [(row: n, column: 1), (row: 1, column: m)] {
                    for source in [(values: a, row: k, depth: 1), (values: columns, row: 1, depth: m)] {
                        let (y, slope) = product(
                            (m, n, k), source, (b, 1, k), c: c, bias: bias, byRow: false)
                        results.append(c.column == 1 ? y : transposed(y, n, m))
                        results.append(c.column == 1 ? slope : transposed(slope, n, m))
                    }
                }
                // And with the operands exchanged: cᵀ = bᵀ aᵀ.
                let (y, slope) = product(
                    (n, m, k), (b, k, 1), (columns, m, 1), c: (row: 1, column: n), bias: bias, byRow: true)
                results += [y, slope]
                for index in stride(from: 2, to: results.count, by: 2) {
                    #expect(results[index] == results[0], "\(m)×\(n)×\(k), layout \(index / 2)")
                    #expect(results[index + 1] == results[1], "\(m)×\(n)×\(k), slope of layout \(index / 2)")
                }
                let plain = product(
                    (m, n, k), (a, k, 1), (b, 1, k), c: (row: n, column: 1), bias: bias, byRow: false, gelu: false
                ).0
                let expected = GELU().forward([Tensor(plain, [m, n])]).output.values
                #expect(results[0] == expected, "\(m)×\(n)×\(k): the fused activation")
                let ones = Tensor(repeating: 1, [m, n])
                let expectedSlope = GELU().backward(ones, inputs: [Tensor(plain, [m, n])], saved: [], needs: [true])[0]?
                    .values
                #expect(results[1] == expectedSlope, "\(m)×\(n)×\(k): the fused activation's slope")
            }
        }
    }

    private func transposed(_ x: [Float], _ rows: Int, _ columns: Int) -> [Float] {
        (0..<rows * columns).map { x[$0 % rows * columns + $0 / rows] }
    }

    /// `gelu(a b + bias)` and the slope there, through the general product; b by its strides.
    private func product(
        _ size: (m: Int, n: Int, k: Int), _ a: (values: [Float], row: Int, depth: Int),
        _ b: (values: [Float], row: Int, column: Int), c: (row: Int, column: Int), bias: [Float], byRow: Bool,
        gelu: Bool = true
    ) -> ([Float], [Float]) {
        var packed = [Float](repeating: .nan, count: max(1, ck_packed_count(size.k, size.n)))
        ck_pack(size.k, size.n, b.values, b.row, b.column, &packed)
        var y = [Float](repeating: .nan, count: size.m * size.n), slope = y
        a.values.withUnsafeBufferPointer { left in
            packed.withUnsafeBufferPointer { right in
                bias.withUnsafeBufferPointer { shift in
                    y.withUnsafeMutableBufferPointer { y in
                        slope.withUnsafeMutableBufferPointer { slope in
                            var product = ck_product()
                            (product.m, product.n, product.k) = (size.m, size.n, size.k)
                            (product.a, product.a_row, product.a_depth) = (left.baseAddress, a.row, a.depth)
                            product.packed = right.baseAddress
                            (product.bias, product.bias_by_row) = (shift.baseAddress, byRow ? 1 : 0)
                            (product.c, product.c_row, product.c_column) = (y.baseAddress, c.row, c.column)
                            if gelu { (product.activation, product.slope) = (ck_gelu_erf, slope.baseAddress) }
                            ck_gemm_f32(&product)
                        }
                    }
                }
            }
        }
        return (y, slope)
    }

    @Test("element-wise and row kernels agree with double precision", arguments: levels)
    func elementwise(_ level: ck_level) {
        for n in [1, 15, 16, 17, 384] {
            let x = numbers(n, seed: 4).map { $0 * 6 }
            atLevel(level) {
                let gelu = GELU().forward([Tensor(x, [n])]).output.values
                let expectedGELU = x.map { Float(0.5 * Double($0) * (1 + erf(Double($0) / 2.0.squareRoot()))) }
                let first = difference(gelu, expectedGELU, absolute: 2e-6, relative: 1e-6)
                #expect(first.isWithinTolerance, "gelu of \(n): \(first)")

                let softmax = Softmax().forward([Tensor(x, [1, n])]).output.values
                let sum = x.reduce(0) { $0 + exp(Double($1)) }
                let second = difference(softmax, x.map { Float(exp(Double($0)) / sum) }, absolute: 1e-7, relative: 2e-6)
                #expect(second.isWithinTolerance, "softmax of \(n): \(second)")

                let mean = x.reduce(0.0) { $0 + Double($1) } / Double(n)
                let variance = x.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(n)
                let ones = Tensor(repeating: 1, [n]), zeros = Tensor(repeating: 0, [n])
                let norm = LayerNormalisation(eps: 1e-5).forward([Tensor(x, [1, n]), ones, zeros]).output.values
                let expectedNorm = x.map { Float((Double($0) - mean) / (variance + 1e-5).squareRoot()) }
                let third = difference(norm, expectedNorm, absolute: 1e-5, relative: 1e-5)
                #expect(third.isWithinTolerance, "layer norm of \(n): \(third)")
            }
        }
    }

    @Test("the exponential saturates instead of wrapping", arguments: levels)
    func extremes(_ level: ck_level) {
        atLevel(level) {
            #expect(Softmax().forward([Tensor([-1e30, 0, 1e30], [1, 3])]).output.values == [0, 0, 1])
            #expect(Softmax().forward([Tensor([-.infinity, 0], [1, 2])]).output.values == [0, 1])
            #expect(GELU().forward([Tensor([-1e30, 0, 50], [3])]).output.values == [0, 0, 50])
        }
    }

    @Test("dropout draws the numbers of Random, wherever it begins", arguments: levels)
    func dropoutStream(_ level: ck_level) {
        let x = numbers(1003, seed: 6)
        for rate in [Float(0.3), 0.5, 0.1, 0x1p-24] {
            var random = Random(seed: 9)
            let expected = x.map { _ in random.uniform() < rate ? 0 : 1 / (1 - rate) }
            var y = [Float](repeating: .nan, count: x.count), mask = y
            atLevel(level) {
                for (from, to) in [(0, 7), (7, 500), (500, 1003)] {
                    var part = [Float](repeating: .nan, count: to - from), partMask = part
                    ck_dropout_f32(to - from, 9, UInt64(from), rate, Array(x[from..<to]), &part, &partMask)
                    y.replaceSubrange(from..<to, with: part)
                    mask.replaceSubrange(from..<to, with: partMask)
                }
            }
            #expect(mask == expected, "rate \(rate)")
            #expect(y == zip(x, expected).map { $0 * $1 }, "rate \(rate)")
        }
    }

    @Test("the softmax's logarithm of the sum agrees with double precision", arguments: levels)
    func logSums(_ level: ck_level) {
        for n in [1, 15, 16, 33, 77] {
            let x = numbers(3 * n, seed: 7).map { $0 * 20 }
            var y = [Float](repeating: .nan, count: 3 * n), sums = [Float](repeating: .nan, count: 3)
            atLevel(level) { ck_softmax_log_sum_f32(3, n, x, n, &y, n, &sums) }
            for row in 0..<3 {
                let expected = log(x[row * n..<(row + 1) * n].reduce(0) { $0 + exp(Double($1)) })
                #expect(abs(Double(sums[row]) - expected) < 4e-6, "\(n) scores: \(sums[row]), expected \(expected)")
            }
        }
    }

    @Test("sums have the same bits at every level")
    func reductionOrder() {
        let x = numbers(1003, seed: 5)
        let sums = Self.levels.map { level in atLevel(level) { ck_sum_f32(x.count, x) } }
        #expect(Set(sums).count == 1, "\(sums)")
    }
}

@Suite("Worker threads")
struct WorkerPoolTests {
    @Test("every part runs exactly once, also from several callers at a time")
    func everyPartOnce() async {
        let pool = WorkerPool(threads: 3)
        await withTaskGroup(of: [Int].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let counts = UnsafeMutableBufferPointer<Int>.allocate(capacity: 1000)
                    defer { counts.deallocate() }
                    counts.initialize(repeating: 0)
                    for _ in 0..<50 { pool.parallel(1000) { counts[$0] += 1 } }
                    return Array(counts)
                }
            }
            for await counts in group { #expect(counts == [Int](repeating: 50, count: 1000)) }
        }
    }

    @Test("a call from inside a part does not wait for itself")
    func nested() {
        let pool = WorkerPool(threads: 2)
        let results = UnsafeMutableBufferPointer<Int>.allocate(capacity: 4)
        defer { results.deallocate() }
        results.initialize(repeating: 0)
        pool.parallel(2) { outer in pool.parallel(2) { results[outer * 2 + $0] = 1 } }
        #expect(Array(results) == [1, 1, 1, 1])
    }
}
