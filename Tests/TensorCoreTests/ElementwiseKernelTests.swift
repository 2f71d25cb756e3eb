import CKernels
import Foundation
import TestSupport
import Testing

@testable import TensorCore

extension KernelTests {
    /// A function in double precision, its slope, and the range to try it on.
    static let functions: [(map: ck_map, low: Double, high: Double, value: @Sendable (Double) -> Double)] = [
        (ck_map_exp, -80, 80, { exp($0) }), (ck_map_log, 1e-6, 300, { log($0) }),
        (ck_map_sqrt, 0.01, 300, { $0.squareRoot() }),
        (ck_map_tanh, -12, 12, { tanh($0) }), (ck_map_sigmoid, -40, 40, { 1 / (1 + exp(-$0)) }),
        (ck_map_silu, -20, 20, { $0 / (1 + exp(-$0)) }), (ck_map_quick_gelu, -12, 12, { $0 / (1 + exp(-1.702 * $0)) }),
        (ck_map_gelu_erf, -8, 8, { 0.5 * $0 * erfc(-$0 / 2.0.squareRoot()) }),
        (
            ck_map_gelu_tanh, -8, 8,
            { 0.5 * $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }
        ),
        (ck_map_erf, -6, 6, { erf($0) }), (ck_map_softplus, -40, 19.9, { log1p(exp($0)) }),
        (ck_map_mish, -20, 20, { $0 * tanh(log1p(exp($0))) }), (ck_map_relu, -3, 3, { max($0, 0) }),
        (ck_map_relu6, -3, 9, { min(max($0, 0), 6) }), (ck_map_hard_swish, -6, 6, { $0 * min(max($0 + 3, 0), 6) / 6 }),
    ]

    @Test("functions of one number and their slopes agree with double precision", arguments: levels)
    func functions(_ level: ck_level) {
        for (map, low, high, value) in Self.functions {
            for n in [1, 16, 1003] {
                let x = (0..<n).map { Float(low + (high - low) * (Double($0) + 0.37) / Double(n)) }
                var y = [Float](repeating: 0, count: n), dx = y
                let dy = (0..<n).map { Float($0 % 5) - 2 }
                atLevel(level) {
                    ck_map_f32(map, n, x, &y)
                    ck_map_backward_f32(map, n, ck_map_keeps_output(map) != 0 ? y : x, dy, &dx)
                }
                let values = difference(y, x.map { Float(value(Double($0))) }, absolute: 1e-6, relative: 2e-6)
                #expect(values.isWithinTolerance, "\(map) of \(n): \(values)")
                let slopes = zip(x, dy).map { x, dy -> Float in
                    let step = 1e-5 * max(1e-3, abs(Double(x)))
                    return dy * Float((value(Double(x) + step) - value(Double(x) - step)) / (2 * step))
                }
                let gradients = difference(dx, slopes, absolute: 4e-6, relative: 2e-5)
                #expect(gradients.isWithinTolerance, "slope of \(map) of \(n): \(gradients)")
            }
        }
    }

    @Test("a small number keeps its digits", arguments: levels)
    func smallNumbers(_ level: ck_level) {
        let x: [Float] = [1e-20, -1e-20, 1e-8, -3e-4, 1e-3]
        var y = x
        atLevel(level) { ck_map_f32(ck_map_tanh, x.count, x, &y) }
        for (a, e) in zip(y, x.map { Float(tanh(Double($0))) }) {
            #expect(abs(a - e) <= 2e-7 * abs(e), "tanh: \(a), expected \(e)")
        }
        let deep: [Float] = [-20, -60, -85]
        var soft = deep
        atLevel(level) { ck_map_f32(ck_map_softplus, deep.count, deep, &soft) }
        for (a, e) in zip(soft, deep.map { Float(log1p(exp(Double($0)))) }) {
            #expect(abs(a - e) <= 1e-5 * e, "softplus: \(a), expected \(e)")
        }
        var tiny: [Float] = [Float(1e-40 as Double), 1.1754944e-38, 3e38]
        let logarithms = [log(Double(tiny[0])), log(1.1754944e-38), log(3e38)]
        atLevel(level) { ck_map_f32(ck_map_log, 3, tiny, &tiny) }
        for (a, e) in zip(tiny, logarithms) {
            #expect(abs(Double(a) - e) < 1e-5 * abs(e), "log: \(a), expected \(e)")
        }
    }

