import Foundation
import Testing

@testable import Statistics

@Suite("Paired tests")
struct PairedTests {
    /// SciPy 1.16: `binomtest(b, b + c, 0.5).pvalue`.
    @Test(
        "McNemar's exact test is the binomial's",
        arguments: [
            (5, 15, 0.041389465332031236), (0, 0, 1.0), (1, 9, 0.021484375), (40, 60, 0.05688793364098089), (3, 3, 1.0),
            (1200, 1290, 0.07447227260285276), (2000, 1700, 8.738822275817724e-07),
        ])
    func mcNemar(_ first: Int, _ second: Int, _ expected: Double) {
        let result = McNemar(onlyFirst: first, onlySecond: second).pValue
        #expect(abs(result - expected) <= 1e-9 * max(expected, 1e-3), "\(result), expected \(expected)")
    }

    @Test("rows are counted by who has them right")
    func counts() {
        let result = McNemar(first: [true, true, false, false, true], second: [true, false, true, false, false])
        #expect(result.onlyFirst == 2 && result.onlySecond == 1)
    }

    /// All 2⁸ signs, by NumPy: 22 of 256 are as far from 0.
    @Test("sign flips come near the exact test, the same each time, and a bootstrap interval holds the mean")
    func signFlips() {
        let differences = [0.3, -0.1, 0.5, 0.2, 0.4, -0.2, 0.6, 0.1]
        let result = PairedResampling(differences, seed: 7)
        #expect(abs(result.pValue - 22.0 / 256) < 0.01, "p = \(result.pValue)")
        #expect(abs(result.mean - 0.225) < 1e-12 && result.low < 0.225 && result.high > 0.225)
        #expect(result == PairedResampling(differences, seed: 7))
        #expect(result != PairedResampling(differences, seed: 8))
    }

    @Test("equal runs are no different, and clear differences are")
    func extremes() {
        let equal = PairedResampling([Double](repeating: 0, count: 100), seed: 0)
        #expect(equal.pValue == 1 && equal.mean == 0 && equal.low == 0 && equal.high == 0)
        let clear = PairedResampling((0..<200).map { 1 + Double($0 % 7) / 10 }, seed: 0)
        #expect(clear.pValue < 0.001 && clear.low > 1)
    }
}

@Suite("Reliability")
struct CalibrationTests {
    @Test("rows fall into bins by confidence, and the error is the weighted gap")
    func bins() {
        // Bin (0.8, 0.9]: 4 rows, 3 right, mean 0.85; bin (0.5, 0.6]: 1 row, wrong, 0.55.
        let calibration = Reliability(confidence: [0.85, 0.85, 0.85, 0.85, 0.55], isRight: [true, true, true, false, false])
        #expect(calibration.bins.count == 10 && calibration.bins[8].rows == 4 && calibration.bins[5].rows == 1)
        #expect(abs(calibration.bins[8].accuracy - 0.75) < 1e-12)
        #expect(abs(calibration.error - (0.8 * 0.1 + 0.2 * 0.55)) < 1e-12)
    }

    @Test("certainty that is right has no error; the edges have bins")
    func edges() {
        let calibration = Reliability(confidence: [1, 1, 0], isRight: [true, true, false])
        #expect(calibration.error == 0 && calibration.bins[9].rows == 2 && calibration.bins[0].rows == 1)
    }
}
