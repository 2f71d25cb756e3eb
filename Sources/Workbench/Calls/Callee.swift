package import Encoders
package import Heads
package import State
package import Training

/// A question to the client that does something in the daemon's place.
package struct CallQuestion: Sendable {
    package var kind: CallKind
    package var head: String
    package var task: HeadTask
    /// Of `loss`: steps before this one. Of `metrics`: the epoch, 0 for the test rows.
    package var step = 0
    /// Names of the outputs.
    package var labels: [String] = []
    /// Of `preprocess`: the head's columns. Of `postprocess` by a head that labels words: the texts.
    package var columns: [(name: String, inputs: [EncoderInput])] = []
    /// Row-major `[rows, width]`.
    package var outputs: [Float] = []
    package var rows = 0, width = 0
    package var targets: Targets?
    /// Of a head that labels words, whose outputs have a row for each: the words of each text.
    package var lengths: [Int]?

    package init(_ kind: CallKind, head: String, task: HeadTask) {
        self.kind = kind
        self.head = head
        self.task = task
    }
}

package struct CallAnswer: Sendable {
    package var loss = 0.0
    /// Row-major, of the outputs' shape.
    package var gradients: [Float] = []
    package var metrics: [(name: String, value: Double)] = []
    package var columns: [[EncoderInput]] = []
    package var predictions: [HeadPrediction] = []

    package init() {}
}

/// Whoever answers: a client, behind its connection.
package protocol Callee: Sendable {
    /// - Parameter completion: called once, on any thread; also when the client is gone or takes too long.
    func call(_ question: CallQuestion, completion: @escaping @Sendable (Result<CallAnswer, any Error>) -> Void)
}

extension Callee {
    /// Asks and waits.
    ///
    /// - Throws: what the callee says is wrong; `unavailable`, `timeout`; `invalidData` for an answer that does not fit.
    func ask(_ question: CallQuestion) async throws -> CallAnswer {
        let answer = try await withCheckedThrowingContinuation { continuation in
            call(question) { continuation.resume(with: $0) }
        }
        try answer.require(fits: question)
        return answer
    }
}

extension CallAnswer {
    /// - Throws: `invalidData` naming what is expected.
    func require(fits question: CallQuestion) throws {
        func require(_ holds: Bool, _ message: String) throws {
            if !holds { throw WorkbenchError(.invalidData, "The client's answer for head '\(question.head)' does not fit: \(message)") }
        }
        switch question.kind {
        case .loss:
            try require(
                gradients.count == question.rows * question.width,
                "\(gradients.count) gradients for outputs [\(question.rows), \(question.width)].")
            try require(loss.isFinite, "the loss is \(loss).")
            let bad = gradients.firstIndex { !$0.isFinite }
            try require(
                bad == nil,
                "the gradient of row \((bad ?? 0) / max(question.width, 1) + 1) is \(bad.map { gradients[$0] } ?? 0).")
        case .metrics:
            try require(!metrics.isEmpty, "no metrics.")
        case .preprocess:
            try require(
                columns.count == question.columns.count
                    && zip(columns, question.columns).allSatisfy { $0.count == $1.inputs.count },
                "columns of \(columns.map(\.count)) values for \(question.columns.map(\.inputs.count)).")
        case .postprocess:
            let rows = question.lengths?.count ?? question.rows
            try require(predictions.count == rows, "\(predictions.count) predictions for \(rows) rows.")
        }
    }
}

/// What clients do for one training.
package struct TrainingCalls: Sendable {
    package let kinds: Set<CallKind>
    package let callee: any Callee
    /// Name of the client, for those who look for it later.
    package let client: String

    package init(kinds: Set<CallKind>, callee: any Callee, client: String) {
        self.kinds = kinds
        self.callee = callee
        self.client = client
    }

    /// The client when it does this.
    func callee(for kind: CallKind) -> (any Callee)? { kinds.contains(kind) ? callee : nil }
}
