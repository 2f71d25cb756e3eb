import Foundation

/// How the value between samples is estimated.
package enum Interpolation: Sendable, Equatable {
    case nearest(rounding: NearestRounding)
    case linear
    /// Keys' cubic with coefficient `a` (−0.75 in PyTorch and ONNX; −0.5 in Pillow and PyTorch's antialiased form).
    case cubic(coefficient: Float)

    /// PyTorch's `nearest`.
    package static let nearest = Interpolation.nearest(rounding: .floor)
    package static let cubic = Interpolation.cubic(coefficient: -0.75)
}

/// ONNX's `nearest_mode`.
package enum NearestRounding: String, Sendable {
    case halfDown = "round_prefer_floor"
    case halfUp = "round_prefer_ceil"
    case floor, ceil

    func callAsFunction(_ x: Float) -> Int {
        switch self {
        case .halfDown: Int((x - 0.5).rounded(.up))
        case .halfUp: Int((x + 0.5).rounded(.down))
        case .floor: Int(x.rounded(.down))
        case .ceil: Int(x.rounded(.up))
        }
    }
}

/// ONNX's `coordinate_transformation_mode`: where output index `i` lies in the input.
package enum CoordinateMode: String, Sendable {
    /// `(i + 0.5) / scale − 0.5`
    case halfPixel = "half_pixel"
    /// The same, but 0 where the output has one element.
    case pytorchHalfPixel = "pytorch_half_pixel"
    /// The same about the centre of the input, for scales that do not divide the extent.
    case halfPixelSymmetric = "half_pixel_symmetric"
    /// `i · (in − 1) / (out − 1)`
    case alignCorners = "align_corners"
    /// `i / scale`
    case asymmetric
}

/// One axis of a resampling as a sparse matrix `[out, in]`: output `i` is `Σ_t weights[i][t] · x[indices[i][t]]`.
struct ResamplingAxis {
    let indices: [[Int]]
    let weights: [[Float]]

    struct Settings {
        var interpolation: Interpolation
        var coordinates: CoordinateMode
        var antialias: Bool
        /// Taps outside the input weigh nothing and the others are scaled up; otherwise the border is repeated.
        var excludesOutside: Bool
    }

    init(input: Int, output: Int, scale: Float?, _ settings: Settings) {
        let step: Float
        switch settings.coordinates {
        case .alignCorners: step = output > 1 ? Float(input - 1) / Float(output - 1) : 0
        default: step = scale.map { 1 / $0 } ?? Float(input) / Float(output)
        }
        var indices: [[Int]] = [], weights: [[Float]] = []
        for i in 0..<output {
            let centre = Self.centre(i, step: step, input: input, output: output, scale: scale, settings.coordinates)
            let taps =
                settings.antialias
                ? Self.widened(
                    // PyTorch measures from the pixels' borders here, whatever the corners.
                    settings.coordinates == .asymmetric || settings.coordinates == .halfPixelSymmetric
                        ? centre + 0.5 : (Float(i) + 0.5) * step, step: step, input: input, settings.interpolation)
                : Self.taps(centre, input: input, settings)
            indices.append(taps.map(\.index))
            weights.append(taps.map(\.weight))
        }
        self.indices = indices
        self.weights = weights
    }

    private static func centre(
        _ i: Int, step: Float, input: Int, output: Int, scale: Float?, _ mode: CoordinateMode
    ) -> Float {
        let x = Float(i)
        switch mode {
        case .halfPixel: return (x + 0.5) * step - 0.5
        case .pytorchHalfPixel: return output > 1 ? (x + 0.5) * step - 0.5 : 0
        case .halfPixelSymmetric:
            let ideal = Float(input) * (scale ?? Float(output) / Float(input))
            let offset = Float(input) / 2 * (1 - Float(output) / ideal)
            return offset + (x + 0.5) * step - 0.5
        case .alignCorners, .asymmetric: return x * step
        }
    }

    private typealias Tap = (index: Int, weight: Float)

    private static func taps(_ centre: Float, input: Int, _ settings: Settings) -> [Tap] {
        func clamped(_ index: Int) -> Int { min(max(index, 0), input - 1) }
        let taps: [Tap]
        switch settings.interpolation {
        case .nearest(let rounding): return [(clamped(rounding(centre)), 1)]
        case .linear:
            let floor = centre.rounded(.down), share = centre - floor
            taps = [(Int(floor), 1 - share), (Int(floor) + 1, share)]
        case .cubic(let a):
            let floor = centre.rounded(.down), share = centre - floor
            taps = (-1...2).map { (Int(floor) + $0, cubic(Float($0) - share, a)) }
        }
        guard settings.excludesOutside else { return taps.map { (clamped($0.index), $0.weight) } }
        let inside = taps.filter { $0.index >= 0 && $0.index < input }
        let sum = inside.reduce(0) { $0 + $1.weight }
        return inside.map { ($0.index, $0.weight / sum) }
    }

    /// When shrinking, the kernel is stretched over all the elements that fall into one output (Pillow's resize).
    /// `middle` counts from the border of the first element.
    private static func widened(_ middle: Float, step: Float, input: Int, _ interpolation: Interpolation) -> [Tap] {
        let stretch = max(step, 1)
        let radius: Float
        let filter: (Float) -> Float
        switch interpolation {
        case .nearest: return [(min(max(Int(middle.rounded(.down)), 0), input - 1), 1)]
        case .linear: (radius, filter) = (1, { max(1 - abs($0), 0) })
        case .cubic(let a): (radius, filter) = (2, { cubic($0, a) })
        }
        let first = max(Int(middle - radius * stretch + 0.5), 0)
        let last = min(Int(middle + radius * stretch + 0.5), input)
        let taps = (first..<max(last, first + 1)).map {
            (index: $0, weight: filter((Float($0) - middle + 0.5) / stretch))
        }
        let sum = taps.reduce(0) { $0 + $1.weight }
        return taps.map { (min($0.index, input - 1), sum == 0 ? $0.weight : $0.weight / sum) }
    }

    /// Keys (1981), zero beyond 2.
    private static func cubic(_ distance: Float, _ a: Float) -> Float {
        let x = abs(distance)
        if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        if x < 2 { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
        return 0
    }

    /// Applies the matrix (or its transpose) to `[outer, extent, inner]`.
    func apply(_ x: Tensor, outer: Int, inner: Int, extent: Int, transposed: Bool) -> Tensor {
        let count = indices.count, result = transposed ? extent : count
        let y = Tensor(repeating: 0, [outer, result, inner])
        let source = x.pointer, target = y.mutablePointer
        let parts = max(1, min(outer, WorkerPool.shared.threads * 4, outer * count * inner / 20_000))
        WorkerPool.shared.parallel(parts) { part in
            for block in outer * part / parts..<outer * (part + 1) / parts {
                let from = source + block * (transposed ? count : extent) * inner, to = target + block * result * inner
                for i in 0..<count {
                    for (index, weight) in zip(indices[i], weights[i]) {
                        let read = from + (transposed ? i : index) * inner
                        let write = to + (transposed ? index : i) * inner
                        for j in 0..<inner { write[j] += weight * read[j] }
                    }
                }
            }
        }
        return y
    }
}
