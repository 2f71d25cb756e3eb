import Encoders
import Heads
import State

extension TrainingPlan {
    /// Binds what the request names to the inputs of the head's network.
    ///
    /// - Parameter ports: of a graph; nil for a built-in kind, which reads one vector a row.
    /// - Throws: `HeadError.invalidSettings`, `invalidArgument`: what cannot be bound, and what is possible.
    static func sources(
        _ request: TrainingRequest, _ encoders: [String: LoadedEncoder], _ ports: HeadPorts?
    ) throws -> [FeatureSource] {
        let reads = request.reads
        if case .fusion(let fusion, _, _) = request.kind { return try fused(fusion, request, encoders) }
        guard ports != nil || (reads.count == 1 && reads[0].name.isEmpty && reads[0].form != .states) else {
            throw WorkbenchError(
                .invalidArgument,
                "A head of kind \(request.kind.name) reads one vector a row, of one column. For several inputs, or for token states, give "
                    + "a graph: `--head FILE.onnx`.")
        }
        let assigned = try ports?.assign(reads.map(\.name))
        let sources = try reads.enumerated().map { index, read in
            guard let loaded = encoders[read.encoder] else {
                throw WorkbenchError(.internalError, "Encoder '\(read.encoder)' was not loaded. Report this with the log.")
            }
            guard request.rows.columns.indices.contains(read.column) else {
                throw WorkbenchError(.invalidArgument, "There is no column \(read.column + 1) among the rows' inputs.")
            }
            let tap = try loaded.tap(named: read.tap), port = assigned?[index]
            let form = port?.form ?? (request.task == .tag ? .states : .pooled)
            if request.task == .tag { try loaded.requireStates(tap, for: "words") }
            if let port { try require(port, read, loaded, tap) }
            return FeatureSource(
                input: HeadInput(
                    name: port?.name ?? "", encoder: read.encoder, encoderDigest: loaded.record.digest,
                    tap: loaded.encoder.taps[tap].name, form: form, column: read.columnName),
                loaded: loaded, tap: tap, column: read.column)
        }
        // Tokens are those of one text by one tokenizer.
        try ports?.requireFreeLengths(
            Dictionary(
                sources.map { ($0.input.name, "\($0.column)\n\($0.loaded.record.digest)\n\($0.space.preprocessing)") },
                uniquingKeysWith: { first, _ in first }))
        return sources
    }

    /// Checks that a tap has what an input of the graph reads.
    private static func require(
        _ port: HeadPorts.Port, _ read: InputRequest, _ loaded: LoadedEncoder, _ tap: Int
    ) throws {
        if let form = read.form, form != port.form {
            throw WorkbenchError(
                .invalidArgument,
                "Input \"\(port.name)\" of the graph is \(port.declaration): it reads "
                    + "\(port.form == .states ? "token states, not vectors" : "vectors, not token states").")
        }
        if port.form == .states { try loaded.requireStates(tap, for: port.name) }
        let place = loaded.encoder.taps[tap]
        guard let width = port.width, width != place.width else { return }
        let fitting = loaded.encoder.taps.filter { $0.width == width }.map(\.name)
        let advice =
            fitting.isEmpty
            ? "No tap of it gives \(width); export the graph for \(place.width)."
            : "Taps of that width: \(fitting.prefix(20).joined(separator: ", "))."
        throw WorkbenchError(
            .invalidArgument,
            "Input \"\(port.name)\" of the graph is \(port.declaration): it reads \(width) numbers, and tap \"\(place.name)\" of encoder "
                + "'\(loaded.record.name)' gives \(place.width). \(advice)",
            details: ["input": port.name, "width": String(place.width)])
    }
}
