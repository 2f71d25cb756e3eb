import TensorCore

extension OperatorTable {
    static let normalisation: [Operator] = [
        Operator("LayerNormalization", since: 17, "T T T?", ["T": .floats], outputs: 1...3, widens: true) { call in
            try call.layerNormalisation()
        },
        Operator("RMSNormalization", since: 23, "T T", ["T": .floats], widens: true) { call in
            [try call.rmsNormalisation()]
        },
        Operator("GroupNormalization", since: 18, "T T T", ["T": .floats], widens: true) { call in
            [try call.groupNormalisation()]
        },
        Operator("InstanceNormalization", since: 6, "T T T", ["T": .floats], widens: true) { call in
            let x = try call.input(0)
            _ = try call.spatialExtents(x)
            let y = try call.standardised(x, axes: Array(2..<x.rank), epsilon: call.float("epsilon", 1e-5))
            return [try call.byChannel(y, scale: call.input(1), bias: call.input(2))]
        },
        Operator(
            "BatchNormalization", since: 15, "T T T M! M!", ["T": .floats, "M": .floats], outputs: 1...3, widens: true
        ) { call in
            try call.batchNormalisation()
        },
        Operator("LpNormalization", since: 1, "T", ["T": .floats], widens: true) { call in [try call.lpNormalisation()]
        },
        Operator("MeanVarianceNormalization", since: 13, "T", ["T": .floats], widens: true) { call in
            let x = try call.input(0), axes = try call.axes(call.ints("axes") ?? [0, 2, 3], rank: x.rank)
            let mean = try call.mean(x, axes: axes, keep: true)
            let centred = try call.subtract(x, mean)
            let deviation = try call.squareRoot(call.mean(call.square(centred), axes: axes, keep: true))
            return [try call.divide(centred, call.shift(deviation, 1e-9))]
        },
        Operator("LRN", since: 13, "T", ["T": .floats], widens: true) { call in [try call.localResponse()] },
    ]
}

extension Call {
    /// `(x − mean) / √(variance + ε)` over some axes.
    fileprivate func standardised(_ x: GraphValue, axes: [Int], epsilon: Double) throws -> GraphValue {
        let centred = try subtract(x, mean(x, axes: axes, keep: true))
        let variance = try mean(square(centred), axes: axes, keep: true)
        return try divide(centred, squareRoot(shift(variance, epsilon)))
    }

    /// `x · scale + bias` with one number for each channel, the second axis.
    fileprivate func byChannel(_ x: GraphValue, scale: GraphValue, bias: GraphValue) throws -> GraphValue {
        let channels = x.shape[1], shape = [channels] + [Int](repeating: 1, count: x.rank - 2)
        for (name, value) in [("scale", scale), ("bias", bias)] {
            try require(
                value.shape == [channels], .shapeMismatch,
                "\(name) of shape \(text(value.shape)) for an input of shape \(text(x.shape))")
        }
        return try add(multiply(x, reshape(scale, shape)), reshape(bias, shape))
    }

    fileprivate func layerNormalisation() throws -> [GraphValue] {
        let x = try input(0), scale = try input(1), bias = optional(2)
        let first = try axis(int("axis", -1), rank: x.rank), epsilon = try float("epsilon", 1e-5)
        let trailing = Array(x.shape[first...])
        for (name, value) in [("scale", scale), ("bias", bias ?? scale)] {
            try require(
                broadcastShape(value.shape, x.shape) == x.shape, .shapeMismatch,
                "\(name) of shape \(text(value.shape)) does not fit an input of shape \(text(x.shape))")
        }
        try reserve(x.shape, x.type)
        let wantsMoments = node.outputs.count > 1
        if !wantsMoments, x.count > 0, let tensor = x.tensor, let weight = scale.tensor, scale.shape == trailing,
            bias == nil || bias?.shape == trailing
        {
            let op = LayerNormalisation(eps: Float(epsilon), axes: trailing.count)
            if let bias = bias?.tensor { return [GraphValue(op(tensor, weight, bias))] }
            if bias == nil { return [try multiply(GraphValue(op(tensor)), scale)] }
        }
        let axes = Array(first..<x.rank)
        let mean = try mean(x, axes: axes, keep: true)
        let centred = try subtract(x, mean)
        let inverse = try reciprocal(squareRoot(shift(self.mean(square(centred), axes: axes, keep: true), epsilon)))
        var y = try multiply(multiply(centred, inverse), scale)
        if let bias { y = try add(y, bias) }
        // The moments are float32 unless the graph asks for bfloat16.
        let moments = try type("stash_type") ?? .float32
        return [y, try cast(mean.detached, to: moments), try cast(inverse.detached, to: moments)]
    }

    fileprivate func rmsNormalisation() throws -> GraphValue {
        let x = try input(0), scale = try input(1)
        let first = try axis(int("axis", -1), rank: x.rank), epsilon = try float("epsilon", 1e-5)
        try require(
            broadcastShape(scale.shape, x.shape) == x.shape, .shapeMismatch,
            "scale of shape \(text(scale.shape)) does not fit an input of shape \(text(x.shape))")
        try reserve(x.shape, x.type)
        if let tensor = x.tensor, let weight = scale.tensor, x.count > 0, scale.shape == Array(x.shape[first...]) {
            return GraphValue(RMSNormalisation(eps: Float(epsilon), axes: x.rank - first)(tensor, weight))
        }
        let power = try mean(square(x), axes: Array(first..<x.rank), keep: true)
        return try multiply(divide(x, squareRoot(shift(power, epsilon))), scale)
    }

