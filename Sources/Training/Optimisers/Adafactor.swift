package import Checkpoints
import Glibc
package import TensorCore

/// Adafactor (Shazeer & Stern 2018) as `torch.optim.Adafactor` has it. Matrices keep the second moments of their rows and columns
/// only; other axes before the last two make stacks of matrices.
///
/// `w = t^beta2Decay`, `a = max(eps2, rms(p)) · min(lr, 1/√t)`, `p *= 1 − lr · decay`; row and column moments approach the mean
/// of g² by w, `v = row · column / max(mean row, eps1)`; `u = g / √max(v, eps1²)`, `p −= a · u / max(1, rms(u) / d)`.
package struct Adafactor: Optimiser {
    package static let name = "adafactor"
    package let beta2Decay: Double
    package let eps: (squares: Double, scale: Double)
    package let clipping: Double
    package var memory: OptimiserMemory

    package init(
        _ parameters: [Parameter], beta2Decay: Double = -0.8, eps: (squares: Double, scale: Double) = (0x1p-23, 1e-3),
        clipping: Double = 1, weightDecay: Float = 0
    ) {
        self.beta2Decay = beta2Decay
        self.eps = eps
        self.clipping = clipping
        memory = OptimiserMemory(
            parameters, weightDecay: weightDecay, slots: FactoredMoment.slots, shape: FactoredMoment.shape)
    }

    package func update(_ index: Int, _ gradient: Tensor, learningRate: Float, weightDecay: Float) {
        let value = memory.parameters[index].value, p = memory.value(index), count = gradient.count
        let step = Double(memory.steps)
        let scale = max(eps.scale, rootMeanSquare(value)) * min(Double(learningRate), 1 / step.squareRoot())
        let moment = FactoredMoment(memory, index)
        moment.accumulate(gradient, share: Float(pow(step, beta2Decay)), offset: 0)
        let update = Tensor(uninitialised: gradient.shape), u = update.mutablePointer
        let smallest = eps.squares * eps.squares
        moment.forEach { i, row, column, meanOfRows in
            let v = column.map { Double(row) * Double($0) / max(Double(meanOfRows), eps.squares) } ?? Double(row)
            u[i] = gradient.pointer[i] / Float(max(v, smallest).squareRoot())
        }
        let factor = Float(scale / max(1, rootMeanSquare(update) / clipping)), keep = 1 - learningRate * weightDecay
        for i in 0..<count { p[i] = p[i] * keep - factor * u[i] }
    }
}

/// Adafactor (Shazeer & Stern 2018) as T5 was trained with it and transformers has it.
///
/// `b2 = 1 − t^decayRate`; moments of `g² + eps1`, factored for matrices: `u = g / √(row / mean row) / √column`; u is divided by
/// `max(1, rms(u) / clipping)`. The rate is the given one or, when relative, `min(1e-2, 1/√t)` (`1e-6 t` in a warm-up), times
/// `max(eps2, rms(p))` when scaled. With beta1, u is averaged over the steps. `p −= decay · rate · p`, `p −= u`.
package struct T5Adafactor: Optimiser {
    package static let name = "adafactor_t5"
    package struct Form: Sendable {
        package var eps: (squares: Double, scale: Double) = (1e-30, 1e-3)
        package var clipping = 1.0
        package var decayRate = -0.8
        package var beta1: Float?
        package var scalesWithParameter = true
        package var isRelative = true
        package var warmsUp = false

        package init() {}
    }

    package let form: Form
    package var memory: OptimiserMemory

    package init(_ parameters: [Parameter], form: Form = Form(), weightDecay: Float = 0) {
        self.form = form
        memory = OptimiserMemory(
            parameters, weightDecay: weightDecay,
            slots: FactoredMoment.slots + (form.beta1 == nil ? [] : ["first_moment"]), shape: FactoredMoment.shape)
    }

    package func update(_ index: Int, _ gradient: Tensor, learningRate: Float, weightDecay: Float) {
        let value = memory.parameters[index].value, p = memory.value(index), count = gradient.count
        let step = Double(memory.steps)
        var rate = Double(learningRate)
        if form.isRelative { rate = min(form.warmsUp ? 1e-6 * step : 1e-2, 1 / step.squareRoot()) }
        if form.scalesWithParameter { rate *= max(form.eps.scale, rootMeanSquare(value)) }
        let moment = FactoredMoment(memory, index)
        moment.accumulate(gradient, share: Float(pow(step, form.decayRate)), offset: Float(form.eps.squares))
        let update = Tensor(uninitialised: gradient.shape), u = update.mutablePointer
        moment.forEach { i, row, column, meanOfRows in
            let g = gradient.pointer[i]
            u[i] = column.map { g / (row / meanOfRows).squareRoot() / $0.squareRoot() } ?? g / row.squareRoot()
        }
        let scale = Float(rate / max(1, rootMeanSquare(update) / form.clipping))
        for i in 0..<count { u[i] *= scale }
        if let beta1 = form.beta1 {
            let m = memory.slot(2, index), share = Float(1 - Double(beta1))
            for i in 0..<count {
                m[i] = beta1 * m[i] + share * u[i]
                u[i] = m[i]
            }
        }
        let keep = Float(1 - Double(weightDecay) * rate)
        for i in 0..<count { p[i] = p[i] * keep - u[i] }
    }
}

