import Glibc
import TensorCore

extension OperatorTable {
    static let recurrent: [Operator] = [
        Operator(
            "RNN", since: 7, "T T T T? L!? T?", ["T": .floats, "L": TypeSet([.int32])], outputs: 1...2, widens: true
        ) { call in
            try call.recurrent(gates: 1) { layer in layer.rnn }
        },
        Operator(
            "GRU", since: 7, "T T T T? L!? T?", ["T": .floats, "L": TypeSet([.int32])], outputs: 1...2, widens: true
        ) { call in
            try call.recurrent(gates: 3) { layer in layer.gru }
        },
        Operator(
            "LSTM", since: 7, "T T T T? L!? T? T? T?", ["T": .floats, "L": TypeSet([.int32])], outputs: 1...3,
            widens: true
        ) { call in try call.recurrent(gates: 4) { layer in layer.lstm } },
    ]
}

/// One direction of a recurrent layer, ready to step.
private struct RecurrentLayer {
    let call: Call
    let hidden: Int
    /// R `[gates · hidden, hidden]`, transposed to `[hidden, gates · hidden]`.
    let recurrence: GraphValue
    /// Recurrent bias `[gates · hidden]`, when there is one.
    let recurrentBias: GraphValue?
    /// Peepholes i, o, f, each `[hidden]`.
    let peepholes: [GraphValue]?
    let activations: [PointFunction]
    let clip: Double?

    typealias State = (hidden: GraphValue, cell: GraphValue?)
    typealias Step = (_ input: GraphValue, _ state: State) throws -> State

    func activate(_ index: Int, _ x: GraphValue) throws -> GraphValue {
        guard let clip else { return try call.map(x, activations[index]) }
        let limited = PointFunction({ $0.isNaN ? $0 : max(-clip, min(clip, $0)) }) { x, _ in abs(x) <= clip ? 1 : 0 }
        return try call.map(call.map(x, limited), activations[index])
    }

    func gate(_ x: GraphValue, _ index: Int) throws -> GraphValue {
        try call.slice(x, axis: 1, index * hidden..<(index + 1) * hidden)
    }

    func recurred(_ h: GraphValue) throws -> GraphValue {
        let product = try call.matmul(h, recurrence)
        return try recurrentBias.map { try call.add(product, $0) } ?? product
    }

    /// `h' = f(x W + h R + b)`
    var rnn: Step {
        { x, state in (try activate(0, call.add(x, recurred(state.hidden))), nil) }
    }

    /// `z, r = f(…)`, `n = g(x W + (r · h) R + b)` or with `linear_before_reset` `g(x W + r · (h R + b))`, `h' = (1 − z) n + z h`.
    var gru: Step {
        { x, state in
            let h = state.hidden, all = try recurred(h)
            let z = try activate(0, call.add(gate(x, 0), gate(all, 0)))
            let r = try activate(0, call.add(gate(x, 1), gate(all, 1)))
            let fromHidden: GraphValue
            if try call.flag("linear_before_reset") {
                fromHidden = try call.multiply(r, gate(all, 2))
            } else {
                let part = try call.slice(recurrence, axis: 1, 2 * hidden..<3 * hidden)
                let product = try call.matmul(call.multiply(r, h), part)
                fromHidden =
                    try recurrentBias.map { try call.add(product, call.slice($0, axis: 0, 2 * hidden..<3 * hidden)) }
                    ?? product
            }
            let n = try activate(1, call.add(gate(x, 2), fromHidden))
            // (1 − z) n + z h = n + z (h − n)
            return (try call.add(n, call.multiply(z, call.subtract(h, n))), nil)
        }
    }

    /// `i, o, f = f(…)`, `c' = f · c + i · g(…)`, `h' = o · h(c')`; the peepholes add `p · c` to i and f and `p · c'` to o.
    var lstm: Step {
        { x, state in
            guard let c = state.cell else { throw call.error(.unknownName, "the cell state is missing") }
            let all = try call.add(x, recurred(state.hidden))
            func peeped(_ gate: GraphValue, _ index: Int, _ cell: GraphValue) throws -> GraphValue {
                guard let peepholes else { return gate }
                return try call.add(gate, call.multiply(cell, peepholes[index]))
            }
            let i = try activate(0, peeped(gate(all, 0), 0, c))
            let f =
                try call.flag("input_forget")
                ? call.subtract(call.scalar(1, like: i), i) : activate(0, peeped(gate(all, 2), 2, c))
            let candidate = try activate(1, gate(all, 3))
            let cell = try call.add(call.multiply(f, c), call.multiply(i, candidate))
            let o = try activate(0, peeped(gate(all, 1), 1, cell))
            return (try call.multiply(o, call.map(cell, activations[2])), cell)
        }
    }
}