    /// From operator set 21 on scale and bias have one number for each channel, before one for each group.
    fileprivate func groupNormalisation() throws -> GraphValue {
        let x = try input(0), scale = try input(1), bias = try input(2)
        guard let groups = try intIfPresent("num_groups") else {
            throw error(.badValue, "attribute num_groups is missing")
        }
        try require(x.rank >= 2, .shapeMismatch, "shape \(text(x.shape)) has no channels")
        let batch = x.shape[0], channels = x.shape[1]
        try require(
            groups > 0 && channels % groups == 0, .shapeMismatch,
            "\(channels) channels of shape \(text(x.shape)) in \(groups) groups")
        let inner = x.shape[2...].reduce(1, *)
        let grouped = x.reshaped([batch, groups, channels / groups * inner])
        let y = try standardised(grouped, axes: [2], epsilon: float("epsilon", 1e-5))
        if scale.shape == [groups], groups != channels || version < 21 {
            return try reshape(byChannel(y, scale: scale, bias: bias), x.shape)
        }
        return try byChannel(reshape(y, x.shape), scale: scale, bias: bias)
    }

    /// By the running statistics, or in training by those of the batch, which then move the running ones.
    fileprivate func batchNormalisation() throws -> [GraphValue] {
        let x = try input(0), scale = try input(1), bias = try input(2)
        try require(x.rank >= 2, .shapeMismatch, "shape \(text(x.shape)) has no channels")
        let channels = x.shape[1], epsilon = try float("epsilon", 1e-5), momentum = try float("momentum", 0.9)
        var statistics = [try input(3), try input(4)]
        for index in 1...4 {
            let shape = try input(index).shape
            try require(
                shape == [channels], .shapeMismatch,
                "input \(index) of shape \(text(shape)) for an input of shape \(text(x.shape))")
        }
        if statistics[0].type != x.type { statistics = try statistics.map { try cast($0, to: x.type) } }
        let shape = [channels] + [Int](repeating: 1, count: x.rank - 2)
        guard try isTraining(flag("training_mode")) else {
            let factor = try divide(scale, squareRoot(shift(statistics[1], epsilon)))
            let offset = try subtract(bias, multiply(statistics[0], factor))
            return [try add(multiply(x, reshape(factor, shape)), reshape(offset, shape))] + statistics
        }
        let axes = x.shape.indices.filter { $0 != 1 }
        let mean = try mean(x, axes: axes, keep: true), centred = try subtract(x, mean)
        let variance = try self.mean(square(centred), axes: axes, keep: true)
        let y = try divide(centred, squareRoot(shift(variance, epsilon)))
        func moved(_ running: GraphValue, _ current: GraphValue) throws -> GraphValue {
            try add(scaledBy(running, momentum), scaledBy(reshape(current, [channels]).detached, 1 - momentum))
        }
        let results = [try moved(statistics[0], mean), try moved(statistics[1], variance)]
        for (index, result) in results.enumerated() {
            if let tensor = result.tensor { run.statistics[node.inputNames[3 + index]] = tensor }
        }
        return [try byChannel(y, scale: scale, bias: bias)] + results
    }

    private func scaledBy(_ x: GraphValue, _ factor: Double) throws -> GraphValue { try scale(x, factor) }

    fileprivate func lpNormalisation() throws -> GraphValue {
        let x = try input(0), axis = try lastAxis(x), p = try int("p", 2)
        try require(p == 1 || p == 2, .badValue, "p is \(p); it must be 1 or 2")
        let norm =
            p == 1
            ? try sum(map(x, .magnitude), axes: [axis], keep: true)
            : try squareRoot(sum(square(x), axes: [axis], keep: true))
        // Where all are zero the result is, too.
        if norm.isAbsent { return x }
        let empty = try test(norm) { $0 == 0 }
        let divisor = try choose(empty, scalar(1, like: x), norm)
        return try divide(x, divisor)
    }

    /// `x / (bias + alpha / size · Σ x²)^beta`, the sum over `size` neighbouring channels.
    fileprivate func localResponse() throws -> GraphValue {
        let x = try input(0), size = try int("size", 0)
        try require(x.rank >= 2, .shapeMismatch, "shape \(text(x.shape)) has no channels")
        try require(size > 0 && size < 1 << 24, .badValue, "size \(size)")
        let channels = x.shape[1], squares = try square(x), inner = x.shape[2...].reduce(1, *), before = (size - 1) / 2
        let neighbours = min(size, 2 * channels + 1)
        // [batch, channels, neighbours, inner]
        let windows = try select(squares, [x.shape[0], channels, neighbours, inner]) {
            var map: [Int32] = []
            for row in 0..<x.shape[0] {
                for channel in 0..<channels {
                    for tap in 0..<neighbours {
                        // With more neighbours than channels only those that exist count.
                        let first = size > neighbours ? channel - channels : channel - before
                        let source = first + tap
                        let reach = source >= channel - before && source < channel - before + size
                        for i in 0..<inner {
                            map.append(
                                reach && source >= 0 && source < channels
                                    ? Int32((row * channels + source) * inner + i) : -1)
                        }
                    }
                }
            }
            return map
        }
        let sums = try reshape(sum(windows, axes: [2], keep: false), x.shape)
        let alpha = try float("alpha", Double(Float(0.0001))), beta = try float("beta", 0.75),
            bias = try float("bias", 1)
        return try divide(x, power(shift(scale(sums, alpha / Double(size)), bias), beta))
    }
}
