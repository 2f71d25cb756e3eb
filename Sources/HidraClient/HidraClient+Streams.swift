public import HidraProtocol

extension HidraClient {
    /// Answers inputs as they are computed, some 64 at a time, in their order:
    ///
    ///     for try await part in try client.predictions(heads: ["intent"], .texts(texts)) {
    ///         for prediction in part.inputs { … }
    ///     }
    ///
    /// The last part has no inputs but the totals. Leaving the loop, or cancelling its task, cancels the request. Parts that are not yet
    /// taken wait in memory. Others' requests are answered in between.
    ///
    /// One request: at most `limits.textsPerStream` inputs.
    ///
    /// - Parameters: as of `predict`.
    public func predictions(
        heads: [String], _ inputs: Inputs, top: Int = 0, precision: String = ""
    ) throws -> AsyncThrowingStream<Hidra_V1_PredictReply, any Error> {
        try checkStream(inputs.count)
        return stream(try Hidra_V1_PredictRequest(heads, inputs, top, precision))
    }

    /// The same of rows of several texts, for heads that read as many columns.
    public func predictions(
        heads: [String], columns: [[String]], top: Int = 0, precision: String = ""
    ) throws -> AsyncThrowingStream<Hidra_V1_PredictReply, any Error> {
        try checkStream(columns.first?.count ?? 0)
        return stream(try Hidra_V1_PredictRequest(heads, columns: columns, top, precision))
    }

    private func stream(_ request: Hidra_V1_PredictRequest) -> AsyncThrowingStream<Hidra_V1_PredictReply, any Error> {
        var request = request
        request.stream = true
        let asked = request, deadline = Self.deadline
        return AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let totals = try await Self.$deadline.withValue(deadline) {
                        try await ask(
                            .predict(asked), on: .work,
                            call: { if case .predictReply(let part) = $0.envelope.kind { continuation.yield(part) } }
                        ) {
                            if case .predictReply(let reply) = $0.envelope.kind { reply } else { nil }
                        }
                    }
                    // A daemon that does not stream has answered everything here.
                    continuation.yield(totals)
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func checkStream(_ count: Int) throws(HidraError) {
        guard count <= limits.textsPerStream else {
            throw HidraError(
                .limitExceeded, "\(count) inputs in one request; hidrad takes \(limits.textsPerStream). Send them in parts.")
        }
    }
}

extension Hidra_V1_PredictRequest {
    init(_ heads: [String], _ inputs: Inputs, _ top: Int, _ precision: String) throws(HidraError) {
        try self.init(heads, top, precision)
        switch inputs {
        case .texts(let texts): self.texts = texts
        case .images(let images): self.images = images
        }
    }

    init(_ heads: [String], columns: [[String]], _ top: Int, _ precision: String) throws(HidraError) {
        try self.init(heads, top, precision)
        self.columns = columns.map { values in
            var column = Hidra_V1_Column()
            column.values = values
            return column
        }
    }

    private init(_ heads: [String], _ top: Int, _ precision: String) throws(HidraError) {
        guard let count = UInt32(exactly: top) else {
            throw HidraError(.invalidArgument, "\(top) labels cannot be asked for: use 0 or more.")
        }
        self.init()
        self.heads = heads
        self.top = count
        self.precision = precision
    }
}
