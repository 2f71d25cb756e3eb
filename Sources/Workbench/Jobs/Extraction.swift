import Encoders
import Foundation
import State
import TensorCore

/// The compute task behind `FeatureExtractor`: prepares and encodes as many inputs at a time as make one unit.
struct Extraction: ComputeTask {
    struct Output: Sendable {
        /// Row-major; NaN in rows that could not be read. Of token states, only what is not reported yet.
        var values: [Float] = []
        var infos: [FeatureInfo?] = []
        /// Row → why it could not be read.
        var problems: [Int: String] = [:]
    }

    /// Rows that were just computed, enough of them to be worth a transaction. Of token states each row has `info.tokens` times the
    /// tap's width.
    struct Block: Sendable {
        /// All inputs before this one are done.
        let end: Int
        /// The rows that have features.
        let rows: [Int]
        let values: [Float]
        let infos: [FeatureInfo]
    }

    /// Longest time spent on preparing inputs before those that are ready are encoded: a large photo takes long to decode.
    static let preparation = Duration.milliseconds(20)
    static let blockRows = 256, blockFloats = 1 << 21

    private let loaded: LoadedEncoder
    private let tap: Int
    private let form: FeatureForm
    private let inputs: [EncoderInput]
    private let budget: UnitBudget
    private let didCompute: (Block) -> Void
    private let width: Int
    /// Prepared, not yet encoded: inputs `encoded..<prepared`.
    private var waiting: [Result<PreparedInput, any Error>] = []
    private var encoded = 0
    private var reported = 0
    private var output = Output()

    init(
        loaded: LoadedEncoder, tap: Int, form: FeatureForm = .pooled, inputs: [EncoderInput], budget: UnitBudget,
        didCompute: @escaping (Block) -> Void
    ) {
        self.loaded = loaded
        self.tap = tap
        self.form = form
        self.inputs = inputs
        self.budget = budget
        self.didCompute = didCompute
        width = loaded.encoder.taps[tap].width
        if form == .pooled { output.values.reserveCapacity(inputs.count * width) }
    }

    mutating func step() throws -> Output? {
        prepare()
        try encode(takeUnit())
        let isLast = encoded == inputs.count
        // States are kilobytes a token, and go on as soon as they make some megabytes.
        if isLast || encoded - reported >= Self.blockRows || (form == .states && output.values.count >= Self.blockFloats) {
            report()
        }
        return isLast ? output : nil
    }

    /// Prepares inputs on all threads until they make a unit.
    private mutating func prepare() {
        let start = ContinuousClock.now
        // Texts take microseconds, so that a share of several is worth handing to a thread; an image can take milliseconds.
        let share = loaded.encoder.modality == .text ? 16 : 1
        while encoded + waiting.count < inputs.count, waiting.reduce(0, { $0 + cost($1) }) < budget.limit,
            waiting.isEmpty || ContinuousClock.now - start < Self.preparation
        {
            let from = encoded + waiting.count, count = min(share * WorkerPool.shared.threads, inputs.count - from)
            var fresh = [Result<PreparedInput, any Error>?](repeating: nil, count: count)
            fresh.withUnsafeMutableBufferPointer { fresh in
                let slots = PreparationSlots(fresh)
                WorkerPool.shared.parallel((count + share - 1) / share) { part in
                    for index in part * share..<min((part + 1) * share, count) {
                        slots.set(index, Result { try loaded.encoder.prepare(inputs[from + index]) })
                    }
                }
            }
            waiting += fresh.compactMap { $0 }
        }
    }

    private mutating func takeUnit() -> [Result<PreparedInput, any Error>] {
        var total = 0.0, count = 0
        while count < waiting.count, count == 0 || total + cost(waiting[count]) <= budget.limit {
            total += cost(waiting[count])
            count += 1
        }
        defer { waiting.removeFirst(count) }
        return Array(waiting[..<count])
    }

    /// What encoding this takes; an input that failed takes nothing.
    private func cost(_ input: Result<PreparedInput, any Error>) -> Double {
        if case .success(let input) = input { budget.cost(input) } else { 0 }
    }

    private mutating func encode(_ unit: [Result<PreparedInput, any Error>]) throws {
        let ready = unit.compactMap { result -> PreparedInput? in
            if case .success(let input) = result { input } else { nil }
        }
        let encoder = loaded.encoder
        let features =
            ready.isEmpty
            ? [] : try (form == .pooled ? encoder.features(ready, tap: tap) : encoder.states(ready, tap: tap)).values
        var start = 0
        for result in unit {
            switch result {
            case .success(let input):
                let count = form == .pooled ? width : input.tokens * width
                output.values += features[start..<start + count]
                output.infos.append(FeatureInfo(tokens: input.tokens, truncated: input.isTruncated))
                start += count
            case .failure(let error):
                if form == .pooled { output.values += repeatElement(.nan, count: width) }
                output.problems[output.infos.count] = String(describing: error)
                output.infos.append(nil)
            }
        }
        encoded += unit.count
    }

    private mutating func report() {
        let rows = (reported..<encoded).filter { output.infos[$0] != nil }
        var values: [Float] = []
        if form == .states {
            swap(&values, &output.values)
        } else {
            values.reserveCapacity(rows.count * width)
            for row in rows { values += output.values[row * width..<(row + 1) * width] }
        }
        didCompute(Block(end: encoded, rows: rows, values: values, infos: rows.compactMap { output.infos[$0] }))
        reported = encoded
    }
}

/// Results written by several threads, each to slots of its own.
private struct PreparationSlots: @unchecked Sendable {
    // `@unchecked`: every index is written by the one thread that was given it, and read after all are done.
    private let base: UnsafeMutableBufferPointer<Result<PreparedInput, any Error>?>

    init(_ base: UnsafeMutableBufferPointer<Result<PreparedInput, any Error>?>) { self.base = base }

    func set(_ index: Int, _ result: Result<PreparedInput, any Error>) { base[index] = result }
}
