import Glibc

extension OperatorTable {
    static let resizing: [Operator] = [
        Operator("Resize", since: 13, "T R!? S!? L!?", ["T": .all, "R": .floats, "S": .float32, "L": .int64]) { call in
            [try call.resized()]
        }
    ]
}

/// How one axis is resized: where each output position lies in the input, and the elements that count there.
private struct AxisResizing {
    let input: Int
    let output: Int
    let scale: Double
    /// Region of the input, in shares of it.
    let region: (start: Double, end: Double)
    let coordinates: String

    /// The element at a position, or the nearest one there is.
    func place(_ position: Double) -> Int {
        position.isNaN ? 0 : Int(min(max(position, 0), Double(input - 1)))
    }

    /// Position in the input of the centre of output `x`; nil outside of the region's input, where a constant stands.
    func source(_ x: Int) -> Double? {
        let x = Double(x), extent = Double(input), length = extent * scale
        switch coordinates {
        case "align_corners": return length == 1 ? 0 : x * (extent - 1) / (length - 1)
        case "asymmetric": return x / scale
        case "pytorch_half_pixel": return length == 1 ? -0.5 : (x + 0.5) / scale - 0.5
        case "half_pixel_symmetric":
            let centre = extent / 2, adjustment = Double(output) / length
            return centre * (1 - adjustment) + (x + 0.5) / scale - 0.5
        case "tf_crop_and_resize":
            let span = region.end - region.start
            let position =
                length == 1
                ? region.start * (extent - 1) + span * (extent - 1) / 2
                : region.start * (extent - 1) + x * span * (extent - 1) / (length - 1)
            return position < 0 || position > extent - 1 ? nil : position
        default: return (x + 0.5) / scale - 0.5
        }
    }
}

extension Call {
    fileprivate func resized() throws -> GraphValue {
        let x = try input(0), mode = try string("mode", "nearest")
        let coordinates = try string("coordinate_transformation_mode", "half_pixel")
        try require(
            [
                "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
                "tf_crop_and_resize",
            ]
            .contains(coordinates), .badValue, "coordinate_transformation_mode \"\(coordinates)\"")
        let axes = try axes(ints("axes") ?? Array(x.shape.indices), rank: x.rank)
        let plans = try axisPlans(x, axes, coordinates)
        let shape = x.shape.indices.map { plans[$0]?.output ?? x.shape[$0] }
        try reserve(shape, x.type)
        if x.isAbsent { return .absent(x.type, shape) }
        for axis in axes {
            try require(
                x.shape[axis] > 0 || shape[axis] == 0, .shapeMismatch, "axis \(axis) of shape \(text(x.shape)) is empty"
            )
        }
        let extrapolation = try float("extrapolation_value", 0)
        if mode == "nearest" { return try nearest(x, shape, plans, extrapolation) }
        try require(mode == "linear" || mode == "cubic", .badValue, "mode \"\(mode)\" is not nearest, linear or cubic")
        var value = x.type.isFloat && x.type != .float16 && x.type != .bfloat16 ? x : try cast(x, to: .float64)
        for (axis, plan) in plans.sorted(by: { $0.key < $1.key })
        where !(plan.scale == 1 && coordinates != "tf_crop_and_resize") {
            value = try interpolate(value, axis, plan, cubic: mode == "cubic")
        }
        if coordinates == "tf_crop_and_resize" {
            let outside = shape.indices.map { axis in
                (0..<shape[axis]).map { position in plans[axis].map { $0.source(position) == nil } ?? false }
            }
            value = try choose(mask(shape, outside), scalar(extrapolation, like: value), value)
        }
        return try cast(value, to: x.type)
    }

    /// True where any axis' position is marked.
    private func mask(_ shape: [Int], _ marked: [[Bool]]) throws -> GraphValue {
        let count = try reserve(shape, .bool)
        var result: [Bool] = [false]
        result.reserveCapacity(count)
        for axis in shape.indices { result = result.flatMap { before in marked[axis].map { before || $0 } } }
        return GraphValue(.bool, shape, .truth(result))
    }

