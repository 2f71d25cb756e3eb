import TensorCore

extension OperatorTable {
    static let attention: [Operator] = [
        Operator(
            "Attention", since: 23, "T T V M!? T? V? N!?",
            ["T": .floats, "V": .floats, "M": .all, "N": .int64], outputs: 1...4, widens: true
        ) { call in try call.attention() },
        Operator("RotaryEmbedding", since: 23, "T T T P!?", ["T": .floats, "P": .int64], widens: true) { call in
            [try call.rotary()]
        },
    ]
}

extension Call {
    /// `softmax(scale · Q Kᵀ + mask) V` by heads. Q, K, V are `[batch, heads, length, size]`, or `[batch, length, heads · size]` with
    /// the number of heads as attributes.
    fileprivate func attention() throws -> [GraphValue] {
        let given = [try input(0), try input(1), try input(2)]
        let flat = given[0].rank == 3
        try require(
            given.allSatisfy { $0.rank == given[0].rank } && (flat || given[0].rank == 4), .shapeMismatch,
            "Q, K and V of shapes \(given.map { text($0.shape) }.joined(separator: ", ")); all must have three axes, or all four"
        )
        let query = try byHeads(given[0], flat ? int("q_num_heads", 0) : nil)
        var key = try byHeads(given[1], flat ? int("kv_num_heads", 0) : nil)
        var value = try byHeads(given[2], flat ? int("kv_num_heads", 0) : nil)
        let past = optional(4)?.shape[safe: 2] ?? 0
        if let pastKey = optional(4), let pastValue = optional(5) {
            try require(
                pastKey.rank == 4 && pastValue.rank == 4, .shapeMismatch, "past_key and past_value must have four axes")
            key = try concatenate([pastKey, key], axis: 2)
            value = try concatenate([pastValue, value], axis: 2)
        }
        let (batch, heads, length, size) = (query.shape[0], query.shape[1], query.shape[2], query.shape[3])
        let keyHeads = key.shape[1], keys = key.shape[2]
        try require(
            key.shape[0] == batch && value.shape[0] == batch && value.shape[1] == keyHeads && key.shape[3] == size
                && value.shape[2] == keys && keyHeads > 0 && heads % keyHeads == 0, .shapeMismatch,
            "queries \(text(query.shape)), keys \(text(key.shape)) and values \(text(value.shape)) do not fit each other"
        )
        let scale = try float("scale", size == 0 ? 1 : 1 / Double(size).squareRoot()), softcap = try float("softcap", 0)
        let bias = try attentionBias(batch, heads, length, keys, past: past, like: query)
        let mode = try int("qk_matmul_output_mode", 0), wantsScores = node.outputs.count > 3 && node.outputs[3] != nil
        try reserve([batch, heads, length, keys], query.type)

        let result: GraphValue, scores: GraphValue
        if !wantsScores, softcap == 0, let q = query.tensor, let k = key.tensor, let v = value.tensor, query.count > 0,
            key.count > 0,
            value.count > 0
        {
            let op = TensorCore.Attention(scale: Float(scale))
            scores = query
            result = GraphValue(bias?.tensor.map { op(q, k, v, $0) } ?? op(q, k, v))
        } else {
            (result, scores) = try scored(query, key, value, bias, scale, softcap, mode)
        }
        let output =
            flat ? try reshape(permute(result, [0, 2, 1, 3]), [batch, length, heads * value.shape[3]]) : result
        return [output, key, value, scores]
    }

    private func scored(
        _ query: GraphValue, _ key: GraphValue, _ value: GraphValue, _ bias: GraphValue?, _ scale: Double,
        _ softcap: Double, _ mode: Int
    ) throws -> (GraphValue, GraphValue) {
        let repeats = query.shape[1] / key.shape[1]
        func repeated(_ x: GraphValue) throws -> GraphValue {
            if repeats == 1 { return x }
            var shape = x.shape
            shape[1] *= repeats
            return try selectByAxis(x, shape) { $1 == 1 ? $0 / repeats : $0 }
        }
        let root = scale.squareRoot()
        var logits = try matmul(self.scale(query, root), permute(self.scale(repeated(key), root), [0, 1, 3, 2]))
        var shown = logits
        if softcap > 0 { logits = try self.scale(map(self.scale(logits, 1 / softcap), .tangentH), softcap) }
        if mode == 1 { shown = logits }
        if let bias { logits = try add(logits, bias) }
        if mode == 2 { shown = logits }
        var weights: GraphValue
        if logits.isAbsent || logits.count == 0 {
            weights = logits
        } else {
            // A query that may see no key has weights of zero.
            let best = try largest(logits.detached, axes: [3], keep: true)
            let finite = try map(best, .step { $0 == -.infinity ? 0 : $0 })
            let powers = try exponential(subtract(logits, finite)), sums = try sum(powers, axes: [3], keep: true)
            weights = try divide(powers, choose(test(sums) { $0 == 0 }, scalar(1, like: sums), sums))
        }
        if mode == 3 { shown = weights }
        return (try matmul(weights, repeated(value)), shown)
    }

    /// `[batch, length, heads · size]` → `[batch, heads, length, size]`
    private func byHeads(_ x: GraphValue, _ heads: Int?) throws -> GraphValue {
        guard let heads else { return x }
        try require(
            heads > 0 && x.shape[2] % heads == 0, .shapeMismatch,
            "\(heads) heads (q_num_heads, kv_num_heads) for a value of shape \(text(x.shape))")
        return try permute(x.reshaped([x.shape[0], x.shape[1], heads, x.shape[2] / heads]), [0, 2, 1, 3])
    }

