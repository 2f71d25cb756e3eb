import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let convolution: [String: GoldenBuilder] = [
        "conv1d": one { try convolve($0) },
        "conv2d": one { try convolve($0) },
        "conv_transpose1d": one { try convolveTransposed($0) },
        "conv_transpose2d": one { try convolveTransposed($0) },
        "max_pool2d": { inputs in
            let x = try inputs.tensor("x")
            let pool = try MaxPooling(
                kernel: inputs.pair("kernel"), window: window(inputs), ceil: inputs.attribute("ceil_mode") ?? false)
            return ["output": .tensor(pool(x)), "indices": .integers(pool.indices(x))]
        },
        "avg_pool2d": one {
            try AveragePooling(
                kernel: $0.pair("kernel"), window: window($0), ceil: $0.attribute("ceil_mode") ?? false,
                countsPadding: $0.attribute("count_include_pad") ?? true)($0.tensor("x"))
        },
        "adaptive_avg_pool2d": one { try AdaptiveAveragePooling(size: $0.pair("output_size"))($0.tensor("x")) },
        "upsample": one { inputs in
            let names: [String: Interpolation] = ["nearest": .nearest, "bilinear": .linear, "bicubic": .cubic]
            let name: String = try inputs.attribute("mode")
            guard let mode = names[name] else { throw GoldenInputs.Missing(what: "interpolation \(name)") }
            return try Upsample(
                size: inputs.pair("output_size"), mode: mode, alignCorners: inputs.attribute("align_corners") ?? false,
                antialias: inputs.attribute("antialias") ?? false)(inputs.tensor("x"))
        },
        "pad": one { inputs in
            let x = try inputs.tensor("x"), padding: [Int] = try inputs.attribute("padding")
            // [left, right, top, bottom, …]: the last axis first.
            var before = [Int](repeating: 0, count: x.rank), after = before
            for axis in 0..<padding.count / 2 {
                before[x.rank - 1 - axis] = padding[2 * axis]
                after[x.rank - 1 - axis] = padding[2 * axis + 1]
            }
            let modes: [String: PaddingMode] = [
                "constant": .constant(inputs.attribute("value") ?? 0), "reflect": .reflect, "replicate": .replicate,
                "circular": .wrap,
            ]
            let name: String = try inputs.attribute("mode")
            guard let mode = modes[name] else { throw GoldenInputs.Missing(what: "padding mode \(name)") }
            return Pad(before: before, after: after, mode: mode)(x)
        },
        "batch_norm": { inputs in
            let training: Bool = try inputs.attribute("training"), eps: Float = try inputs.attribute("eps")
            let x = try inputs.tensor("x"), affine = try [inputs.optional("weight"), inputs.optional("bias")]
            let mean = try inputs.tensor("running_mean"), variance = try inputs.tensor("running_var")
            let output = BatchNormalisation(training: training, eps: eps).apply(
                [x] + affine.compactMap { $0 } + [mean, variance])
            var running = (mean: mean, variance: variance)
            if training {
                running = BatchNormalisation.updated(
                    runningMean: mean, runningVariance: variance, with: x, momentum: try inputs.attribute("momentum"))
            }
            return [
                "output": .tensor(output), "new_running_mean": .tensor(running.mean),
                "new_running_var": .tensor(running.variance),
            ]
        },
        "group_norm": one { inputs in
            let norm = try GroupNormalisation(groups: inputs.attribute("num_groups"), eps: inputs.attribute("eps"))
            let affine = try [inputs.optional("weight"), inputs.optional("bias")]
            return norm.apply([try inputs.tensor("x")] + affine.compactMap { $0 })
        },
    ]

    private static func window(_ inputs: GoldenInputs, rank: Int = 2) throws -> Window {
        Window(
            stride: try inputs.list("stride", rank), dilation: try inputs.list("dilation", rank, default: 1),
            padding: try inputs.list("padding", rank, default: 0))
    }

    private static func operands(_ inputs: GoldenInputs) throws -> [Tensor] {
        try [inputs.tensor("x"), inputs.tensor("weight")] + [inputs.optional("bias")].compactMap { $0 }
    }

    private static func convolve(_ inputs: GoldenInputs) throws -> Tensor {
        let operands = try operands(inputs)
        return Convolution(
            try window(inputs, rank: operands[0].rank - 2), groups: try inputs.attribute("groups")
        ).apply(operands)
    }

    private static func convolveTransposed(_ inputs: GoldenInputs) throws -> Tensor {
        let operands = try operands(inputs), rank = operands[0].rank - 2
        return TransposedConvolution(
            try window(inputs, rank: rank), groups: inputs.attribute("groups") ?? 1,
            outputPadding: try inputs.list("output_padding", rank, default: 0)
        ).apply(operands)
    }
}

extension GoldenInputs {
    fileprivate func pair(_ name: String) throws -> [Int] { try list(name, 2) }

    /// One number for all axes, or one for each.
    fileprivate func list(_ name: String, _ rank: Int, default value: Int? = nil) throws -> [Int] {
        if let all: [Int] = attribute(name) { return all }
        if let one: Int = attribute(name) { return Array(repeating: one, count: rank) }
        guard let value else { throw Missing(what: "attribute \(name)") }
        return Array(repeating: value, count: rank)
    }
}
