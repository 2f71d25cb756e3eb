import Encoders
import Heads
import Training

/// Rows that an attached head can be given: what its network reads of them. Belongs to the compute thread.
struct AttachedRows {
    private let table: FeatureTable
    private let truncated: [Bool]
    /// Of a head that labels words: the words of each text, those included that the encoder has cut off.
    private let words: [Int]

    /// Features that are ready for the head, on their way to the compute thread.
    struct Source: Sendable {
        fileprivate let features: RowFeatures
        fileprivate let words: [Int]
    }

    init(_ source: Source) {
        (table, words) = (source.features.table, source.words)
        truncated = source.features.truncated
    }

    var rows: Int { table.rows }

    /// Some of the rows.
    struct Selection {
        let features: FeatureBatch
        let words: [Int]
        /// How many were longer than the encoder takes.
        let truncated: Int
    }

    func selection(_ rows: [Int]) -> Selection {
        Selection(
            features: table.batch(rows[...]), words: words.isEmpty ? [] : rows.map { words[$0] },
            truncated: rows.count { truncated[$0] })
    }
}

extension Attachment {
    /// The features of rows, in the form that the head reads.
    func rows(_ features: RowFeatures, of columns: [[EncoderInput]]) async throws -> AttachedRows.Source {
        guard task == .tag else { return AttachedRows.Source(features: features, words: []) }
        return AttachedRows.Source(
            features: try await WordStates.reduced(features, columns[0], sources[0]),
            words: columns[0].map { if case .text(let text) = $0 { text.wordRanges.count } else { 0 } })
    }
}
