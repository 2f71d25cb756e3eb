import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import Heads
@testable import TensorCore
@testable import Training

@Suite("A joint training that is cut off and goes on")
struct JointResumeTests {
    static let samplers: [JointSampler] = [.proportional, .temperature(3), .roundRobin]

    @Test("ends with the bytes of the undisturbed one, cut at any step", arguments: samplers, JointBalance.allCases)
    func exact(_ sampler: JointSampler, _ balance: JointBalance) throws {
        let folder = try TemporaryFolder()
        for (hasBody, accumulation, unfreezing) in [(true, 1, nil), (true, 2, 1), (false, 1, nil)] as [(Bool, Int, Int?)] {
            var settings = TinySession.settings
            (settings.sampler, settings.balance) = (sampler, balance)
            (settings.accumulation, settings.unfreezing) = (accumulation, unfreezing)
            let whole = try TinySession(hasBody: hasBody).trainer(settings)
            var units: [(unit: JointUnit, state: Data)] = []
            while !whole.isFinished {
                let state = try whole.state().encoded()
                units.append((try whole.advance(), state))
            }
            let expected = try whole.bytes()
            #expect(units.count > 20)
            for cut in Set([0, 1, 3, units.count / 3, units.count / 2, units.count - 2]) {
                let file = folder.url.appending(path: "\(cut)")
                try units[cut].state.write(to: file)
                let resumed = try TinySession(hasBody: hasBody).trainer(settings)
                try resumed.restore(JointState(file: file))
                #expect(try resumed.advance() == units[cut].unit, "\(sampler) \(balance), cut at \(cut)")
                try resumed.run()
                #expect(try resumed.bytes() == expected, "\(sampler) \(balance) body \(hasBody), cut at \(cut)")
            }
        }
    }

    @Test("a state of other settings, heads or data is refused, and changes nothing")
    func refused() throws {
        let trainer = try TinySession(hasBody: true).trainer(TinySession.settings)
        _ = try trainer.advance()
        let state = try trainer.state()
        var others = TinySession.settings
        others.learningRate = 0.5
        let other = try TinySession(hasBody: true).trainer(others), before = try other.bytes()
        let error = #expect(throws: TrainingError.self) { try other.restore(state) }
        #expect(error?.code == .stateMismatch && error?.message.contains("settings") == true)
        var damaged = state
        damaged.tensors["body/upper"] = nil
        let missing = #expect(throws: TrainingError.self) {
            try TinySession(hasBody: true).trainer(TinySession.settings).restore(damaged)
        }
        #expect(missing?.message.contains("body/upper") == true)
        #expect(throws: TrainingError.self) { try TinySession(hasBody: false).trainer(TinySession.settings).restore(state) }
        #expect(try other.bytes() == before)
    }

    @Test("heads that share nothing: side by side they get the bytes they get alone, and resume to them", arguments: [1, 5])
    func independent(_ steps: Int) throws {
        var settings = TrainingSettings()
        settings.epochs = 6
        settings.averageDecay = 0.9
        settings.clipNorm = 1
        func trainers() throws -> (ParallelTrainers, [HeadNetwork]) {
            let session = TinySession(hasBody: false)
            let all = session.heads.map { head in
                var own = settings
                // One of them takes the fused step.
                if head.name == "colour" { (own.averageDecay, own.clipNorm) = (nil, nil) }
                return (head.name, Trainer(
                    head.network, features: session.tables[head.dataset], targets: head.targets, objective: head.objective,
                    settings: own, learningRate: 0.05))
            }
            return (try ParallelTrainers(all), session.heads.compactMap { $0.network as? HeadNetwork })
        }
        func weights(_ networks: [HeadNetwork]) -> [[Float]] { networks.flatMap { $0.parameters.map(\.value.values) } }
        let (alone, aloneNetworks) = try trainers()
        for trainer in alone.trainers { while !trainer.isFinished { try trainer.advance() } }
        let (together, networks) = try trainers()
        var states: [JointState] = []
        while !together.isFinished {
            states.append(try together.state())
            _ = try together.advance(steps: steps)
        }
        #expect(weights(networks) == weights(aloneNetworks))
        for state in [states[0], states[states.count / 2], states[states.count - 1]] {
            let (resumed, resumedNetworks) = try trainers()
            try resumed.restore(state)
            while !resumed.isFinished { _ = try resumed.advance(steps: steps) }
            #expect(weights(resumedNetworks) == weights(networks))
            #expect(try resumed.state().encoded() == together.state().encoded())
        }
        #expect(throws: TrainingError.self) {
            try ParallelTrainers([("a", alone.trainers[0]), ("a", alone.trainers[1])])
        }
    }
}
