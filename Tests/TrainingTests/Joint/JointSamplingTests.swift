import Testing

@testable import TensorCore
@testable import Training

@Suite("Where the rows of a joint batch come from")
struct JointSamplingTests {
    @Test("quotas follow the sampler, and add up")
    func quotas() {
        #expect(EpochOrder.quotas([60, 30, 10], .proportional) == [60, 30, 10])
        #expect(EpochOrder.quotas([60, 30, 10], .temperature(1)) == [60, 30, 10])
        // Square roots 8 : 4 : 2 of 84 rows.
        #expect(EpochOrder.quotas([64, 16, 4], .temperature(2)) == [48, 24, 12])
        #expect(EpochOrder.quotas([64, 16, 4], .temperature(1e9)) == [28, 28, 28])
        #expect(EpochOrder.quotas([5, 3, 0], .roundRobin) == [4, 4, 0])
        #expect(EpochOrder.quotas([5, 3, 1], .roundRobin) == [3, 3, 3])
        #expect(EpochOrder.quotas([6, 2, 2], .roundRobin) == [4, 3, 3])
        #expect(EpochOrder.quotas([0, 0], .roundRobin) == [0, 0])
    }

    @Test("a proportional epoch takes each row once; the next one in another order")
    func proportional() {
        let first = EpochOrder(sizes: [7, 3], sampler: .proportional, seed: 1, epoch: 0)
        #expect(first.datasets.count { $0 == 0 } == 7 && first.datasets.count == 10)
        #expect(first.datasets == EpochOrder(sizes: [7, 3], sampler: .proportional, seed: 1, epoch: 0).datasets)
        #expect(first.datasets != EpochOrder(sizes: [7, 3], sampler: .proportional, seed: 1, epoch: 1).datasets)
        #expect(first.datasets != EpochOrder(sizes: [7, 3], sampler: .proportional, seed: 2, epoch: 0).datasets)
        #expect(EpochOrder(sizes: [3, 3], sampler: .roundRobin, seed: 1, epoch: 0).datasets == [0, 1, 0, 1, 0, 1])
        var stream = RowStream([4, 5, 9], seed: 1, name: "x")
        let rows = (0..<6).map { stream.row(after: $0) }
        #expect(rows.prefix(3).sorted() == [4, 5, 9] && rows.suffix(3).sorted() == [4, 5, 9])
        // The stream has no memory that matters.
        #expect((0..<6).reversed().map { stream.row(after: $0) } == rows.reversed())
    }

    @Test("samplers have the names that a session's file gives them", arguments: ["proportional", "temperature 2.0", "round-robin"])
    func names(_ name: String) throws { #expect(try #require(JointSampler(name)).description == name) }

    @Test("anything else is none", arguments: ["", "temperature", "temperature 0", "temperature x", "random", "proportional 2"])
    func refused(_ name: String) { #expect(JointSampler(name) == nil) }

    @Test("a small data set is drawn from more often at a high temperature, and heads of one data set share the body's pass")
    func shares() throws {
        var settings = TinySession.settings
        settings.sampler = .roundRobin
        settings.epochs = 1
        let session = TinySession(hasBody: true), trainer = try session.trainer(settings)
        #expect(trainer.order.quotas[0] == trainer.order.quotas[1] || abs(trainer.order.quotas[0] - trainer.order.quotas[1]) == 1)
        var steps = 0
        while !trainer.isValidating {
            guard case .step(let losses, _) = try trainer.advance() else { Issue.record("no step"); return }
            steps += 1
            #expect(Set(losses.keys) == ["colour", "shape", "size"])
        }
        // Three heads and two data sets, and one pass a step.
        #expect(session.body?.passes == steps && steps == trainer.totalSteps)
    }
}
