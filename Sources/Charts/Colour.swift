import Foundation

struct Colour {
    var red: Double, green: Double, blue: Double, opacity: Double

    init(_ red: Double, _ green: Double, _ blue: Double, _ opacity: Double = 1) {
        (self.red, self.green, self.blue, self.opacity) = (red, green, blue, opacity)
    }

    /// `0xRRGGBB`
    init(_ code: UInt32) {
        self.init(Double(code >> 16 & 255) / 255, Double(code >> 8 & 255) / 255, Double(code & 255) / 255)
    }

    static let white = Colour(1, 1, 1), ink = Colour(0x222222), soft = Colour(0x6b7280), rule = Colour(0xe5e7eb), blue = Colour(0x0072b2)
    static let vermilion = Colour(0xd55e00)

    func opacity(_ value: Double) -> Colour { Colour(red, green, blue, value) }

    /// Between two colours; `share` 0 to 1 of the second.
    static func mix(_ a: Colour, _ b: Colour, _ share: Double) -> Colour {
        let s = min(max(share, 0), 1)
        return Colour(a.red + (b.red - a.red) * s, a.green + (b.green - a.green) * s, a.blue + (b.blue - a.blue) * s)
    }

    /// Colours for `count` kinds: for up to eight those of Okabe and Ito (2008), which colour-blind people tell apart; for more, hues by the
    /// golden ratio, in three lightnesses.
    static func kinds(_ count: Int) -> [Colour] {
        let few: [UInt32] = [0x0072b2, 0xe69f00, 0x009e73, 0xcc79a7, 0xd55e00, 0x56b4e9, 0x7a7a00, 0x444444]
        if count <= few.count { return few.prefix(count).map { Colour($0) } }
        return (0..<count).map { index in
            let hue = (Double(index) * 0.618_033_988_75).truncatingRemainder(dividingBy: 1)
            return hsl(hue, 0.62, [0.42, 0.55, 0.32][index % 3])
        }
    }

    private static func hsl(_ hue: Double, _ saturation: Double, _ lightness: Double) -> Colour {
        func channel(_ offset: Double) -> Double {
            let k = (offset + hue * 12).truncatingRemainder(dividingBy: 12)
            return lightness - saturation * min(lightness, 1 - lightness) * max(-1, min(k - 3, 9 - k, 1))
        }
        return Colour(channel(0), channel(8), channel(4))
    }
}

/// An axis with ticks at round numbers.
struct Axis {
    let low: Double, high: Double
    let ticks: [Double]

    /// A little more than the values' range, or exactly `fixed`.
    init(_ values: some Sequence<Double>, fixed: ClosedRange<Double>? = nil, ticks wanted: Int = 5) {
        let finite = values.filter(\.isFinite)
        var (low, high) = fixed.map { ($0.lowerBound, $0.upperBound) } ?? (finite.min() ?? 0, finite.max() ?? 1)
        if high <= low { (low, high) = (low - max(abs(low) * 0.05, 0.5), high + max(abs(high) * 0.05, 0.5)) }
        if fixed == nil {
            let margin = (high - low) * 0.05
            (low, high) = (low - margin, high + margin)
        }
        let rough = (high - low) / Double(max(wanted, 1)), power = pow(10, floor(log10(rough)))
        let step = [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough
        (self.low, self.high) = (low, high)
        ticks = stride(from: (low / step - 1e-9).rounded(.up) * step, through: high + step * 1e-9, by: step).map { abs($0) < step * 1e-9 ? 0 : $0 }
    }

    func share(_ value: Double) -> Double { (value - low) / (high - low) }

    /// As few digits as tell the ticks apart.
    func text(_ value: Double) -> String {
        let step = ticks.count > 1 ? ticks[1] - ticks[0] : max(abs(value), 1)
        if abs(value) >= 1e6 || (step < 1e-4 && value != 0) { return String(format: "%.1e", value) }
        let rest = (step * pow(10, max(0, -floor(log10(step))))).truncatingRemainder(dividingBy: 1)
        let digits = max(0, Int(-floor(log10(step)))) + (rest > 0.01 && rest < 0.99 ? 1 : 0)
        return String(format: "%.\(min(digits, 6))f", value)
    }
}
