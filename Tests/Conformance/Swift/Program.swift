import Foundation
import HidraClient
import HidraProtocol

/// Does what lines say, with one client and one attachment at a time.
actor Program {
    private var client: HidraClient?
    private var head: HeadAttachment?
    private var labels: [String] = []
    private var state = Data()
    private var tables: [String: [(name: String, values: [String])]] = [:]
    private var begun: [String: Task<String, Never>] = [:]

    func answer(_ fields: Fields) async -> String {
        if fields.command == "end", let task = begun.removeValue(forKey: fields["id"]) { return await task.value }
        do {
            return (["ok"] + (try await perform(fields))).joined(separator: "\t")
        } catch is CancellationError {
            return "error\tcancelled\tcancelled"
        } catch let error as HidraError {
            // Codes that are not known count as `internal`.
            let code = ErrorCode.exitCodes[error.code] == nil ? .internalError : error.code
            return "error\t\(code.rawValue)\t\(error.message.split(whereSeparator: \.isNewline).joined(separator: " "))"
        } catch {
            return "error\tinternal\t\(error)"
        }
    }

    private func perform(_ fields: Fields) async throws -> [String] {
        switch fields.command {
        case "connect": return try await connect(fields)
        case "close":
            await client?.close()
            (client, head) = (nil, nil)
            return []
        case "ping": return ["clients=\(try await connected.status().clients)"]
        case "list": return try await connected.list().heads.map { "head=\($0.name)" }
        case "rows": return try await rows(fields)
        case "train": return try await train(fields)
        case "predict":
            let reply = try await connected.predict(heads: [fields["head"]], .texts(fields.all("text")))
            return reply.inputs.map { "label=\($0.heads.first?.labels.first?.label ?? "")" }
        case "attach": return try await attach(fields)
        case "pass": return ["loss=\(try await attached.forwardBackward(batch(fields)))"]
        case "step": return ["steps=\(try await attached.step().steps)"]
        case "own": return try await own(fields)
        case "outputs":
            let outputs = try await attached.forward(batch(fields), keep: false)
            return outputs.values.map { "value=" + String(format: "%.9g", Double($0)) }
        case "save":
            state = try await attached.saveState()
            return ["bytes=\(state.count)"]
        case "load":
            try await attached.loadState(state)
            return []
        case "detach":
            let reply = try await attached.detach(keep: fields["keep"] == "1")
            return ["digest=\(reply.head.digest)"]
        case "events": return try await events(fields)
        case "begin":
            let inner = fields.begun
            begun[fields["id"]] = Task { await self.answer(inner) }
            return []
        case "cancel":
            begun[fields["id"]]?.cancel()
            return []
        default: throw HidraError(.unsupported, "There is no command \(fields.command).")
        }
    }

    private func missing(_ what: String) -> HidraError { HidraError(.invalidArgument, "There was no \(what) before.") }

    private var connected: HidraClient {
        get throws { if let client { client } else { throw missing("connect") } }
    }

    private var attached: HeadAttachment {
        get throws { if let head { head } else { throw missing("attach") } }
    }

    private func connect(_ fields: Fields) async throws -> [String] {
        let silence = fields.number("silence")
        let made = try await HidraClient.connect(
            home: fields["home"].isEmpty ? .default : Home(path: fields["home"]), client: "hidra-conform swift", startDaemon: false,
            silence: .milliseconds(Int((silence > 0 ? silence : 30) * 1000)))
        client = made
        return ["protocol=\(made.welcome.protocol)"]
    }

    private func rows(_ fields: Fields) async throws -> [String] {
        let columns = fields.columns
        tables[fields["data"]] = columns
        _ = try await connected.upload(columns: columns.map { UploadColumn($0.name, $0.values) }, named: fields["data"])
        return ["rows=\(columns.first?.values.count ?? 0)"]
    }

    private func kind(_ fields: Fields) -> Hidra_V1_HeadKind {
        var kind = Hidra_V1_HeadKind()
        kind.name = fields["kind"]
        kind.hidden = fields.count("hidden")
        if !fields["dropout"].isEmpty { kind.dropout = fields.number("dropout") }
        return kind
    }

    private func train(_ fields: Fields) async throws -> [String] {
        var request = Hidra_V1_TrainRequest()
        (request.head, request.encoder, request.data) = (fields["head"], "minilm", fields["data"])
        (request.inputColumn, request.labelColumn, request.replace) = ("text", "label", true)
        request.kind = kind(fields)
        request.holdout = fields.number("holdout")
        request.hyperparameters.epochs = fields.count("epochs")
        request.hyperparameters.learningRate = fields.number("rate")
        request.hyperparameters.batchSize = fields.count("batch")
        request.hyperparameters.seed = UInt64(fields.count("seed"))
        var calls = CallHandlers()
        calls.loss = { batch in
            let (loss, gradients) = crossEntropy(batch.outputs, batch.width, batch.classes.map { Int($0) })
            return CallLoss(loss, gradients: gradients)
        }
        let reply = try await connected.train(request, calls: fields["loss"] == "own" ? calls : nil)
        return ["digest=\(reply.head.digest)", "steps=\(reply.summary.steps)"]
    }

    private func attach(_ fields: Fields) async throws -> [String] {
        let made: HeadAttachment
        if fields["run"].isEmpty {
            labels = fields.all("label")
            var request = Hidra_V1_AttachRequest()
            (request.head, request.encoder, request.labels, request.replace) = (fields["head"], "minilm", labels, true)
            request.kind = kind(fields)
            request.seed = UInt64(fields.count("seed"))
            request.optimiser.learningRate = fields.number("rate")
            made = try await connected.attach(request)
        } else {
            made = try await connected.attach(run: fields["run"])
        }
        head = made
        return ["run=\(made.run)", "sequence=\(made.applied)", "steps=\(made.reply.steps)"]
    }

    private func batch(_ fields: Fields) -> Hidra_V1_Batch {
        .rows(fields.all("row").compactMap { Int($0) }, of: fields["data"], input: "text", label: "label")
    }

    private func own(_ fields: Fields) async throws -> [String] {
        let outputs = try await attached.forward(batch(fields))
        let all = tables[fields["data"]]?.first { $0.name == "label" }?.values ?? []
        let truth = fields.all("row").compactMap { Int($0).flatMap { labels.firstIndex(of: all[$0]) } }
        let (loss, gradients) = crossEntropy(outputs.values, outputs.width, truth)
        let reply = try await attached.backward(gradients, step: true)
        return ["loss=\(loss)", "steps=\(reply.steps)"]
    }

    private func events(_ fields: Fields) async throws -> [String] {
        var answer: [String] = []
        let until = UInt64(fields["until"]) ?? 0
        for try await event in try connected.events(from: UInt64(fields["from"]) ?? 0) {
            answer.append("event=\(event.sequence) \(event.name) \(event.subject)")
            if event.sequence >= until { break }
        }
        return answer
    }
}

/// The mean loss and its gradients, as README.md says.
func crossEntropy(_ outputs: [Float], _ width: Int, _ truth: [Int]) -> (Double, [Float]) {
    let rows = Double(truth.count)
    var loss = 0.0, gradients: [Float] = []
    for (row, right) in truth.enumerated() {
        let scores = outputs[row * width..<(row + 1) * width].map { exp(Double($0)) }
        var sum = 0.0
        for score in scores { sum += score }
        loss -= Double(outputs[row * width + right]) - log(sum)
        for (index, score) in scores.enumerated() {
            gradients.append(Float((score / sum - (index == right ? 1 : 0)) / rows))
        }
    }
    return (loss / rows, gradients)
}