/// The second moment of a parameter of shape `[…, rows, columns]`: one number for each row and each column of every matrix; of a
/// vector or scalar one for each element, in the rows' place.
struct FactoredMoment {
    static let slots = ["rows", "columns"]

    static func shape(_ slot: String, _ parameter: Shape) -> Shape {
        guard parameter.rank >= 2 else { return slot == "columns" ? [0] : parameter }
        let lead = Array(parameter.dimensions.dropLast(2))
        switch slot {
        case "rows": return Shape(lead + [parameter[-2]])
        case "columns": return Shape(lead + [parameter[-1]])
        default: return parameter
        }
    }

    private let row: UnsafeMutablePointer<Float>, column: UnsafeMutablePointer<Float>
    private let matrices: Int, rows: Int, columns: Int
    private let isFactored: Bool

    init(_ memory: OptimiserMemory, _ index: Int) {
        let shape = memory.parameters[index].value.shape
        row = memory.slot(0, index)
        column = memory.slot(1, index)
        isFactored = shape.rank >= 2
        rows = isFactored ? shape[-2] : shape.count
        columns = isFactored ? shape[-1] : 1
        matrices = isFactored ? shape.dimensions.dropLast(2).reduce(1, *) : 1
    }

    /// Moves the moments towards the means of `g² + offset` by `share`.
    func accumulate(_ gradient: Tensor, share: Float, offset: Float) {
        let g = gradient.pointer
        guard isFactored else {
            for i in 0..<rows { row[i] += (g[i] * g[i] + offset - row[i]) * share }
            return
        }
        var sums = [Double](repeating: 0, count: columns)
        for matrix in 0..<matrices {
            for i in sums.indices { sums[i] = 0 }
            for r in 0..<rows {
                let line = g + (matrix * rows + r) * columns
                var sum = 0.0
                for c in 0..<columns {
                    let square = Double(line[c]) * Double(line[c]) + Double(offset)
                    sum += square
                    sums[c] += square
                }
                let place = matrix * rows + r
                row[place] += (Float(sum / Double(columns)) - row[place]) * share
            }
            for c in 0..<columns {
                let place = matrix * columns + c
                column[place] += (Float(sums[c] / Double(rows)) - column[place]) * share
            }
        }
    }

    /// Each element with its row's and column's moment and the mean of its matrix's row moments; without a column for vectors.
    @inline(__always)
    func forEach(_ body: (_ element: Int, _ row: Float, _ column: Float?, _ meanOfRows: Float) -> Void) {
        guard isFactored else {
            for i in 0..<rows { body(i, row[i], nil, 1) }
            return
        }
        for matrix in 0..<matrices {
            var sum = 0.0
            for r in 0..<rows { sum += Double(row[matrix * rows + r]) }
            let mean = Float(sum / Double(rows))
            for r in 0..<rows {
                let place = matrix * rows + r
                for c in 0..<columns { body(place * columns + c, row[place], column[matrix * columns + c], mean) }
            }
        }
    }
}

/// `√(mean x²)`
private func rootMeanSquare(_ x: Tensor) -> Double {
    var sum = 0.0
    for i in 0..<x.count { sum += Double(x.pointer[i]) * Double(x.pointer[i]) }
    return (sum / Double(max(x.count, 1))).squareRoot()
}