    private func axisPlans(_ x: GraphValue, _ axes: [Int], _ coordinates: String) throws -> [Int: AxisResizing] {
        let scales = try optional(2).flatMap { $0.count == 0 ? nil : try reals(of: $0, "scales") }
        let sizes = try optional(3).flatMap { $0.count == 0 ? nil : try extents(integers(of: $0, "sizes")) }
        try require((scales == nil) != (sizes == nil), .badValue, "either scales or sizes must be given, not both")
        let count = scales?.count ?? sizes?.count ?? 0
        try require(
            count == axes.count, .shapeMismatch,
            "\(count) scales or sizes for \(axes.count) axes of shape \(text(x.shape))")
        let region = coordinates == "tf_crop_and_resize" ? try optional(1).map { try reals(of: $0, "roi") } : nil
        if let region {
            try require(
                region.count == 2 * axes.count, .shapeMismatch, "\(region.count) numbers in roi for \(axes.count) axes")
        }
        var factors = scales ?? [], outputs = sizes ?? []
        if let sizes {
            factors = zip(axes, sizes).map { x.shape[$0] == 0 ? 1 : Double($1) / Double(x.shape[$0]) }
            let policy = try string("keep_aspect_ratio_policy", "stretch")
            if policy != "stretch", let first = factors.first {
                try require(
                    policy == "not_larger" || policy == "not_smaller", .badValue,
                    "keep_aspect_ratio_policy \"\(policy)\"")
                let factor = factors.reduce(first) { policy == "not_larger" ? min($0, $1) : max($0, $1) }
                factors = factors.map { _ in factor }
                outputs = axes.map {
                    Int(Self.signed((factor * Double(x.shape[$0])).rounded(.toNearestOrAwayFromZero)))
                }
            }
        } else {
            for (axis, factor) in zip(axes, factors) {
                try require(factor > 0 && factor < 1e9, .badValue, "scale \(factor)")
                outputs.append(Int(Self.signed((Double(x.shape[axis]) * factor).rounded(.down))))
            }
        }
        var plans: [Int: AxisResizing] = [:]
        for (index, axis) in axes.enumerated() {
            plans[axis] = AxisResizing(
                input: x.shape[axis], output: outputs[index], scale: factors[index],
                region: region.map { ($0[index], $0[index + axes.count]) } ?? (0, 1), coordinates: coordinates)
        }
        return plans
    }

    private func nearest(_ x: GraphValue, _ shape: [Int], _ plans: [Int: AxisResizing], _ extrapolation: Double) throws
        -> GraphValue
    {
        let rounding = try string("nearest_mode", "round_prefer_floor")
        func rounded(_ position: Double) throws -> Double {
            switch rounding {
            case "round_prefer_floor": (position - 0.5).rounded(.up)
            case "round_prefer_ceil": (position + 0.5).rounded(.down)
            case "floor": position.rounded(.down)
            case "ceil": position.rounded(.up)
            default: throw error(.badValue, "nearest_mode \"\(rounding)\"")
            }
        }
        var sources: [[Int]] = []
        for axis in shape.indices {
            guard let plan = plans[axis] else {
                sources.append(Array(0..<shape[axis]))
                continue
            }
            sources.append(
                try (0..<shape[axis]).map { o in
                    guard let position = plan.source(o) else { return -1 }
                    return plan.place(try rounded(position))
                })
        }
        return try selectByAxis(x, shape, fill: extrapolation) { sources[$1][$0] }
    }

    /// One axis by weighted sums of its neighbours.
    private func interpolate(_ x: GraphValue, _ axis: Int, _ plan: AxisResizing, cubic: Bool) throws -> GraphValue {
        let antialias = try flag("antialias"), excluding = try flag("exclude_outside")
        let a = try float("cubic_coeff_a", -0.75)
        func kernel(_ distance: Double) -> Double {
            let d = abs(distance)
            if !cubic { return max(0, 1 - d) }
            if d <= 1 { return ((a + 2) * d - (a + 3)) * d * d + 1 }
            return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
        }
        let stretch = antialias ? min(plan.scale, 1) : 1, support = cubic ? 2.0 : 1.0
        try require(stretch > 1e-6, .badValue, "scale \(plan.scale) is too small to smooth over")
        // Taps reach from `first` to `1 − first` around the floor of a position.
        let first = Int((-support / stretch).rounded(.down)) + 1
        let taps = 2 - 2 * first
        try reserve([taps, plan.output], .float64)
        var weights: [Double] = [], sources: [Int] = []
        for o in 0..<plan.output {
            let position = plan.source(o) ?? 0, floor = position.rounded(.down)
            var row = (0..<taps).map { kernel((Double(first + $0) - (position - floor)) * stretch) }
            if excluding {
                for tap in row.indices {
                    let source = floor + Double(first + tap)
                    if source < 0 || source > Double(plan.input - 1) { row[tap] = 0 }
                }
            }
            if excluding || antialias {
                let sum = row.reduce(0, +)
                if sum != 0 { row = row.map { $0 / sum } }
            }
            weights += row
            sources += (0..<taps).map { plan.place(floor + Double(first + $0)) }
        }
        var shape = x.shape
        shape[axis] = plan.output
        let tail = [Int](repeating: 1, count: x.rank - axis - 1)
        var total: GraphValue?
        for tap in 0..<taps {
            let part = try selectByAxis(x, shape) { $1 == axis ? sources[$0 * taps + tap] : $0 }
            let factors = GraphValue(
                .float64, [plan.output] + tail, .real((0..<plan.output).map { weights[$0 * taps + tap] }))
            let term = try multiply(part, cast(factors, to: x.type))
            total = try total.map { try add($0, term) } ?? term
        }
        return total ?? x
    }
}