    @Test("functions of two numbers with every step", arguments: levels)
    func zips(_ level: ck_level) {
        let a = numbers([200], 1).values, b = numbers([200], 2).values
        for (kernel, value) in [
            (ck_zip_add, { $0 + $1 }), (ck_zip_subtract, { $0 - $1 }), (ck_zip_multiply, { $0 * $1 }),
            (ck_zip_divide, { $0 / $1 }),
        ] as [(ck_zip, (Float, Float) -> Float)] {
            for (stepA, stepB) in [(1, 1), (1, 0), (0, 1), (0, 0), (2, 1), (-1, 3)] {
                for n in [0, 1, 16, 35] {
                    var y = [Float](repeating: 0, count: n)
                    let start = stepA < 0 ? n : 0
                    a.withUnsafeBufferPointer { a in
                        guard let base = a.baseAddress else { return }
                        atLevel(level) { ck_zip_f32(kernel, n, base + start, stepA, b, stepB, &y) }
                    }
                    for i in 0..<n {
                        #expect(
                            y[i] == value(a[start + i * stepA], b[i * stepB]),
                            "\(kernel) with \(stepA), \(stepB) at \(i)")
                    }
                }
            }
        }
    }

    @Test("row norms and softmax: the gradients agree with double precision", arguments: levels)
    func rowGradients(_ level: ck_level) {
        for (rows, n) in [(1, 1), (3, 16), (2, 37), (5, 384)] {
            let x = numbers([rows * n], 1).values, dy = numbers([rows * n], 2).values, weight = numbers([n], 3).values
            for centred in [true, false] {
                var y = x, mean = [Float](repeating: 0, count: rows), rstd = mean, dx = x
                var dweight = [Float](repeating: 0, count: n), dbias = dweight
                atLevel(level) {
                    if centred {
                        ck_layer_norm_f32(rows, n, x, nil, weight, nil, 1e-5, &y, &mean, &rstd)
                        ck_norm_backward_f32(rows, n, x, dy, weight, mean, rstd, &dx, &dweight, &dbias)
                    } else {
                        ck_rms_norm_f32(rows, n, x, weight, 1e-5, &y, &rstd)
                        ck_norm_backward_f32(rows, n, x, dy, weight, nil, rstd, &dx, &dweight, &dbias)
                    }
                }
                let expected = normGradients(rows, n, x, dy, weight, centred)
                for (name, actual, reference) in [
                    ("y", y, expected.y), ("dx", dx, expected.dx), ("dweight", dweight, expected.dweight),
                    ("dbias", dbias, expected.dbias),
                ] {
                    // A row of one element has no variance: what is left is rounding, magnified by 1 / √eps.
                    let result = difference(actual, reference, absolute: n == 1 ? 2e-4 : 2e-5, relative: 2e-5)
                    #expect(
                        result.isWithinTolerance,
                        "\(centred ? "layer" : "rms") norm \(name) of [\(rows), \(n)]: \(result)")
                }
            }
            var p = x, ds = x
            atLevel(level) {
                ck_softmax_f32(rows, n, 1, x, n, &p, n)
                ck_softmax_backward_f32(rows, n, 0.5, p, dy, &ds)
            }
            let expected = (0..<rows * n).map { i -> Float in
                let row = i / n * n..<(i / n + 1) * n
                let inner = row.reduce(0.0) { $0 + Double(p[$1]) * Double(dy[$1]) }
                return Float(Double(p[i]) * (Double(dy[i]) - inner) * 0.5)
            }
            let result = difference(ds, expected, absolute: 1e-7, relative: 1e-5)
            #expect(result.isWithinTolerance, "softmax of [\(rows), \(n)]: \(result)")
        }
    }

    private func normGradients(
        _ rows: Int, _ n: Int, _ x: [Float], _ dy: [Float], _ weight: [Float], _ centred: Bool
    ) -> (y: [Float], dx: [Float], dweight: [Float], dbias: [Float]) {
        var y = x, dx = x
        var dweight = [Double](repeating: 0, count: n), dbias = dweight
        for row in 0..<rows {
            let values = x[row * n..<(row + 1) * n].map(Double.init),
                gradient = dy[row * n..<(row + 1) * n].map(Double.init)
            let mean = centred ? values.reduce(0, +) / Double(n) : 0
            let scale = 1 / (values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(n) + 1e-5).squareRoot()
            let normal = values.map { ($0 - mean) * scale }, g = zip(gradient, weight).map { $0 * Double($1) }
            let meanG = centred ? g.reduce(0, +) / Double(n) : 0
            let projection = zip(g, normal).map(*).reduce(0, +) / Double(n)
            for i in 0..<n {
                y[row * n + i] = Float(normal[i] * Double(weight[i]))
                dx[row * n + i] = Float(scale * (g[i] - meanG - normal[i] * projection))
                dweight[i] += gradient[i] * normal[i]
                dbias[i] += gradient[i]
            }
        }
        return (y, dx, dweight.map { Float($0) }, dbias.map { Float($0) })
    }

    @Test("transposes and sums of rows", arguments: levels)
    func layout(_ level: ck_level) {
        for (rows, columns) in [(1, 1), (16, 16), (5, 40), (33, 17), (300, 70)] {
            let x = numbers([rows * (columns + 3)], 1).values
            var y = [Float](repeating: 0, count: columns * (rows + 2)), sums = [Float](repeating: 0, count: columns)
            atLevel(level) {
                ck_transpose_f32(rows, columns, x, columns + 3, &y, rows + 2)
                ck_sum_rows_f32(rows, columns, x, columns + 3, &sums)
            }
            for column in 0..<columns {
                var sum: Double = 0
                for row in 0..<rows {
                    #expect(y[column * (rows + 2) + row] == x[row * (columns + 3) + column])
                    sum += Double(x[row * (columns + 3) + column])
                }
                #expect(abs(Double(sums[column]) - sum) < 1e-5, "\(sums[column]), expected \(sum)")
            }
        }
    }
}