extension Call {
    /// X `[length, batch, width]` (or with `layout` 1 `[batch, length, width]`), W `[directions, gates · hidden, width]`, R
    /// `[directions, gates · hidden, hidden]`, B `[directions, 2 · gates · hidden]` → Y `[length, directions, batch, hidden]`,
    /// Y_h and Y_c `[directions, batch, hidden]`.
    fileprivate func recurrent(gates: Int, _ step: (RecurrentLayer) -> RecurrentLayer.Step) throws -> [GraphValue] {
        var x = try input(0)
        let weights = try input(1), recurrence = try input(2), batchFirst = try int("layout", 0) == 1
        try require(
            x.rank == 3 && weights.rank == 3 && recurrence.rank == 3, .shapeMismatch,
            "shapes \(text(x.shape)), \(text(weights.shape)) and \(text(recurrence.shape)) must have three axes each")
        if batchFirst { x = try permute(x, [1, 0, 2]) }
        let (length, batch, width) = (x.shape[0], x.shape[1], x.shape[2]), hidden = recurrence.shape[2]
        let direction = try string("direction", "forward")
        try require(
            ["forward", "reverse", "bidirectional"].contains(direction), .badValue, "direction \"\(direction)\"")
        let directions = direction == "bidirectional" ? 2 : 1
        func fits(_ index: Int, _ shape: [Int]) throws {
            guard let value = optional(index) else { return }
            try require(
                value.shape == shape, .shapeMismatch,
                "input \(index) has shape \(text(value.shape)); with X of shape \(text(x.shape)) and R of "
                    + "shape \(text(recurrence.shape)) it must be \(text(shape))")
        }
        guard let rows = hidden.times(gates), let doubled = rows.times(2) else {
            throw error(.tooLarge, "\(hidden) hidden units")
        }
        try fits(1, [directions, rows, width])
        try fits(2, [directions, rows, hidden])
        try fits(3, [directions, doubled])
        let stateShape = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
        try fits(5, stateShape)
        try fits(6, stateShape)
        try fits(7, [directions, 3 * hidden])
        if let given = try intIfPresent("hidden_size") {
            try require(given == hidden, .shapeMismatch, "hidden_size \(given), and R has \(hidden)")
        }
        let lengths = try sequenceLengths(length, batch)
        let functions = try recurrentActivations(gates: gates, directions: directions)
        let clip = try floatIfPresent("clip")
        if let clip { try require(clip > 0, .badValue, "clip \(clip)") }
        try reserve([length, directions, batch, hidden], x.type)

        var outputs: [GraphValue] = [], lastHidden: [GraphValue] = [], lastCell: [GraphValue] = []
        for side in 0..<directions {
            let reversed = direction == "reverse" || side == 1
            let biases = try optional(3).map { try slice($0, axis: 0, side..<side + 1).reshaped([doubled]) }
            let layer = RecurrentLayer(
                call: self, hidden: hidden,
                recurrence: try permute(slice(recurrence, axis: 0, side..<side + 1).reshaped([rows, hidden]), [1, 0]),
                recurrentBias: try biases.map { try slice($0, axis: 0, rows..<doubled) },
                peepholes: try optional(7).map { p in
                    let own = try slice(p, axis: 0, side..<side + 1).reshaped([3 * hidden])
                    return try (0..<3).map { try slice(own, axis: 0, $0 * hidden..<($0 + 1) * hidden) }
                },
                activations: functions[side], clip: clip)
            func initial(_ index: Int) throws -> GraphValue {
                guard let given = optional(index) else { return try filled(x.type, [batch, hidden], 0) }
                return try slice(given, axis: batchFirst ? 1 : 0, side..<side + 1).reshaped([batch, hidden])
            }
            // The products with the inputs do not depend on the state: all steps at once.
            let matrix = try permute(slice(weights, axis: 0, side..<side + 1).reshaped([rows, width]), [1, 0])
            var projected = try matmul(x, matrix)
            if let biases { projected = try add(projected, slice(biases, axis: 0, 0..<rows)) }
            if reversed { projected = try reversedInTime(projected, lengths) }
            var state: RecurrentLayer.State = (try initial(5), gates == 4 ? try initial(6) : nil)
            var steps: [GraphValue] = []
            let step = step(layer)
            for time in 0..<length {
                let part = try slice(projected, axis: 0, time..<time + 1).reshaped([batch, rows])
                let next = try step(part, state)
                if let lengths, let shortest = lengths.min(), time >= shortest {
                    // Sequences that have ended keep their state, and their outputs are zero.
                    let alive = GraphValue(.bool, [batch, 1], .truth(lengths.map { time < $0 }))
                    steps.append(try choose(alive, next.hidden, filled(x.type, [batch, hidden], 0)))
                    state = (
                        try choose(alive, next.hidden, state.hidden),
                        try next.cell.flatMap { cell in try state.cell.map { try choose(alive, cell, $0) } }
                    )
                } else {
                    steps.append(next.hidden)
                    state = next
                }
            }
            var sequence =
                steps.isEmpty
                ? try filled(x.type, [0, batch, hidden], 0)
                : try concatenate(steps.map { unsqueezed($0, axis: 0) }, axis: 0)
            if reversed { sequence = try reversedInTime(sequence, lengths) }
            outputs.append(unsqueezed(sequence, axis: 1))
            lastHidden.append(unsqueezed(state.hidden, axis: 0))
            if let cell = state.cell { lastCell.append(unsqueezed(cell, axis: 0)) }
        }
        var results = [try concatenate(outputs, axis: 1), try concatenate(lastHidden, axis: 0)]
        if !lastCell.isEmpty { results.append(try concatenate(lastCell, axis: 0)) }
        if batchFirst {
            results[0] = try permute(results[0], [2, 0, 1, 3])
            for index in 1..<results.count { results[index] = try permute(results[index], [1, 0, 2]) }
        }
        return results
    }

