/// The mean of paired differences, by resampling with a seed.
package struct PairedResampling: Sendable, Equatable {
    package let mean: Double
    /// Two-sided, of the hypothesis that each difference is as likely with the other sign: `(1 + hits) / (1 + draws)`, where hits are
    /// draws of random signs whose mean is at least as far from 0 (Fisher 1935; Phipson & Smyth 2010 for the ones).
    package let pValue: Double
    /// Bootstrap interval of the mean, 2.5 % to 97.5 % (Efron 1979).
    package let low: Double, high: Double

    package static let draws = 10_000
    /// Rows beyond which draws are fewer: 2 · 10⁸ additions at most.
    private static let mostAdditions = 100_000_000

    /// - Parameter differences: second less first, one for each row.
    package init(_ differences: [Double], seed: UInt64) {
        let count = differences.count
        guard count > 0 else {
            (mean, pValue, low, high) = (0, 1, 0, 0)
            return
        }
        let draws = max(1_000, min(Self.draws, Self.mostAdditions / count))
        let mean = differences.reduce(0, +) / Double(count)
        self.mean = mean
        // Zeros have no sign.
        let signed = differences.filter { $0 != 0 }
        let limit = abs(differences.reduce(0, +)) * (1 - 1e-12)
        var random = SplitMix(seed: seed), hits = 0
        for _ in 0..<draws {
            var sum = 0.0, bits: UInt64 = 0
            for (position, difference) in signed.enumerated() {
                if position % 64 == 0 { bits = random.next() }
                sum += bits & 1 == 0 ? difference : -difference
                bits >>= 1
            }
            if abs(sum) >= limit { hits += 1 }
        }
        pValue = Double(1 + hits) / Double(1 + draws)
        var means: [Double] = []
        means.reserveCapacity(draws)
        for _ in 0..<draws {
            var sum = 0.0
            for _ in 0..<count { sum += differences[random.index(below: count)] }
            means.append(sum / Double(count))
        }
        means.sort()
        low = means[Int(0.025 * Double(draws - 1))]
        high = means[Int((0.975 * Double(draws - 1)).rounded(.up))]
    }
}
