/// How far a classifier's confidence can be believed: rows in bins of equal width by their confidence, and in each the share that is right.
package struct Reliability: Sendable, Equatable {
    package struct Bin: Sendable, Equatable {
        package let range: ClosedRange<Double>
        package let rows: Int
        /// Means over the bin's rows; 0 when it is empty.
        package let confidence: Double, accuracy: Double
    }

    package let bins: [Bin]
    /// Expected calibration error: `Σ rows/n · |accuracy − confidence|` (Naeini et al. 2015; Guo et al. 2017).
    package let error: Double

    /// - Parameters:
    ///   - confidence: probability of the predicted label, 0 to 1.
    ///   - isRight: whether it is the row's label.
    package init(confidence: [Double], isRight: [Bool], bins count: Int = 10) {
        precondition(confidence.count == isRight.count && count > 0, "\(confidence.count) and \(isRight.count) rows in \(count) bins")
        var rows = [Int](repeating: 0, count: count), hits = rows, sums = [Double](repeating: 0, count: count)
        for (value, right) in zip(confidence, isRight) {
            // A value on a boundary belongs to the lower bin, as in Guo et al.
            let bin = min(max(Int((value * Double(count)).rounded(.up)) - 1, 0), count - 1)
            rows[bin] += 1
            sums[bin] += value
            if right { hits[bin] += 1 }
        }
        bins = (0..<count).map { bin in
            let number = Double(max(rows[bin], 1))
            return Bin(
                range: Double(bin) / Double(count)...Double(bin + 1) / Double(count), rows: rows[bin],
                confidence: sums[bin] / number, accuracy: Double(hits[bin]) / number)
        }
        let all = Double(max(confidence.count, 1))
        error = bins.reduce(0) { $0 + Double($1.rows) / all * abs($1.accuracy - $1.confidence) }
    }
}