    /// nil when every sequence has the full length.
    private func sequenceLengths(_ length: Int, _ batch: Int) throws -> [Int]? {
        guard let given = optional(4) else { return nil }
        try require(
            given.shape == [batch], .shapeMismatch,
            "sequence_lens of shape \(text(given.shape)) for a batch of \(batch)")
        // While a graph is checked the lengths do not change any shape.
        if given.isAbsent { return nil }
        let lengths = try integers(4)
        for one in lengths {
            try require(one >= 0 && one <= length, .badValue, "length \(one) of sequences of \(length) steps")
        }
        return lengths.allSatisfy { $0 == length } ? nil : lengths
    }

    /// Each sequence of `[length, batch, width]` backwards; what lies behind its end stays.
    private func reversedInTime(_ x: GraphValue, _ lengths: [Int]?) throws -> GraphValue {
        let (length, batch, width) = (x.shape[0], x.shape[1], x.shape[2])
        return try select(x, x.shape) {
            var map: [Int32] = []
            map.reserveCapacity(x.count)
            for time in 0..<length {
                for row in 0..<batch {
                    let end = lengths?[row] ?? length
                    let source = time < end ? end - 1 - time : time
                    for i in 0..<width { map.append(Int32((source * batch + row) * width + i)) }
                }
            }
            return map
        }
    }

    /// The functions of each direction: the standard ones, or those the node names.
    private func recurrentActivations(gates: Int, directions: Int) throws -> [[PointFunction]] {
        let standard = gates == 1 ? ["Tanh"] : gates == 3 ? ["Sigmoid", "Tanh"] : ["Sigmoid", "Tanh", "Tanh"]
        let names = try strings("activations") ?? Array(repeating: standard, count: directions).flatMap { $0 }
        try require(
            names.count == standard.count * directions, .badValue,
            "\(names.count) activations; \(standard.count * directions) are needed")
        var alphas = (try floats("activation_alpha") ?? [])[...], betas = (try floats("activation_beta") ?? [])[...]
        let functions = try names.map { name -> PointFunction in
            func alpha(_ standard: Double) -> Double { alphas.popFirst() ?? standard }
            func beta(_ standard: Double) -> Double { betas.popFirst() ?? standard }
            switch name.lowercased() {
            case "sigmoid": return .sigmoid
            case "tanh": return .tangentH
            case "relu": return .relu
            case "softplus": return .softplus
            case "softsign": return PointFunction({ $0 / (1 + abs($0)) }) { x, _ in 1 / ((1 + abs(x)) * (1 + abs(x))) }
            case "affine":
                let (a, b) = (alpha(1), beta(0))
                return PointFunction({ a * $0 + b }) { _, _ in a }
            case "leakyrelu":
                let a = alpha(0.01)
                return PointFunction({ $0 < 0 ? a * $0 : $0 }) { x, _ in x < 0 ? a : 1 }
            case "thresholdedrelu":
                let a = alpha(1)
                return PointFunction({ $0 > a ? $0 : 0 }) { x, _ in x > a ? 1 : 0 }
            case "scaledtanh":
                let (a, b) = (alpha(1), beta(1))
                return PointFunction({ a * tanh(b * $0) }) { _, y in a == 0 ? 0 : b * (a - y * y / a) }
            case "hardsigmoid": return .hardSigmoid(alpha(0.2), beta(0.5))
            case "elu":
                let a = alpha(1)
                return PointFunction({ $0 < 0 ? a * expm1($0) : $0 }) { x, y in x < 0 ? y + a : 1 }
            default:
                throw error(
                    .unsupported,
                    "the activation \"\(name)\" is not one of Sigmoid, Tanh, Relu, Softplus, Softsign, Affine, LeakyRelu, ThresholdedRelu, ScaledTanh, HardSigmoid and Elu"
                )
            }
        }
        return (0..<directions).map { Array(functions[$0 * standard.count..<($0 + 1) * standard.count]) }
    }
}