    /// What is added to the scores: the mask, and −∞ where a query may not see a key. `[…, length, keys]`, or nil.
    private func attentionBias(
        _ batch: Int, _ heads: Int, _ length: Int, _ keys: Int, past: Int, like x: GraphValue
    ) throws -> GraphValue? {
        var bias: GraphValue?
        if var mask = optional(3) {
            if let width = mask.shape.last, width < keys {
                let own = width, shape = Array(mask.shape.dropLast()) + [keys], last = mask.rank - 1
                mask = try selectByAxis(mask, shape, fill: mask.type == .bool ? 0 : -.infinity) {
                    $1 == last && $0 >= own ? -1 : $0
                }
            }
            guard broadcastShape(mask.shape, [batch, heads, length, keys]) == [batch, heads, length, keys] else {
                throw error(
                    .shapeMismatch,
                    "attn_mask of shape \(text(mask.shape)) does not fit scores of shape \(text([batch, heads, length, keys]))"
                )
            }
            if mask.type == .bool {
                mask = try choose(mask, scalar(0, like: x), scalar(-.infinity, like: x))
            } else {
                mask = try cast(mask, to: x.type)
            }
            bias = mask
        }
        let valid = try optional(6).flatMap { $0.isAbsent ? nil : try integers(6) }
        if let valid {
            try require(
                valid.count == batch, .shapeMismatch,
                "nonpad_kv_seqlen has \(valid.count) entries for a batch of \(batch)")
        }
        let causal = try flag("is_causal")
        guard causal || valid != nil else { return bias }
        let rows = valid == nil ? 1 : batch
        try reserve([rows, 1, length, keys], .bool)
        var seen: [Bool] = []
        seen.reserveCapacity(rows * length * keys)
        for row in 0..<rows {
            // The query block lies at the end of the keys that count.
            let offset = valid.map { $0[row] &- length } ?? past
            for i in 0..<length {
                for j in 0..<keys { seen.append((!causal || j <= i &+ offset) && (valid.map { j < $0[row] } ?? true)) }
            }
        }
        let allowed = GraphValue(.bool, [rows, 1, length, keys], .truth(seen))
        return try choose(allowed, bias ?? scalar(0, like: x), scalar(-.infinity, like: x))
    }

    /// Pairs of numbers turned by the angle of their position (Su et al. 2021).
    fileprivate func rotary() throws -> GraphValue {
        let x = try input(0), heads = try int("num_heads", 0)
        let flat = x.rank == 3
        try require(flat || x.rank == 4, .shapeMismatch, "shape \(text(x.shape)) has neither three nor four axes")
        if flat {
            try require(
                heads > 0 && x.shape[2] % heads == 0, .shapeMismatch,
                "\(heads) heads for a value of shape \(text(x.shape))")
        }
        // [batch, length, heads, size]
        let laid =
            flat
            ? x.reshaped([x.shape[0], x.shape[1], heads, x.shape[2] / heads]) : try permute(x, [0, 2, 1, 3])
        let size = laid.shape[3], given = try int("rotary_embedding_dim", 0), turned = given == 0 ? size : given
        try require(
            turned > 0 && turned <= size && turned % 2 == 0, .badValue, "rotary_embedding_dim \(turned) of \(size)")
        func angles(_ index: Int) throws -> GraphValue {
            var cache = try input(index)
            if let positions = optional(3) {
                try require(
                    cache.rank == 2, .shapeMismatch,
                    "the cache has shape \(text(cache.shape)), not [positions, \(turned / 2)]")
                let rows = cache.shape[0], width = cache.shape[1], shape = positions.shape + [width]
                try reserve(shape, cache.type)
                if positions.isAbsent { return .absent(cache.type, Array(shape.prefix(2)) + [1] + shape.dropFirst(2)) }
                let places = try integers(3).map { try position($0, within: rows, axis: 0, of: [rows, width]) }
                cache = try select(cache, shape) {
                    places.flatMap { place in (0..<width).map { Int32(place * width + $0) } }
                }
            }
            try require(
                cache.rank == 3 && cache.shape[2] == turned / 2
                    && broadcastShape(Array(cache.shape.prefix(2)), Array(laid.shape.prefix(2)))
                        == Array(laid.shape.prefix(2)),
                .shapeMismatch, "the cache has shape \(text(cache.shape)) for an input of shape \(text(x.shape))")
            return unsqueezed(cache, axis: 2)
        }
        let cosine = try angles(1), sine = try angles(2)
        let interleaved = try flag("interleaved"), half = turned / 2
        let pair = Array(laid.shape.prefix(3)) + [half]
        let first = try selectByAxis(laid, pair) { $1 == 3 && interleaved ? 2 * $0 : $0 }
        let second = try selectByAxis(laid, pair) { $1 == 3 ? interleaved ? 2 * $0 + 1 : $0 + half : $0 }
        let real = try subtract(multiply(cosine, first), multiply(sine, second))
        let imaginary = try add(multiply(sine, first), multiply(cosine, second))
        var rotated =
            interleaved
            ? try reshape(
                concatenate([unsqueezed(real, axis: 4), unsqueezed(imaginary, axis: 4)], axis: 4),
                Array(pair.prefix(3)) + [turned])
            : try concatenate([real, imaginary], axis: 3)
        if turned < size { rotated = try concatenate([rotated, slice(laid, axis: 3, turned..<size)], axis: 3) }
        return flat ? rotated.reshaped(x.shape) : try permute(rotated, [0, 2, 1, 3])
    }
}

extension Array {
    subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
