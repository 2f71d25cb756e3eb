import CKernels
import Foundation
import TestSupport
import Testing

@testable import TensorCore

extension KernelTests {
    /// The kernels of a linear layer's training step against loops in double precision; a part of the kernels' suite because the
    /// level changes for the whole process.
    @Suite("The training step of a linear layer")
    struct LinearStepKernelTests {
        struct Size: Sendable, CustomTestStringConvertible {
            let rows: Int, width: Int, outputs: Int
            var testDescription: String { "\(rows) rows of \(width), \(outputs) outputs" }
        }

        static let levels = (0...Int(ck_best_level().rawValue)).map { ck_level(rawValue: UInt32($0)) }
        static let sizes = [
            Size(rows: 1, width: 1, outputs: 1), Size(rows: 3, width: 15, outputs: 2),
            Size(rows: 5, width: 16, outputs: 3), Size(rows: 16, width: 33, outputs: 5),
            Size(rows: 19, width: 40, outputs: 13), Size(rows: 64, width: 384, outputs: 77),
        ]

        private func numbers(_ count: Int, _ seed: UInt64) -> [Float] {
            var random = Random(seed: seed)
            return (0..<count).map { _ in random.uniform() * 2 - 1 }
        }

        /// Calls `body` with the rows of `table` in a shuffled order, which is given too.
        private func withRows(_ size: Size, _ table: [Float], _ body: (UnsafePointer<ck_rows>, [Int]) -> Void) {
            var random = Random(seed: 4)
            let order = random.permutation(size.rows)
            table.withUnsafeBufferPointer { table in
                let pointers = order.map { row in table.baseAddress.map { $0 + row * size.width } }
                pointers.withUnsafeBufferPointer { rows in
                    var x = ck_rows(count: size.rows, width: size.width, row: rows.baseAddress)
                    body(&x, order)
                }
            }
        }

        private func atEveryLevel(_ body: (String) -> Void) {
            let before = ck_current_level()
            defer { ck_set_level(before) }
            for level in Self.levels {
                ck_set_level(level)
                body(String(cString: ck_level_name(level)))
            }
        }

        private func stride(_ rows: Int) -> Int { (rows + 15) / 16 * 16 }

        private func expect(
            _ actual: [Float], _ expected: [Double], _ what: String, absolute: Float = 2e-5, relative: Float = 2e-5
        ) {
            let worst = difference(actual, expected.map { Float($0) }, absolute: absolute, relative: relative)
            #expect(worst.isWithinTolerance, "\(what): \(worst)")
        }

        @Test("scores equal dot products, and do not depend on what else is scored", arguments: sizes)
        func scores(_ size: Size) {
            let table = numbers(size.rows * size.width, 1), weight = numbers(size.outputs * size.width, 2)
            let bias = numbers(size.outputs, 3), stride = stride(size.rows)
            withRows(size, table) { x, order in
                atEveryLevel { level in
                    var y = [Float](repeating: .nan, count: size.outputs * stride), alone = y
                    ck_row_scores_f32(x, size.outputs, weight, bias, &y, stride)
                    for output in 0..<size.outputs {
                        weight.withUnsafeBufferPointer { weight in
                            guard let base = weight.baseAddress else { return }
                            alone.withUnsafeMutableBufferPointer { alone in
                                guard let target = alone.baseAddress else { return }
                                ck_row_scores_f32(
                                    x, 1, base + output * size.width, [bias[output]], target + output * stride, stride)
                            }
                        }
                        let own = output * stride..<output * stride + size.rows
                        let expected = order.map { row in
                            (0..<size.width).reduce(Double(bias[output])) {
                                $0 + Double(weight[output * size.width + $1]) * Double(table[row * size.width + $1])
                            }
                        }
                        expect(Array(y[own]), expected, "\(level), output \(output)")
                        #expect(Array(alone[own]) == Array(y[own]), "\(level), output \(output) alone")
                    }
                }
            }
        }

