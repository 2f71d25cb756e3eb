import Foundation
import State
import Statistics
import TensorCore
import Testing
import TestSupport

@testable import Heads
@testable import Training
@testable import Workbench

@Suite("Records of runs")
struct RunRecordTests {
    private func request(_ head: String, seed: UInt64 = 0, kind: HeadKind = .linear, test: LabelledRows? = rows(80, salt: 9_999)) -> TrainingRequest {
        var request = TrainingRequest(head: head, encoder: "tiny", kind: kind, rows: rows(300), test: test)
        request.settings.seed = seed
        request.settings.epochs = 8
        return request
    }

    @Test("a run says with what, where and on which data it was made, and what it took")
    func provenance() async throws {
        let bench = try await Bench()
        let first = try await bench.workbench.train(request("first")).run, again = try await bench.workbench.train(request("again", seed: 5)).run
        let provenance = try #require(first.provenance)
        #expect(provenance.coreSeconds > 0 && provenance.machine.cores > 0 && provenance.machine.memoryBytes > 1 << 20)
        #expect(provenance.machine.kernels == KernelLevel.current && provenance.rates == EnergyRates())
        let encoder = try await bench.workbench.registry.encoder(named: "tiny")
        #expect(provenance.encoderDigests["tiny"] == encoder.digest)
        #expect(provenance.dataDigest == again.provenance?.dataDigest && provenance.testDigest == again.provenance?.testDigest)
        #expect(provenance.seed == 0 && again.provenance?.seed == 5)
        let kept = try await bench.workbench.registry.run(first.id)
        #expect(kept == first)
        try await bench.workbench.close()
    }

    @Test("core-seconds are charged to the client as well")
    func charged() async throws {
        let bench = try await Bench(), client = Meter()
        let run = try await Meter.$current.withValue(client) { try await bench.workbench.train(request("charged")).run }
        let own = run.provenance?.coreSeconds ?? 0
        #expect(own > 0 && abs(client.used.coreSeconds - own) < 1e-9)
        try await bench.workbench.close()
    }

    @Test("what is kept of the test rows gives the reported accuracy, and a map as NumPy's would be")
    func testRows() async throws {
        let bench = try await Bench()
        let outcome = try await bench.workbench.train(request("kept"))
        let answers = try await bench.workbench.testRows(of: "kept").rows, rows = try #require(answers)
        let right = try #require(rows.isRight)
        #expect(right.count == 80 && rows.keys.values.count == 80)
        #expect(Double(right.count { $0 }) / 80 == outcome.run.metrics["accuracy"])
        #expect(rows.confidence?.values.allSatisfy { $0 > 0.2 && $0 <= 1 } ?? false)
        #expect(rows.map?.values.count == 160 && rows.mapped?.values == (0..<80).map { UInt32($0) })
        let shares = rows.explained ?? []
        #expect(shares.count == 2 && shares[0] >= shares[1] && shares[1] > 0 && shares.reduce(0, +) <= 1)
        try await bench.workbench.close()
    }

