import TensorCore

extension OperatorTable {
    static let control: [Operator] = [
        Operator("If", since: 13, "B!", ["B": .bool], outputs: 1...4096) { call in try call.branch() },
        Operator("Loop", since: 13, "M!? C!? V*?", ["M": .int64, "C": .bool, "V": .all], outputs: 1...4096) { call in
            try call.run.releasing { try call.loop() }
        },
        Operator("Scan", since: 11, "V*", ["V": .all], outputs: 1...4096) { call in
            try call.run.releasing { try call.scan() }
        },
    ]
}

extension Call {
    /// Runs a graph inside of this node.
    private func execute(_ plan: GraphPlan, _ inputs: [GraphValue]) throws -> [GraphValue] {
        let inner = Scope(plan, parent: scope)
        for constant in plan.constants {
            guard let value = constant.value?.value else {
                throw error(.unknownName, "the initialiser \"\(constant.name)\" of an inner graph has no value")
            }
            inner.values[constant.slot] = value
        }
        for (input, value) in zip(plan.inputs, inputs) { inner.values[input.slot] = value }
        try run.releasing { try run.execute(plan, inner) }
        return try plan.outputs.map { output in
            guard let value = inner[output.reference] else {
                throw error(.unknownName, "the inner output \"\(output.name)\" has no value")
            }
            return value
        }
    }

    fileprivate func branch() throws -> [GraphValue] {
        let condition = try input(0), yes = try graph("then_branch"), no = try graph("else_branch")
        for plan in [yes, no] {
            try require(
                plan.inputs.isEmpty && plan.outputs.count == node.outputs.count, .badValue,
                "a branch has \(plan.inputs.count) inputs and \(plan.outputs.count) outputs; it must have none and \(node.outputs.count)"
            )
        }
        if condition.isAbsent {
            // Both must work; a shape is known where they agree.
            return zip(try execute(yes, []), try execute(no, [])).map { a, b in
                a.type == b.type && a.shape == b.shape && !a.isShapeless && !b.isShapeless
                    ? .absent(a.type, a.shape) : .shapeless(a.type)
            }
        }
        return try execute(single(truths(of: condition, "the condition"), "the condition") ? yes : no, [])
    }

    fileprivate func loop() throws -> [GraphValue] {
        let body = try graph("body"), most = try integersIfPresent(0).map { try single($0, "the number of turns") }
        var carried = try inputs.dropFirst(2).indices.map { try input($0) }
        try require(
            body.inputs.count == carried.count + 2 && body.outputs.count >= carried.count + 1
                && node.outputs.count <= body.outputs.count - 1, .badValue,
            "a body with \(body.inputs.count) inputs and \(body.outputs.count) outputs for \(carried.count) carried values"
        )
        var goesOn = optional(1) ?? .truth(true)
        var collected = [[GraphValue]](repeating: [], count: body.outputs.count - 1 - carried.count)
        var turn = 0
        while most.map({ turn < $0 }) ?? true {
            if goesOn.isAbsent { throw error(.dependsOnData, "the number of turns is known only when the graph runs") }
            guard try single(truths(of: goesOn, "the condition"), "the condition") else { break }
            try run.countStep(node)
            let outputs = try execute(body, [.int64([turn], []), goesOn] + carried)
            goesOn = outputs[0]
            carried = Array(outputs[1..<1 + carried.count])
            for (index, value) in outputs[(1 + carried.count)...].enumerated() {
                try run.hold(value, for: node)
                collected[index].append(value)
            }
            turn += 1
        }
        return try carried
            + collected.enumerated().map { index, values in
                try stacked(values, emptyType: body.outputs[1 + carried.count + index].type)
            }
    }

    /// Values of one shape, one below the other.
    private func stacked(_ values: [GraphValue], emptyType: ElementType?) throws -> GraphValue {
        if values.isEmpty { return try filled(emptyType ?? .float32, [0], 0) }
        for value in values where value.isShapeless { return value }
        return try concatenate(values.map { unsqueezed($0, axis: 0) }, axis: 0)
    }

    fileprivate func scan() throws -> [GraphValue] {
        let body = try graph("body"), values = try all()
        guard let scanned = try intIfPresent("num_scan_inputs"), scanned > 0, scanned <= values.count else {
            throw error(.badValue, "num_scan_inputs does not fit \(values.count) inputs")
        }
        let states = values.count - scanned, produced = body.outputs.count - states
        try require(
            body.inputs.count == values.count && produced >= 0 && node.outputs.count <= body.outputs.count, .badValue,
            "a body with \(body.inputs.count) inputs and \(body.outputs.count) outputs for \(states) states and \(scanned) scanned inputs"
        )
        func list(_ name: String, _ count: Int) throws -> [Int] {
            let given = try ints(name) ?? [Int](repeating: 0, count: count)
            try require(given.count == count, .badValue, "\(name) has \(given.count) entries, not \(count)")
            return given
        }
        let inputDirections = try list("scan_input_directions", scanned),
            outputDirections = try list("scan_output_directions", produced)
        let inputAxes = try zip(list("scan_input_axes", scanned), values[states...]).map { try axis($0, rank: $1.rank) }
        let lengths = zip(values[states...], inputAxes).map { $0.shape[$1] }
        try require(Set(lengths).count == 1, .shapeMismatch, "scanned inputs of the lengths \(lengths)")
        var carried = Array(values[..<states])
        var collected = [[GraphValue]](repeating: [], count: produced)
        for turn in 0..<lengths[0] {
            try run.countStep(node)
            let parts = try (0..<scanned).map { index -> GraphValue in
                let value = values[states + index], axis = inputAxes[index]
                let at = inputDirections[index] == 1 ? lengths[0] - 1 - turn : turn
                var shape = value.shape
                shape.remove(at: axis)
                return try slice(value, axis: axis, at..<at + 1).reshaped(shape)
            }
            let outputs = try execute(body, carried + parts)
            carried = Array(outputs[..<states])
            for index in 0..<produced {
                try run.hold(outputs[states + index], for: node)
                collected[index].append(outputs[states + index])
            }
        }
        let outputAxes = try list("scan_output_axes", produced)
        return try carried
            + collected.indices.map { index in
                let ordered = outputDirections[index] == 1 ? Array(collected[index].reversed()) : collected[index]
                let result = try stacked(ordered, emptyType: body.outputs[states + index].type)
                if result.isShapeless { return result }
                let axis = try axis(outputAxes[index], rank: result.rank)
                let order = Array(1..<axis + 1) + [0] + Array(axis + 1..<result.rank)
                return try permute(result, order)
            }
    }
}
