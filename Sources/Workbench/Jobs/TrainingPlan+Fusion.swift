import Encoders
import Graphs
import Heads
import State

extension TrainingPlan {
    /// What the inputs of a fusion read: of cross-attention the states of tokens where there are any, of the others one vector each.
    ///
    /// - Throws: `invalidArgument` for fewer encoders than two, or an input twice.
    static func fused(
        _ fusion: Fusion, _ request: TrainingRequest, _ encoders: [String: LoadedEncoder]
    ) throws -> [FeatureSource] {
        let reads = request.reads
        guard (2...Fusion.mostInputs).contains(reads.count) else {
            throw WorkbenchError(
                .invalidArgument,
                "A head of kind \"\(fusion.rawValue)\" reads 2 to \(Fusion.mostInputs) encoders; \(reads.count == 1 ? "one is" : "\(reads.count) are") "
                    + "given. Name each: `--encoder A --encoder B`, or `--input A=COLUMN,encoder=A` for each.")
        }
        let sources = try reads.enumerated().map { index, read in
            guard let loaded = encoders[read.encoder] else {
                throw WorkbenchError(.internalError, "Encoder '\(read.encoder)' was not loaded. Report this with the log.")
            }
            guard request.rows.columns.indices.contains(read.column) else {
                throw WorkbenchError(.invalidArgument, "There is no column \(read.column + 1) among the rows' inputs.")
            }
            let tap = try loaded.tap(named: read.tap), hasStates = loaded.encoder.taps[tap].hasStates
            if read.form == .states { try loaded.requireStates(tap, for: read.encoder) }
            guard read.form != .states || fusion == .crossAttention else {
                throw WorkbenchError(
                    .invalidArgument, "A head of kind \"\(fusion.rawValue)\" reads vectors, not token states. Use cross-attention for those.")
            }
            let form: FeatureForm = fusion == .crossAttention && hasStates ? read.form ?? .states : .pooled
            return FeatureSource(
                input: HeadInput(
                    name: "input\(index + 1)", encoder: read.encoder, encoderDigest: loaded.record.digest,
                    tap: loaded.encoder.taps[tap].name, form: form, column: read.columnName),
                loaded: loaded, tap: tap, column: read.column)
        }
        if Set(sources.map(\.identity)).count < sources.count {
            throw WorkbenchError(
                .invalidArgument, "Two inputs read the same features: the same column through the same encoder and tap. Give each its own.")
        }
        return sources
    }
}