    @Test("principal axes are eigenvectors: the projections' variances are the eigenvalues, and they are uncorrelated")
    func principalMap() throws {
        // Along (3, 4, 0)/5 with deviation 5, along (0, 0, 1) with deviation 2, and next to nothing else.
        var random = Random(seed: 4)
        func normal() -> Float { (0..<12).reduce(-6) { sum, _ in sum + random.uniform() } }
        var values: [Float] = []
        for _ in 0..<2_000 {
            let a = 5 * normal(), b = 2 * normal(), c = 0.1 * normal()
            values += [0.6 * a - 0.8 * c + 10, 0.8 * a + 0.6 * c - 3, b]
        }
        let map = try #require(PrincipalMap(table: FeatureTable(Tensor(values, [2_000, 3])), rows: Array(0..<2_000)))
        let x = (0..<2_000).map { Double(map.points[2 * $0]) }, y = (0..<2_000).map { Double(map.points[2 * $0 + 1]) }
        func covariance(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } / 2_000 }
        #expect(abs(x.reduce(0, +) / 2_000) < 1e-3 && abs(covariance(x, y)) < 1e-2 * covariance(y, y))
        #expect(abs(covariance(x, x).squareRoot() - 5) < 0.3 && abs(covariance(y, y).squareRoot() - 2) < 0.15)
        #expect(abs(map.explained[0] - 25.0 / 29) < 0.02 && abs(map.explained[1] - 4.0 / 29) < 0.02)
        #expect(PrincipalMap(table: FeatureTable(Tensor([Float](repeating: 2, count: 30), [10, 3])), rows: Array(0..<10)) == nil)
    }

    @Test("two runs on the same test rows are compared row by row, with what differs in their settings")
    func compare() async throws {
        let bench = try await Bench()
        _ = try await bench.workbench.train(request("a"))
        _ = try await bench.workbench.train(request("b", seed: 3, kind: .mlp(hidden: 16, dropout: 0)))
        let result = try await bench.workbench.compare("a", "b", seed: 1)
        guard case .mcNemar(let test, let rows, _) = result.test else { return #expect(Bool(false)) }
        let kept = [try await bench.workbench.testRows(of: "a").rows?.isRight, try await bench.workbench.testRows(of: "b").rows?.isRight]
        let first = try #require(kept[0]), second = try #require(kept[1])
        #expect(rows == 80 && test == McNemar(first: first, second: second))
        let names = Set(result.settings.map(\.name))
        #expect(names.contains("settings.seed") && names.contains { $0.hasPrefix("kind") } && !names.contains("settings.epochs"))
        let same = try await bench.workbench.compare("a", "a", seed: 1)
        #expect(same.settings.isEmpty)
        try await bench.workbench.close()
    }

    @Test("runs on other test rows, on none, and of other tasks are refused; the same rows in another order are not")
    func refused() async throws {
        let bench = try await Bench(), test = rows(80, salt: 9_999)
        _ = try await bench.workbench.train(request("a"))
        _ = try await bench.workbench.train(request("other", test: rows(80, salt: 5)))
        _ = try await bench.workbench.train(request("untested", test: nil))
        _ = try await bench.workbench.train(request("turned", test: test.selecting((0..<80).reversed())))
        let conflict = await #expect(throws: WorkbenchError.self) { try await bench.workbench.compare("a", "other", seed: 0) }
        #expect(conflict?.code == .conflict && conflict?.message.contains("different rows") ?? false)
        let missing = await #expect(throws: WorkbenchError.self) { try await bench.workbench.compare("a", "untested", seed: 0) }
        #expect(missing?.code == .notFound)
        guard case .mcNemar(let same, _, let interval) = try await bench.workbench.compare("a", "turned", seed: 0).test else {
            return #expect(Bool(false))
        }
        #expect(same.pValue == 1 && interval.mean == 0)
        try await bench.workbench.close()
    }

    @Test("numbers, several labels and words are compared by their errors")
    func otherTasks() async throws {
        let bench = try await Bench(), base = rows(200)
        let numbers = LabelledRows(columns: base.columns, labels: base.labels.map { String(Int($0.unicodeScalars.first?.value ?? 0)) })
        let several = LabelledRows(columns: base.columns, labels: base.labels.map { "\($0)|\($0 == "a" ? "x" : "y")" })
        for (task, data, quantity) in [(HeadTask.regress, numbers, "absolute error"), (.multilabel, several, "wrong labels")] {
            for (name, epochs) in [("\(task)-1", 1), ("\(task)-2", 20)] {
                var request = TrainingRequest(head: name, encoder: "tiny", task: task, rows: data, holdout: 0.2)
                request.settings.epochs = epochs
                _ = try await bench.workbench.train(request)
            }
            let result = try await bench.workbench.compare("\(task)-1", "\(task)-2", seed: 0)
            guard case .signFlip(let test, let rows, let what) = result.test else { return #expect(Bool(false)) }
            #expect(what == quantity && rows == 40 && test.mean <= 0, "\(task): \(test)")
        }
        try await bench.workbench.close()
    }
}
