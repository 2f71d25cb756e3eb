import CKernels

/// `y = (x − mean) / √(var + eps) · weight + bias`: mean and variance (divided by n) of each sample over its groups of channels and
/// all positions, weight and bias for each channel (Wu & He 2018). One group is layer norm over channels and positions; as many
/// groups as channels is instance norm. Inputs: x `[batch, channels, …]`, then weight and bias `[channels]` or neither.
package struct GroupNormalisation: DifferentiableOp {
    package static let name = "group_norm"
    package let groups: Int
    package let eps: Float

    package init(groups: Int, eps: Float = 1e-5) {
        self.groups = groups
        self.eps = eps
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let planes = planes(inputs), x = inputs[0].contiguous(), y = Tensor(uninitialised: x.shape)
        let weight = inputs.count > 1 ? inputs[1].contiguous() : nil,
            bias = inputs.count > 1 ? inputs[2].contiguous() : nil
        let width = planes.channels / groups, size = width * planes.plane
        let mean = Tensor(uninitialised: [planes.batch, groups]), rstd = Tensor(uninitialised: [planes.batch, groups])
        each(planes) { group in
            let values = x.pointer + group * size
            let centre = ck_sum_f32(size, values) / Float(size)
            let inverse = 1 / (ck_centred_dot_f32(size, values, centre, nil) / Float(size) + eps).squareRoot()
            mean.mutablePointer[group] = centre
            rstd.mutablePointer[group] = inverse
            for c in 0..<width {
                let channel = group % groups * width + c, start = group * size + c * planes.plane
                let scale = inverse * (weight?.pointer[channel] ?? 1)
                let shift = (bias?.pointer[channel] ?? 0) - centre * scale
                ck_affine_f32(planes.plane, scale, shift, x.pointer + start, y.mutablePointer + start)
            }
        }
        return (y, [mean, rstd])
    }

    /// With `x̂ = (x − mean) · rstd` and `g = dy · weight`: `dx = rstd · (g − mean(g) − x̂ · mean(g · x̂))` over each group,
    /// `dweight = Σ dy · x̂`, `dbias = Σ dy` over samples and positions.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let planes = planes(inputs), x = inputs[0].contiguous(), mean = saved[0], rstd = saved[1]
        let weight = inputs.count > 1 ? inputs[1].contiguous() : nil
        let width = planes.channels / groups, size = width * planes.plane
        let dx = Tensor(uninitialised: x.shape)
        // Σ dy and Σ dy · x̂ of each plane.
        let sums = Tensor(uninitialised: [planes.batch, planes.channels]),
            projections = Tensor(uninitialised: sums.shape)
        each(planes) { group in
            let centre = mean.pointer[group], inverse = rstd.pointer[group]
            var sum: Float = 0, projection: Float = 0
            for c in 0..<width {
                let plane = group * width + c, factor = weight?.pointer[plane % planes.channels] ?? 1
                let start = plane * planes.plane
                sums.mutablePointer[plane] = ck_sum_f32(planes.plane, gradient.pointer + start)
                projections.mutablePointer[plane] =
                    inverse * ck_centred_dot_f32(planes.plane, x.pointer + start, centre, gradient.pointer + start)
                sum += factor * sums.pointer[plane]
                projection += factor * projections.pointer[plane]
            }
            let b = -inverse * inverse * projection / Float(size), c = -inverse * sum / Float(size) - b * centre
            for channel in 0..<width {
                let plane = group * width + channel, start = plane * planes.plane
                ck_combine_f32(
                    planes.plane, inverse * (weight?.pointer[plane % planes.channels] ?? 1), gradient.pointer + start,
                    b,
                    x.pointer + start, c, dx.mutablePointer + start)
            }
        }
        if inputs.count == 1 { return [dx] }
        return [dx, sumOfRows(projections), sumOfRows(sums)]
    }

    private func planes(_ inputs: [Tensor]) -> ChannelPlanes {
        let planes = ChannelPlanes(Self.name, inputs[0].shape)
        precondition(
            groups > 0 && planes.channels % groups == 0 && (inputs.count == 1 || inputs.count == 3)
                && inputs.dropFirst().allSatisfy { $0.shape == [planes.channels] },
            "\(Self.name): x \(inputs[0].shape) in \(groups) groups, then \(inputs.dropFirst().map(\.shape))")
        return planes
    }

    /// Groups of all samples, shared out over the worker threads.
    private func each(_ planes: ChannelPlanes, _ body: (Int) -> Void) {
        let count = planes.batch * groups
        let parts = max(
            1, min(count, WorkerPool.shared.threads, planes.batch * planes.channels * planes.plane / 50_000))
        WorkerPool.shared.parallel(parts) { part in
            for group in count * part / parts..<count * (part + 1) / parts { body(group) }
        }
    }
}
