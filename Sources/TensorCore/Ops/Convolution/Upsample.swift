/// Resampling of the last axes of a tensor to another size, larger or smaller, one axis after the other.
/// x `[…, spatial…]` → `[…, size…]`; every interpolation is separable, so each axis is a product with a sparse matrix.
package struct Upsample: DifferentiableOp {
    package static let name = "upsample"
    /// New extents of the last `size.count` axes.
    package let size: [Int]
    package let mode: Interpolation
    package let coordinates: CoordinateMode
    package let antialias: Bool
    package let excludesOutside: Bool
    /// Scales given by the user; nil for `out / in` of each axis. They can differ where the extent was rounded.
    package let scales: [Float]?

    /// PyTorch's `interpolate`. Its nearest is `⌊i · in / out⌋`; `antialias` has its own cubic coefficient, −0.5.
    package init(size: [Int], mode: Interpolation, alignCorners: Bool = false, antialias: Bool = false) {
        var interpolation = mode, coordinates: CoordinateMode = alignCorners ? .alignCorners : .halfPixel
        if case .nearest = mode { coordinates = .asymmetric }
        if antialias, case .cubic = mode { interpolation = .cubic(coefficient: -0.5) }
        self.init(size: size, mode: interpolation, coordinates: coordinates, antialias: antialias)
    }

    /// ONNX's Resize.
    package init(
        size: [Int], mode: Interpolation, coordinates: CoordinateMode, scales: [Float]? = nil, antialias: Bool = false,
        excludesOutside: Bool = false
    ) {
        precondition(
            !size.isEmpty && size.allSatisfy { $0 >= 0 } && scales?.count ?? size.count == size.count,
            "upsample: size \(size), scales \(scales ?? [])")
        self.size = size
        self.mode = mode
        self.coordinates = coordinates
        self.antialias = antialias
        self.excludesOutside = excludesOutside
        self.scales = scales
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous()
        var current = x
        for (axis, matrix) in matrices(x.shape) {
            var dimensions = current.shape.dimensions
            let (outer, inner) = (dimensions[..<axis].reduce(1, *), dimensions[(axis + 1)...].reduce(1, *))
            let result = matrix.apply(current, outer: outer, inner: inner, extent: dimensions[axis], transposed: false)
            dimensions[axis] = size[axis - (x.rank - size.count)]
            current = result.reshapedView(Shape(dimensions))
        }
        return (current, [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let x = inputs[0].shape
        var current = gradient.contiguous()
        for (axis, matrix) in matrices(x).reversed() {
            var dimensions = current.shape.dimensions
            let (outer, inner) = (dimensions[..<axis].reduce(1, *), dimensions[(axis + 1)...].reduce(1, *))
            let result = matrix.apply(current, outer: outer, inner: inner, extent: x[axis], transposed: true)
            dimensions[axis] = x[axis]
            current = result.reshapedView(Shape(dimensions))
        }
        return [current]
    }

    private func matrices(_ x: Shape) -> [(axis: Int, matrix: ResamplingAxis)] {
        let lead = x.rank - size.count
        precondition(
            lead >= 0 && size.indices.allSatisfy { x[lead + $0] > 0 || size[$0] == 0 },
            "\(Self.name): x \(x) to \(size)")
        let settings = ResamplingAxis.Settings(
            interpolation: mode, coordinates: coordinates, antialias: antialias, excludesOutside: excludesOutside)
        return size.indices.compactMap { i in
            let axis = lead + i, scale = scales?[i]
            if x[axis] == size[i], scale ?? 1 == 1 { return nil }
            return (axis, ResamplingAxis(input: x[axis], output: size[i], scale: scale, settings))
        }
    }
}
