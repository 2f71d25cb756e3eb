import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import Heads
@testable import TensorCore
@testable import Training

@Suite("Heads that train together")
struct JointTrainerTests {
    private func bodyWeights(_ session: TinySession) -> [[Float]] {
        session.body?.parameters.map(\.parameter.value.values) ?? []
    }

    @Test("learn what can be learnt, better than at the start", arguments: [true, false])
    func learns(_ hasBody: Bool) throws {
        var settings = TinySession.settings
        settings.epochs = 25
        settings.patience = 25
        let trainer = try TinySession(hasBody: hasBody).trainer(settings)
        try trainer.run()
        for head in 0..<3 {
            let history = trainer.history(head)
            #expect(history.count == 25 && history[24].loss < 0.8 * history[0].loss, "\(trainer.headNames[head]): \(history)")
            #expect(trainer.bestScore(head) >= history[0].score)
        }
        #expect(trainer.bestScore(0) > 0.7)
    }

    @Test("accumulated batches make the step of one large batch, own losses and those computed outside alike")
    func accumulation() throws {
        func weights(batch: Int, accumulation: Int, external: Bool) throws -> [Float] {
            var settings = TinySession.settings
            (settings.batchSize, settings.accumulation) = (batch, accumulation)
            // No dropout between the two halves of a comparison: only the head without any is looked at.
            let session = TinySession(hasBody: true, external: external), body = try #require(session.body)
            let trainer = try JointTrainer(
                datasets: [JointDataset("data", .body(rows: 60))], heads: [session.heads[0]], body: body, settings: settings)
            for _ in 0..<5 {
                guard external else {
                    _ = try trainer.advance()
                    continue
                }
                let question = try #require(trainer.beginStep().first)
                let outputs = question.outputs.tracked, loss = Objective()(outputs, question.targets)
                _ = try trainer.endStep([
                    question.head: JointAnswer(loss: loss.scalar, gradients: loss.gradients(for: [outputs])[0])
                ])
            }
            return body.parameters.flatMap { $0.parameter.value.values } + session.heads[0].network.parameters.flatMap { $0.value.values }
        }
        let expected = try weights(batch: 12, accumulation: 1, external: false)
        for (batch, accumulation, external) in [(6, 2, false), (4, 3, false), (12, 1, true), (4, 3, true)] {
            let actual = try weights(batch: batch, accumulation: accumulation, external: external)
            let worst = difference(actual, expected, absolute: 2e-5, relative: 1e-4)
            #expect(worst.isWithinTolerance, "\(batch) × \(accumulation), external \(external): \(worst)")
        }
    }

    @Test("unfreezing goes down from the top, and rates fall with the depth")
    func depth() throws {
        var settings = TinySession.settings
        settings.unfreezing = 2
        let session = TinySession(hasBody: true), trainer = try session.trainer(settings), before = bodyWeights(session)
        while trainer.epoch < 2 { _ = try trainer.advance() }
        #expect(bodyWeights(session)[0] != before[0] && bodyWeights(session)[1] == before[1], "the lower layer is still frozen")
        _ = try trainer.advance()
        #expect(bodyWeights(session)[1] != before[1])

        settings = TinySession.settings
        (settings.layerDecay, settings.weightDecay, settings.warmup) = (0.1, 0, 0)
        let other = TinySession(hasBody: true), second = try other.trainer(settings)
        _ = try second.advance()
        // AdamW's first step is the rate for every element.
        let changes = zip(before, bodyWeights(other)).map { zip($0, $1).map { abs($0 - $1) }.max() ?? 0 }
        #expect(abs(changes[1] / changes[0] - 0.1) < 0.01, "\(changes)")
    }

