package import Encoders
import Foundation
import Scheduling
package import State

/// How an encoder in int8 compares with itself in fp32.
package struct PrecisionComparison: Sendable {
    /// Cosine of each row's two vectors; rows that could not be read are left out.
    package let cosines: [(row: Int, cosine: Double)]
    /// Bytes of the weights in memory.
    package let fp32Bytes: Int, int8Bytes: Int

    package var mean: Double { cosines.reduce(0) { $0 + $1.cosine } / Double(max(cosines.count, 1)) }

    /// The rows that differ most, worst first.
    package func worst(_ count: Int) -> [(row: Int, cosine: Double)] {
        Array(cosines.sorted { ($0.cosine, $0.row) < ($1.cosine, $1.row) }.prefix(count))
    }

    /// The cosine that a share of the rows does not exceed.
    package func quantile(_ share: Double) -> Double {
        let sorted = cosines.map(\.cosine).sorted()
        return sorted.isEmpty ? .nan : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }
}

extension Workbench {
    /// Encodes inputs in both precisions and compares the vectors at the top tap.
    ///
    /// - Throws: `unsupported` when the encoder cannot be computed in int8.
    package func comparePrecisions(
        encoder name: String, inputs: [EncoderInput], progress: @escaping ProgressHandler = { _ in }
    ) async throws -> PrecisionComparison {
        guard !inputs.isEmpty else {
            throw WorkbenchError(.invalidData, "There are no rows to compare on. Is the file empty?")
        }
        let exact = try await encoders.encoder(named: name, precision: .fp32)
        let quantised = try await encoders.encoder(named: name, precision: .int8)
        for input in inputs.prefix(1) { try exact.require(input.modality) }
        let total = 2 * inputs.count, tap = exact.encoder.topTap
        func features(_ loaded: LoadedEncoder, after done: Int) async throws -> Features {
            try await extractor.features(inputs, of: loaded, tap: tap, priority: .training) { rows, hits in
                progress(JobProgress(.extracting, done: done + rows, total: total, metrics: ["cache_hits": Double(hits)]))
            }
        }
        let (a, b) = (try await features(exact, after: 0), try await features(quantised, after: inputs.count))
        return try await Workbench.offPool {
            PrecisionComparison(
                cosines: (0..<a.rows).filter { a.problems[$0] == nil }.map { ($0, Self.cosine(a, b, row: $0)) },
                fp32Bytes: exact.encoder.weightMemory.resident, int8Bytes: quantised.encoder.weightMemory.resident)
        }
    }

    private static func cosine(_ a: Features, _ b: Features, row: Int) -> Double {
        var product = 0.0, left = 0.0, right = 0.0
        for column in row * a.width..<(row + 1) * a.width {
            let (x, y) = (Double(a.values[column]), Double(b.values[column]))
            product += x * y
            left += x * x
            right += y * y
        }
        return product / (left * right).squareRoot()
    }

    /// Sets what an encoder computes in from now on. One that cannot be is refused, and stays as it is.
    package func setPrecision(_ precision: Precision, ofEncoder name: String) async throws -> EncoderRecord {
        _ = try await encoders.encoder(named: name, precision: precision)
        return try await registry.setPrecision(precision, ofEncoder: name)
    }
}
