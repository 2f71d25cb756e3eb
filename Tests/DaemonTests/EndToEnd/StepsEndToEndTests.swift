import Foundation
import HidraProtocol
import TestSupport
import Testing

@testable import Daemon
@testable import HidraClient

@Suite("Heads that a client trains step by step, over the daemon's sockets")
struct StepsEndToEndTests {
    private let labels = ["a", "b", "c", "d"]

    private func request(_ head: String, kind: String = "mlp") -> Hidra_V1_AttachRequest {
        var request = Hidra_V1_AttachRequest()
        request.head = head
        request.encoder = "tiny"
        request.kind.name = kind
        request.kind.hidden = 16
        request.labels = labels
        request.seed = 3
        request.optimiser.learningRate = 0.01
        return request
    }

    /// Rows of step `index`: sixteen, going round.
    private func batch(_ index: Int, of data: String) -> Hidra_V1_Batch {
        .rows((0..<16).map { (index * 16 + $0) % 240 }, of: data, input: "text", label: "label")
    }

    private func train(_ head: HeadAttachment, _ steps: Range<Int>, _ data: String) async throws {
        for index in steps {
            try await head.forwardBackward(batch(index, of: data))
            try await head.step()
        }
    }

    @Test("a loop of the client's own learns, and the head it leaves behind answers")
    func loop() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(240))
        let head = try await client.attach(request("own"))
        #expect(head.reply.outputs == 4 && head.reply.loss == "cross_entropy" && head.reply.sequence == 0)
        let first = try await head.forwardBackward(batch(0, of: data))
        try await head.step()
        try await train(head, 1..<150, data)
        let last = try await head.forwardBackward(batch(0, of: data))
        #expect(last < first / 3, "\(first) → \(last)")
        let reply = try await head.detach(keep: true, metrics: ["accuracy": 0.5])
        #expect(reply.head.metrics == ["accuracy": 0.5] && reply.run.state == "finished" && reply.head.run == head.run)
        let answers = try await client.predict(heads: ["own"], .texts(["aa b c", "dd a a"]))
        #expect(answers.inputs.map { $0.heads[0].labels[0].label } == ["a", "d"])
        // Asked again, it is answered again.
        #expect(try await head.detach(keep: true).head == reply.head)
        await #expect(throws: HidraError.self) { try await head.step() }
        await client.close()
        try await daemon.stop()
    }

    @Test("gradients of the client's own cross-entropy train as the daemon's, a step in one message or two")
    func ownLoss() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(240))
        var one = request("one"), two = request("two")
        (one.kind.dropout, two.kind.dropout) = (0, 0)
        let theirs = try await client.attach(one), ours = try await client.attach(two)
        for index in 0..<10 {
            try await theirs.forwardBackward(batch(index, of: data))
            try await theirs.step()
            let outputs = try await ours.forward(batch(index, of: data))
            #expect(outputs.rows == 16 && outputs.width == 4)
            var gradients: [Float] = []
            for row in 0..<16 {
                let scores = outputs.values[row * 4..<row * 4 + 4].map { Float(exp(Double($0))) }, sum = scores.reduce(0, +)
                for (label, score) in scores.enumerated() {
                    gradients.append((score / sum - (label == (index * 16 + row) % 240 % 4 ? 1 : 0)) / 16)
                }
            }
            if index % 2 == 0 {
                try await ours.backward(gradients, step: true)
            } else {
                try await ours.backward(gradients)
                try await ours.step()
            }
        }
        let expected = try await theirs.forward(batch(3, of: data), keep: false)
        let actual = try await ours.forward(batch(3, of: data), keep: false)
        for (a, b) in zip(expected.values, actual.values) { #expect(abs(a - b) < 1e-4) }
        // The same rows as texts of the batch's own.
        guard case .texts(let texts) = letterRows(240)[0].values else { return #expect(Bool(false)) }
        let inline = try await ours.forward(.texts((0..<16).map { texts[3 * 16 + $0] }), keep: false)
        #expect(inline.values == actual.values)
        await client.close()
        try await daemon.stop()
    }

    @Test("a number is applied once: repeated it is answered as before, out of order refused with the next one")
    func atMostOnce() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(240))
        let head = try await client.attach(request("once"))
        try await head.forwardBackward(batch(0, of: data))
        let first = try await head.step()
        var step = Hidra_V1_OptimStepRequest()
        step.run = head.run
        step.sequence = 2
        let kind = Hidra_V1_Envelope.OneOf_Kind.optimStep(step)
        let again = try await client.ask(kind, on: .work) {
            if case .optimStepReply(let reply) = $0.envelope.kind { reply } else { nil as Hidra_V1_OptimStepReply? }
        }
        #expect(again == first && first.steps == 1)
        step.sequence = 9
        let gap = step
        let error = await #expect(throws: HidraError.self) {
            _ = try await client.ask(.optimStep(gap), on: .work) {
                if case .optimStepReply(let reply) = $0.envelope.kind { reply } else { nil as Hidra_V1_OptimStepReply? }
            }
        }
        #expect(error?.code == .conflict && error?.details["next"] == "3")
        // Refused, it has changed nothing, and its number is still free.
        await #expect(throws: HidraError.self) { try await head.step() }
        try await head.forwardBackward(batch(1, of: data))
        #expect(try await head.step().steps == 2)
        await client.close()
        try await daemon.stop()
    }

    @Test("a lost connection, and a daemon that is killed and started anew, cost no step and double none")
    func reattach() async throws {
        let folder = try TemporaryFolder()
        let daemon = try RunningDaemon(folder: folder)
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(240))
        let undisturbed = try await client.attach(request("undisturbed"))
        try await train(undisturbed, 0..<12, data)
        let expected = try await undisturbed.saveState()

        let head = try await client.attach(request("disturbed"))
        try await train(head, 0..<4, data)
        // Gone between a backward pass and its step.
        try await head.forwardBackward(batch(4, of: data))
        await client.close()
        let second = try await daemon.connect()
        let secondData = try await second.upload(columns: letterRows(240))
        let back = try await second.attach(run: head.run)
        #expect(back.reply.sequence == 8 && back.reply.steps == 4, "as after the last step")
        try await train(back, 4..<8, secondData)
        // Another connection takes it over; the one before has lost it.
        let third = try await daemon.connect()
        let taken = try await third.attach(run: head.run)
        #expect(taken.reply.steps == 8)
        let error = await #expect(throws: HidraError.self) { try await back.forwardBackward(batch(8, of: secondData)) }
        #expect(error?.code == .conflict)
        await second.close()
        await third.close()
        try await daemon.stop()

        let next = try RunningDaemon(folder: folder)
        let last = try await next.connect()
        let lastData = try await last.upload(columns: letterRows(240))
        let resumed = try await last.attach(run: head.run)
        #expect(resumed.reply.sequence == 16 && resumed.reply.steps == 8)
        try await train(resumed, 8..<12, lastData)
        // All but the numbers of the verbs, which are written beside the weights, is the same.
        #expect(try await resumed.saveState() == expected)
        await last.close()
        try await next.stop()
    }

    @Test("a state is taken back, and another head's is refused")
    func states() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(240))
        let head = try await client.attach(request("saved"))
        try await train(head, 0..<3, data)
        let state = try await head.saveState()
        let before = try await head.forward(batch(0, of: data), keep: false)
        try await train(head, 3..<6, data)
        #expect(try await head.forward(batch(0, of: data), keep: false).values != before.values)
        try await head.loadState(state)
        #expect(try await head.forward(batch(0, of: data), keep: false).values == before.values)
        let other = try await client.attach(request("other", kind: "linear"))
        for bad in [state, Data("nonsense".utf8), Data()] {
            let error = await #expect(throws: HidraError.self) { try await other.loadState(bad) }
            #expect(error?.code == .invalidArgument)
        }
        try await other.forwardBackward(batch(0, of: data))
        await client.close()
        try await daemon.stop()
    }

    @Test("what makes no sense is refused and changes nothing")
    func refusals() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(240))
        var bad = request("bad")
        bad.labels = ["a"]
        await expect(.invalidArgument) { _ = try await client.attach(bad) }
        bad = request("bad")
        bad.optimiser.name = "newton"
        await expect(.invalidArgument) { _ = try await client.attach(bad) }
        bad = request("bad")
        bad.loss.name = "huber"
        await expect(.invalidArgument) { _ = try await client.attach(bad) }
        bad = request("bad")
        bad.encoder = "tyni"
        await expect(.notFound) { _ = try await client.attach(bad) }
        await expect(.notFound) { _ = try await client.attach(run: "run-00000000") }

        let head = try await client.attach(request("good"))
        await expect(.conflict) { _ = try await client.attach(self.request("good")) }
        await expect(.conflict) { _ = try await head.backward([0, 0, 0, 0]) }
        await expect(.conflict) { _ = try await head.step() }
        await expect(.invalidArgument) { _ = try await head.forward(.rows([9999], of: data, input: "text")) }
        await expect(.notFound) { _ = try await head.forward(.rows([0], of: "nothing", input: "text")) }
        await expect(.invalidData) { _ = try await head.forwardBackward(.texts(["aa"], labels: ["z"])) }
        _ = try await head.forward(batch(0, of: data))
        await expect(.invalidArgument) { _ = try await head.backward([Float](repeating: 0, count: 8)) }
        var slopes = [Float](repeating: 0, count: 64)
        slopes[7] = .nan
        let poisoned = slopes
        await expect(.invalidData) { _ = try await head.backward(poisoned) }
        try await head.backward([Float](repeating: 0.01, count: 64), step: true)
        await expect(.invalidArgument) {
            try await head.forwardBackward(self.batch(0, of: data))
            _ = try await head.step(learningRate: -1)
        }
        await client.close()
        try await daemon.stop()
    }

    @Test("sixty-four clients attach at once")
    func crowd() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        try await withThrowingTaskGroup(of: UInt64.self) { group in
            for index in 0..<64 {
                group.addTask {
                    let own = try await daemon.connect("plugin \(index)")
                    let data = try await own.upload(columns: letterRows(64))
                    let head = try await own.attach(self.request("head-\(index)", kind: "linear"))
                    for step in 0..<3 {
                        try await head.forwardBackward(.rows((0..<16).map { step * 16 + $0 }, of: data, input: "text", label: "label"))
                        try await head.step()
                    }
                    let reply = try await head.detach(keep: true)
                    await own.close()
                    return reply.head.parameters
                }
            }
            for try await parameters in group { #expect(parameters > 0) }
        }
        #expect(try await client.list().heads.count == 64)
        await client.close()
        try await daemon.stop()
    }

    private func expect(_ code: ErrorCode, _ body: () async throws -> Void) async {
        let error = await #expect(throws: HidraError.self) { try await body() }
        #expect(error?.code == code, "\(error?.message ?? "")")
    }
}