    @Test("a head that no longer improves settles; what is kept is one epoch of the body and all its heads")
    func settles() throws {
        var settings = TinySession.settings
        settings.epochs = 40
        settings.patience = 2
        settings.learningRate = 0.3
        let session = TinySession(hasBody: true), trainer = try session.trainer(settings)
        var weights: [Int: [[Float]]] = [:]
        while !trainer.isFinished {
            let unit = try trainer.advance()
            if case .epoch = unit, !trainer.isFinished { weights[trainer.epoch] = bodyWeights(session) }
        }
        #expect(trainer.epoch < 40 && trainer.heads.allSatisfy(\.hasSettled))
        let kept = trainer.bestEpoch(0)
        #expect(kept == trainer.bestEpoch(2) && (1...trainer.epoch).contains(kept))
        #expect(kept == trainer.epoch || bodyWeights(session) == weights[kept])
        for head in 0..<3 { #expect(trainer.bestScore(head) == trainer.history(head)[kept - 1].score) }
        // Without a body each keeps its own, and stops for itself.
        let alone = try TinySession(hasBody: false).trainer(settings)
        try alone.run()
        for head in 0..<3 {
            #expect(alone.history(head).count == min(40, alone.bestEpoch(head) + 2))
            #expect(alone.bestScore(head) == alone.history(head).map(\.score).max())
        }
    }

    @Test("scores that somebody else measures decide")
    func externalScores() throws {
        var settings = TinySession.settings
        settings.epochs = 3
        let session = TinySession(hasBody: true)
        var head = session.heads[0]
        head.hasExternalScore = true
        let trainer = try JointTrainer(
            datasets: [JointDataset("data", .body(rows: 60))], heads: [head], body: session.body, settings: settings)
        var measured = 0
        while !trainer.isFinished {
            guard case .needsScores = try trainer.advance() else { continue }
            let (outputs, targets) = try #require(trainer.validationOutputs(0))
            #expect(outputs.shape == [targets.rows, 3] && targets.rows == 12)
            measured += 1
            try trainer.finishEpoch(scores: ["colour": [0.2, 0.9, 0.1][measured - 1]])
        }
        #expect(measured == 3 && trainer.bestEpoch(0) == 2 && trainer.bestScore(0) == 0.9)
    }

    @Test("training that diverges ends with finite weights and says so", arguments: [true, false])
    func diverges(_ afterAnEpoch: Bool) throws {
        let session = TinySession(hasBody: true), body = try #require(session.body)
        let trainer = try session.trainer(TinySession.settings)
        while trainer.epoch < (afterAnEpoch ? 1 : 0) || trainer.step < 2 { _ = try trainer.advance() }
        session.heads[0].network.parameters[0].value.mutablePointer[0] = .nan
        let error = #expect(throws: TrainingError.self) { try trainer.advance() }
        #expect(error?.code == .notFinite && error?.message.contains("colour") == true, "\(String(describing: error))")
        #expect(trainer.isFinished)
        let all = body.parameters.map(\.parameter.value) + session.heads.flatMap { $0.network.parameters.map(\.value) }
        #expect(all.allSatisfy { $0.values.allSatisfy(\.isFinite) })
    }

    @Test("what cannot be trained is refused, with the reason")
    func refused() throws {
        let session = TinySession(hasBody: true), heads = session.heads
        func message(_ heads: [JointHead], _ settings: JointSettings = TinySession.settings) -> String {
            let datasets = session.tables.map { JointDataset("data", .body(rows: $0.rows)) }
            do {
                _ = try JointTrainer(datasets: datasets, heads: heads, body: session.body, settings: settings)
                return ""
            } catch { return "\(error)" }
        }
        #expect(message(heads) == "")
        #expect(message(heads + [heads[0]]).contains("Two heads are named 'colour'"))
        #expect(message([heads[0]]).contains("No head learns"))
        #expect(message([]).contains("no head"))
        var heavy = heads
        heavy[0].weight = 0
        #expect(message(heavy).contains("weight of head 'colour'"))
        var settings = TinySession.settings
        settings.batchSize = 0
        #expect(message(heads, settings).contains("batch size"))
        settings = TinySession.settings
        settings.learningRate = .nan
        #expect(message(heads, settings).contains("learning rate"))
    }

    @Test("settings survive JSON, and absent ones have their defaults")
    func settings() throws {
        var settings = TinySession.settings
        (settings.sampler, settings.balance, settings.unfreezing, settings.clipNorm) = (.temperature(2.5), .pcgrad, 3, nil)
        let data = try JSONEncoder().encode(settings)
        #expect(try JSONDecoder().decode(JointSettings.self, from: data) == settings)
        var defaults = JointSettings()
        defaults.clipNorm = nil
        #expect(try JSONDecoder().decode(JointSettings.self, from: Data("{}".utf8)) == defaults)
    }
}