        @Test(
            "losses and slopes are those of softmax cross-entropy", arguments: sizes,
            [(smoothing: Float(0), weighted: false), (0.1, false), (0, true), (0.3, true)])
        func crossEntropy(_ size: Size, _ settings: (smoothing: Float, weighted: Bool)) {
            let classes = size.outputs, stride = stride(size.rows), scale = 0.25
            let scores = numbers(classes * stride, 5).map { $0 * 8 }
            let targets = (0..<size.rows).map { Int32($0 * 7 % classes) }
            let weights =
                settings.weighted ? numbers(classes, 6).map { $0 + 1.5 } : [Float](repeating: 1, count: classes)
            let smoothing = Double(settings.smoothing), share = smoothing / Double(classes)
            var losses: [Double] = [], slopes = [[Double]](repeating: [], count: classes)
            for row in 0..<size.rows {
                let x = (0..<classes).map { Double(scores[$0 * stride + row]) }
                let logSum = log(x.reduce(0) { $0 + exp($1) })
                // The target's weight of each class: it is Σ t (logSum − x) whose slope is Σ t · p − t.
                let t = (0..<classes).map {
                    Double(weights[$0]) * (share + ($0 == Int(targets[row]) ? 1 - smoothing : 0))
                }
                losses.append(zip(t, x).reduce(0) { $0 + $1.0 * (logSum - $1.1) })
                for c in 0..<classes {
                    slopes[c].append((t.reduce(0, +) * exp(x[c] - logSum) - t[c]) * scale)
                }
            }
            atEveryLevel { level in
                weights.withUnsafeBufferPointer { weights in
                    var loss = ck_cross_entropy(
                        classes: classes, class_weights: settings.weighted ? weights.baseAddress : nil,
                        weight_sum: weights.reduce(0, +), smoothing: settings.smoothing, scale: Float(scale))
                    var y = scores, actual = [Float](repeating: .nan, count: size.rows)
                    ck_cross_entropy_columns_f32(&loss, size.rows, targets, &y, stride, &actual)
                    expect(actual, losses, "\(level), losses")
                    for c in 0..<classes {
                        expect(
                            Array(y[c * stride..<c * stride + size.rows]), slopes[c], "\(level), class \(c)",
                            absolute: 2e-6)
                    }
                }
            }
        }

        @Test("what is not a number stays visible in the loss")
        func notFinite() {
            atEveryLevel { level in
                for bad in [Float.nan, .infinity] {
                    var scores = [Float](repeating: 0.5, count: 3 * 16), losses = [Float](repeating: 0, count: 16)
                    scores[16 + 4] = bad
                    var loss = ck_cross_entropy(classes: 3, class_weights: nil, weight_sum: 3, smoothing: 0.1, scale: 1)
                    ck_cross_entropy_columns_f32(&loss, 16, [Int32](repeating: 0, count: 16), &scores, 16, &losses)
                    #expect(losses.indices.allSatisfy { losses[$0].isFinite == ($0 != 4) }, "\(level): \(losses)")
                }
            }
        }

        @Test("weights change as AdamW changes them for the gradient in memory", arguments: sizes)
        func adamw(_ size: Size) {
            let count = size.outputs * size.width, stride = stride(size.rows)
            let table = numbers(size.rows * size.width, 1), slopes = numbers(size.outputs * stride, 2)
            withRows(size, table) { x, order in
                let gradient = (0..<count).map { element in
                    let (output, k) = (element / size.width, element % size.width)
                    return Float(
                        order.enumerated().reduce(0.0) {
                            $0 + Double(slopes[output * stride + $1.offset])
                                * Double(table[$1.element * size.width + k])
                        })
                }
                atEveryLevel { level in
                    var factors = ck_adamw_factors(0.01, 0.9, 0.999, 1e-8, 0.1, 3)
                    let initial = (numbers(count, 7), numbers(count, 8), numbers(count, 9).map(abs))
                    var fused = initial, expected = initial
                    ck_row_adamw_f32(
                        x, &factors, size.outputs, slopes, stride, &fused.0, &fused.1, &fused.2)
                    // Two threads' outputs, one after the other: the same bits.
                    var split = initial
                    let half = size.outputs / 2, start = half * size.width
                    split.0.withUnsafeMutableBufferPointer { weight in
                        split.1.withUnsafeMutableBufferPointer { first in
                            split.2.withUnsafeMutableBufferPointer { second in
                                slopes.withUnsafeBufferPointer { slopes in
                                    guard let weight = weight.baseAddress, let first = first.baseAddress,
                                        let second = second.baseAddress, let slopes = slopes.baseAddress
                                    else { return }
                                    ck_row_adamw_f32(
                                        x, &factors, size.outputs - half, slopes + half * stride, stride,
                                        weight + start,
                                        first + start, second + start)
                                    ck_row_adamw_f32(x, &factors, half, slopes, stride, weight, first, second)
                                }
                            }
                        }
                    }
                    #expect(split == fused, "\(level): in two parts")
                    ck_adamw_f32(&factors, count, &expected.0, gradient, &expected.1, &expected.2)
                    for (what, a, b) in [
                        ("weight", fused.0, expected.0), ("first moment", fused.1, expected.1),
                        ("second moment", fused.2, expected.2),
                    ] { expect(a, b.map(Double.init), "\(level), \(what)", absolute: 5e-6, relative: 1e-5) }
                }
            }
        }
    }
}
