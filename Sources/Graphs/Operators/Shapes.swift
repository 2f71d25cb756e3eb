import TensorCore

extension OperatorTable {
    static let shapes: [Operator] = [
        Operator("Identity", since: 13, "T", ["T": .all]) { call in [try call.input(0)] },
        Operator("Reshape", since: 13, "T S!", ["T": .all, "S": .int64]) { call in [try call.reshaped()] },
        Operator("Flatten", since: 13, "T", ["T": .all]) { call in
            let x = try call.input(0)
            let given = try call.int("axis", 1), axis = given < 0 ? given &+ x.rank : given
            try call.require((0...x.rank).contains(axis), .badValue, "axis \(given) of a value with \(x.rank) axes")
            return [x.reshaped([x.shape[..<axis].reduce(1, *), x.shape[axis...].reduce(1, *)])]
        },
        Operator("Squeeze", since: 13, "T A!?", ["T": .all, "A": .int64]) { call in
            let x = try call.input(0)
            guard let given = try call.integersIfPresent(1) else { return [x.reshaped(x.shape.filter { $0 != 1 })] }
            let axes = try call.axes(given, rank: x.rank)
            for axis in axes {
                try call.require(
                    x.shape[axis] == 1, .shapeMismatch,
                    "axis \(axis) of shape \(text(x.shape)) has \(x.shape[axis]) entries, not one")
            }
            return [x.reshaped(x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] })]
        },
        Operator("Unsqueeze", since: 13, "T A!", ["T": .all, "A": .int64]) { call in
            let x = try call.input(0), given = try call.integers(1), rank = x.rank + given.count
            try call.require(
                rank <= call.run.limits.rank, .tooLarge,
                "a value with \(rank) axes; at most \(call.run.limits.rank) are allowed")
            let axes = Set(try call.axes(given, rank: rank))
            var rest = x.shape[...]
            return [x.reshaped((0..<rank).map { axes.contains($0) ? 1 : rest.removeFirst() })]
        },
        Operator("Transpose", since: 13, "T", ["T": .all]) { call in
            let x = try call.input(0), order = try call.ints("perm") ?? Array(x.shape.indices.reversed())
            try call.require(
                order.sorted() == Array(x.shape.indices), .badValue,
                "perm \(order) does not order the axes of shape \(text(x.shape))")
            try call.reserve(x.shape, x.type)
            return [try call.permute(x, order)]
        },
        Operator("Expand", since: 13, "T S!", ["T": .all, "S": .int64]) { call in
            let x = try call.input(0), target = try call.extents(call.integers(1))
            return [try call.expand(x, call.broadcast([x.shape, target]))]
        },
        Operator("Shape", since: 13, "T", ["T": .all], gradient: .no) { call in
            let shape = try call.input(0).shape
            func bounded(_ name: String, _ standard: Int) throws -> Int {
                let given = try call.int(name, standard)
                return min(max(given < 0 ? given &+ shape.count : given, 0), shape.count)
            }
            let start = try bounded("start", 0), end = try bounded("end", shape.count)
            let part = start < end ? Array(shape[start..<end]) : []
            return [.int64(part, [part.count])]
        },
        Operator("Size", since: 13, "T", ["T": .all], gradient: .no) { call in [.int64([try call.input(0).count], [])]
        },
    ]
}

extension Call {
    /// Extents a graph computed, none negative.
    func extents(_ values: [Int]) throws -> [Int] {
        if let negative = values.first(where: { $0 < 0 }) {
            throw error(.badValue, "the extent \(negative) in \(text(values))")
        }
        try require(
            values.count <= run.limits.rank, .tooLarge,
            "a value with \(values.count) axes; at most \(run.limits.rank) are allowed")
        return values
    }

    /// 0 keeps an extent (unless `allowzero`), one −1 takes what is left.
    fileprivate func reshaped() throws -> GraphValue {
        let x = try input(0), wanted = try integers(1), allowZero = try flag("allowzero")
        try require(
            wanted.count <= run.limits.rank, .tooLarge,
            "a value with \(wanted.count) axes; at most \(run.limits.rank) are allowed")
        var shape: [Int] = []
        for (axis, extent) in wanted.enumerated() {
            if extent == 0, !allowZero {
                try require(
                    axis < x.rank, .shapeMismatch,
                    "extent 0 at axis \(axis) keeps an axis that shape \(text(x.shape)) does not have")
                shape.append(x.shape[axis])
            } else {
                try require(extent >= -1, .badValue, "the extent \(extent) in \(text(wanted))")
                shape.append(extent)
            }
        }
        func mismatch() -> GraphError {
            error(.shapeMismatch, "a value of shape \(text(x.shape)) cannot be laid out as \(text(wanted))")
        }
        let open = shape.indices.filter { shape[$0] == -1 }
        try require(open.count <= 1, .badValue, "more than one extent of \(text(wanted)) is left open")
        if let axis = open.first {
            shape[axis] = 1
            let rest = try checkedCount(shape)
            guard rest > 0, x.count % rest == 0 else { throw mismatch() }
            shape[axis] = x.count / rest
        }
        guard try checkedCount(shape) == x.count else { throw mismatch() }
        return x.reshaped(shape)
    }
}
