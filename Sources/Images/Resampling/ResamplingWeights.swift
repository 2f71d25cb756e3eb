import CImages

/// For each output position along one axis, where its window begins and the weights of the `taps` input positions in it, fixed
/// point with `ci_weight_bits` fractional bits.
struct ResamplingWeights {
    let taps: Int
    private(set) var first: [Int32] = []
    private(set) var weights: [Int32] = []

    /// - Parameter window: the output positions that are wanted, of `output` in all.
    init(_ filter: ResamplingFilter, input: Int, output: Int, window: Range<Int>) {
        let scale = Double(input) / Double(output), stretch = max(scale, 1)
        // A factor, as Pillow has it: the last bit of a weight can decide a rounding.
        let shrink = 1 / stretch
        let support = filter.support * stretch
        taps = min(Int(support.rounded(.up)) * 2 + 1, input)
        first.reserveCapacity(window.count)
        weights.reserveCapacity(window.count * taps)
        var kernel = [Double](repeating: 0, count: taps)
        for position in window {
            let centre = (Double(position) + 0.5) * scale
            let lower = max(0, Int(centre - support + 0.5)), upper = min(input, Int(centre + support + 0.5))
            var sum = 0.0
            for x in lower..<upper {
                kernel[x - lower] = filter((Double(x) - centre + 0.5) * shrink)
                sum += kernel[x - lower]
            }
            // A window at the end is moved back so that all taps lie within the input; the weights before it are zero.
            let start = min(lower, input - taps), shift = lower - start
            first.append(Int32(start))
            for tap in 0..<taps {
                let index = tap - shift
                guard index >= 0, index < upper - lower else {
                    weights.append(0)
                    continue
                }
                let weight = (sum == 0 ? kernel[index] : kernel[index] / sum) * Double(1 << ci_weight_bits)
                weights.append(Int32(weight < 0 ? weight - 0.5 : weight + 0.5))
            }
        }
    }

    /// The input positions that any output position looks at.
    var reach: Range<Int> { Int(first.min() ?? 0)..<Int(first.max() ?? 0) + taps }

    /// Relative to an input that begins at `origin`.
    mutating func move(origin: Int) {
        for index in first.indices { first[index] -= Int32(origin) }
    }
}
