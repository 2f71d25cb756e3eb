extension OperatorTable {
    static let losses: [Operator] = [
        Operator("NegativeLogLikelihoodLoss", since: 13, "T I! T!?", ["T": .floats, "I": .indices], widens: true) {
            call in
            [try call.negativeLogLikelihood(call.input(0))]
        },
        Operator(
            "SoftmaxCrossEntropyLoss", since: 13, "T I! T!?", ["T": .floats, "I": .indices], outputs: 1...2,
            widens: true
        ) { call in
            let x = try call.input(0)
            try call.require(
                x.rank >= 2, .shapeMismatch, "scores of shape \(text(x.shape)) are not [batch, classes, …]")
            let logarithms = try call.logSoftmax(x, axis: 1)
            return [try call.negativeLogLikelihood(logarithms), logarithms]
        },
    ]
}

extension Call {
    /// `−weight[target] · x[target]`, by element or reduced; ignored targets count for nothing.
    fileprivate func negativeLogLikelihood(_ x: GraphValue) throws -> GraphValue {
        let target = try input(1), weight = optional(2), ignored = try intIfPresent("ignore_index"),
            reduction = try string("reduction", "mean")
        try require(
            x.rank >= 2 && target.shape == [x.shape[0]] + x.shape[2...], .shapeMismatch,
            "targets of shape \(text(target.shape)) do not fit scores of shape \(text(x.shape))")
        let classes = x.shape[1]
        if let weight {
            try require(
                weight.shape == [classes], .shapeMismatch,
                "weights of shape \(text(weight.shape)) for \(classes) classes")
        }
        try require(
            ["none", "sum", "mean"].contains(reduction), .badValue,
            "reduction \"\(reduction)\" is not none, sum or mean")
        let result = reduction == "none" ? target.shape : []
        try reserve(target.shape, x.type)
        if x.isAbsent || target.isAbsent || weight?.isAbsent ?? false { return .absent(x.type, result) }
        let positions = try integers(1).map { index -> Int in
            if let ignored, index == ignored { return -1 }
            try require(index >= 0 && index < classes, .badValue, "target \(index) of \(classes) classes")
            return index
        }
        let inner = x.shape[2...].reduce(1, *)
        let picked = try select(x, target.shape) {
            positions.enumerated().map { i, position in
                position < 0 ? -1 : Int32((i / max(inner, 1) * classes + position) * inner + i % max(inner, 1))
            }
        }
        let numbers = try weight.map { try reals(of: $0, "weights") }
        let shares = positions.map { $0 < 0 ? 0 : numbers?[$0] ?? 1 }
        let losses = try negated(multiply(picked, cast(GraphValue(.float64, target.shape, .real(shares)), to: x.type)))
        if reduction == "none" { return losses }
        let total = try sum(losses, axes: Array(losses.shape.indices), keep: false)
        return reduction == "sum" ? total : try divide(total, scalar(shares.reduce(0, +), like: x))
    }
}
