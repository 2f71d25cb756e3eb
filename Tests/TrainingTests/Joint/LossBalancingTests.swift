import Checkpoints
import TestSupport
import Testing

@testable import Heads
@testable import TensorCore
@testable import Training

@Suite("Balancing the losses of several heads")
struct LossBalancingTests {
    private func close(_ actual: [Double], _ expected: [Double], _ tolerance: Double = 1e-6) -> Bool {
        zip(actual, expected).allSatisfy { abs($0 - $1) <= tolerance } && actual.count == expected.count
    }

    /// Expected: torch.autograd of `exp(−s₁) L₁ + s₁/2 + exp(−s₂) L₂/2 + s₂/2` in double precision, s = (0.3, −0.4), L = (1.7, 0.6).
    @Test("uncertainty weights and their gradients are PyTorch's")
    func uncertainty() {
        let weights = UncertaintyWeights([("a", false), ("b", true)])
        for (parameter, value) in zip(weights.parameters, [0.3, -0.4] as [Float]) { parameter.value.mutablePointer[0] = value }
        #expect(close([Double(weights.weight(0)), Double(weights.weight(1))], [0.7408182206817179, 1.4918246976412703 / 2]))
        let gradients = [weights.gradient(0, loss: 1.7), weights.gradient(1, loss: 0.6)].map(Double.init)
        #expect(close(gradients, [-0.7593909751589203, 0.05245259070761893]), "\(gradients)")
    }

    /// Expected: torch.autograd of `Σ |G − target|` with the target detached, one step of plain descent at 0.025, scaled to sum 2.
    @Test("GradNorm moves its weights as PyTorch does")
    func gradNorm() {
        var balance = GradNorm(weights: [1.2, 0.8], alpha: 1.5, rate: 0.025)
        balance.firstLosses = [1.0, 0.8]
        balance.update(present: [0, 1], losses: [0.9, 0.4], norms: [0.5, 2.0])
        #expect(close(balance.weights, [1.2356687898089171, 0.7643312101910829], 1e-12), "\(balance.weights)")
        // One head alone has nobody to be even with; a first loss is remembered.
        var other = GradNorm(weights: [1, 1], alpha: 1, rate: 0.1)
        other.update(present: [1], losses: [3], norms: [9])
        #expect(other.weights == [1, 1] && other.firstLosses == [nil, 3])
    }

    @Test("conflicting gradients are projected off each other, others are added")
    func pcgrad() {
        var random = Random(seed: 1)
        // By hand: (1, 0) and (−1, 1) conflict: (½, ½) and (0, 1).
        let a = [Tensor([1, 0], [2])], b = [Tensor([-1, 1], [2])]
        #expect(ConflictingGradients.resolve([a, b], random: &random)[0].values == [0.5, 1.5])
        #expect(a[0].values == [1, 0] && b[0].values == [-1, 1], "what was given is left as it was")
        let c = [Tensor([2], [1]), Tensor([0, 1], [2])], d = [Tensor([1], [1]), Tensor([5, 0], [2])]
        #expect(ConflictingGradients.resolve([c, d], random: &random).flatMap(\.values) == [3, 5, 1])
        let zero = [Tensor([0, 0], [2])]
        #expect(ConflictingGradients.resolve([a, zero], random: &random)[0].values == [1, 0])
    }

    @Test("a step's gradient of the body is what the balance says, checked against each head's own", arguments: JointBalance.allCases)
    func step(_ balance: JointBalance) throws {
        var settings = TinySession.settings
        settings.balance = balance
        (settings.clipNorm, settings.weightDecay, settings.warmup, settings.layerDecay) = (nil, 0, 0, 1)
        let session = TinySession(hasBody: true), body = try #require(session.body)
        // Plain descent at a rate of 1, so that the change is the gradient.
        (settings.bodyLearningRate, settings.learningRate) = (1, 1)
        let datasets = session.tables.enumerated().map { JointDataset("\($0)", .body(rows: $1.rows)) }
        let rows = [JointRows(dataset: 0, rows: [1, 2, 3, 4, 5, 6]), JointRows(dataset: 1, rows: [7, 8])]
        // Without the head whose dropout would need its seed.
        let heads = [session.heads[0], session.heads[2]]
        let trainer = try JointTrainer(
            datasets: datasets, heads: heads, body: body, settings: settings, optimiser: { SGD($0) },
            schedule: .constant(), rows: { _ in rows })
        let leaves = body.parameters.map(\.parameter.value), before = leaves.map(\.values)
        var own: [[Tensor]] = [], losses: [Float] = []
        for (index, head) in heads.enumerated() {
            let features = try body.features([rows[index]], dropoutSeed: nil)
            let loss = head.objective(try head.network(features, dropoutSeed: nil), head.targets.selecting(rows[index].rows))
            losses.append(loss.scalar)
            own.append(loss.gradients(for: leaves))
        }
        guard case .step(let reported, _) = try trainer.advance() else { Issue.record("no step"); return }
        #expect(abs((reported["colour"] ?? 0) - losses[0]) < 1e-6 && abs((reported["size"] ?? 0) - losses[1]) < 1e-6)
        // Six and two of eight rows.
        let shares: [Float] = [0.75, 0.25]
        let factors: [Float]
        switch balance {
        case .fixed, .pcgrad: factors = shares
        // s begins at 0; numbers count half.
        case .uncertainty: factors = [0.75, 0.125]
        case .gradnorm: factors = [1, 1]
        }
        let scaled = zip(own, factors).map { gradients, factor in gradients.map { Multiply()($0, Tensor(scalar: factor)) } }
        var random = Random(seed: 0)
        let expected = balance == .pcgrad
            ? ConflictingGradients.resolve(scaled, random: &random) : zip(scaled[0], scaled[1]).map { Add()($0, $1) }
        for (index, leaf) in leaves.enumerated() {
            let change = zip(before[index], leaf.values).map { $0 - $1 }
            let worst = difference(change, expected[index].values, absolute: 2e-6, relative: 2e-5)
            #expect(worst.isWithinTolerance, "\(balance): \(worst)")
        }
    }

    @Test("learnt weights move, and everybody can see them", arguments: [JointBalance.uncertainty, .gradnorm])
    func weights(_ balance: JointBalance) throws {
        var settings = TinySession.settings
        settings.balance = balance
        let trainer = try TinySession(hasBody: true).trainer(settings), before = trainer.lossWeights
        for _ in 0..<6 { _ = try trainer.advance() }
        #expect(trainer.lossWeights != before && trainer.lossWeights.values.allSatisfy { $0 > 0 && $0.isFinite })
    }
}
