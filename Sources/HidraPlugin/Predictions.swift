internal import HidraProtocol

/// The answers of several heads to several texts.
public struct Predictions: Sendable {
    /// One head's answer to one text.
    public struct Answer: Sendable {
        public struct Score: Sendable, Equatable {
            public let label: String
            public let probability: Double
        }

        /// A piece of the text, counted in Unicode scalars.
        public struct Span: Sendable, Equatable {
            public let label: String
            public let range: Range<Int>
            public let probability: Double
        }

        /// Best first; empty for regression, and for a multilabel head that sees none.
        public let scores: [Score]
        /// Of a regression head.
        public let value: Double?
        /// Of a head that labels words: pieces of the text, in its order.
        public let spans: [Span]

        /// The best label.
        public var label: String? { scores.first?.label }
    }

    /// The heads that were asked.
    public let heads: [String]
    /// For each text, the answers in the order of `heads`.
    public private(set) var texts: [[Answer]] = []
    /// Texts the encoder was run for, and texts whose features were cached.
    public private(set) var encoded = 0
    public private(set) var cached = 0
    /// Texts longer than the encoder takes.
    public private(set) var truncated = 0
    /// The daemon's time.
    public private(set) var seconds = 0.0

    init(heads: [String]) { self.heads = heads }

    mutating func append(_ reply: Hidra_V1_PredictReply) {
        texts += reply.inputs.map { text in
            text.heads.map { head in
                Answer(
                    scores: head.labels.map { Answer.Score(label: $0.label, probability: $0.score) },
                    value: head.hasValue ? head.value : nil,
                    spans: head.spans.map {
                        Answer.Span(label: $0.label, range: Int($0.start)..<max(Int($0.start), Int($0.end)), probability: $0.score)
                    })
            }
        }
        encoded += Int(clamping: reply.encoded)
        cached += Int(clamping: reply.cached)
        truncated += Int(clamping: reply.truncated)
        seconds += reply.seconds
    }
}
