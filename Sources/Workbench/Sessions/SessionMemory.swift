import Encoders
import Foundation
import Heads
import Sessions
import State
import Training

/// What a session needs in memory, against what there is: asked before anything is taken.
package struct SessionEstimate: Sendable {
    /// Bytes.
    package let needed: Int, available: Int
    /// Whether intermediate results are computed again, because they would not fit.
    let checkpointing: Bool

    /// Of one token in one layer that the backward pass needs: about 20 numbers for each of the width (queries, keys, values, two
    /// normalised states, four widths before and after the activation), beside the attention's probabilities.
    private static let numbersPerWidth = 20
    /// Room for the units of work themselves.
    private static let working = 64 << 20

    /// - Parameters:
    ///   - rows: of each group, its texts' bytes and their number.
    ///   - loaded: the session's encoders.
    init(_ tasks: SessionTasks, _ loaded: [String: LoadedEncoder], budget: Int?, available: Int?) {
        let session = tasks.session, float = MemoryLayout<Float>.size
        var bytes = Self.working, kept = 0, recomputed = 0
        for group in tasks.groups {
            guard let task = group.first, let source = task.plan.sources.first else { continue }
            let encoder = source.loaded.encoder, texts = task.plan.columns[0]
            // A token has some four bytes of text.
            let lengths = texts.map { input -> Int in
                guard case .text(let text) = input else { return 1 }
                return min(encoder.maxTokens, text.utf8.count / 4 + 3)
            }
            let longest = max(1, lengths.max() ?? 1), mean = max(1, lengths.reduce(0, +) / max(1, lengths.count))
            switch session.train.what {
            case .heads:
                let width = source.input.form == .states ? mean * encoder.taps[source.tap].width : encoder.taps[source.tap].width
                // The rows, and the training rows once more.
                bytes += 2 * texts.count * width * float
            case .lora(let lowRank):
                bytes += texts.count * mean * 2 * float
                let layers = encoder.topTap, width = encoder.width
                bytes += 5 * float * layers * lowRank.targets.count * 2 * lowRank.rank * width
                let token = Self.numbersPerWidth * width * float + longest * float * 12
                kept = max(kept, session.train.batch * mean * layers * token)
                recomputed = max(recomputed, session.train.batch * mean * (layers * width * float + token))
            case .top(let layers):
                let width = encoder.width
                bytes += texts.count * mean * width * float
                bytes += 5 * float * layers * 12 * width * width
                let token = Self.numbersPerWidth * width * float + longest * float * 12
                kept = max(kept, session.train.batch * mean * layers * token)
                recomputed = max(recomputed, session.train.batch * mean * (layers * width * float + token))
            }
        }
        for task in tasks.tasks {
            let width = task.plan.sources.first.map { $0.loaded.encoder.taps[$0.tap].width } ?? 0
            let outputs = task.plan.encoding.outputs
            if case .mlp(let hidden, _) = task.plan.request.kind {
                bytes += 5 * float * hidden * (width + outputs)
            } else {
                bytes += 5 * float * width * outputs
            }
        }
        // The weights are there already, packed; what is trained has its own copy of the layers.
        self.available = min(available ?? .max, budget.map { $0 << 20 } ?? .max)
        switch session.train.checkpointing {
        case .on: checkpointing = true
        case .off: checkpointing = false
        case .auto: checkpointing = session.train.what.hasBody && bytes + kept > self.available
        }
        needed = bytes + (checkpointing ? recomputed : kept)
    }

    /// - Throws: `limitExceeded` with both numbers.
    func require(_ session: SessionPlan) throws {
        guard needed > available else { return }
        let isBudget = session.budget.memoryMegabytes.map { $0 << 20 == available } ?? false
        throw WorkbenchError(
            .limitExceeded,
            "Session '\(session.name)' needs about \(needed >> 20) MB of memory beside its encoders, and "
                + (isBudget ? "its budget is \(available >> 20) MB" : "only \(available >> 20) MB are free")
                + ". Use a smaller batch, fewer rows or heads" + (checkpointing || !session.train.what.hasBody ? "." : ", or `checkpointing: on`."),
            details: ["needed_bytes": String(needed), "available_bytes": String(available)])
    }
}
