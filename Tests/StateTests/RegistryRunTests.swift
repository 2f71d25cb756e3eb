import Foundation
import GRDB
import Testing

@testable import State

@Suite("Runs")
struct RegistryRunTests {
    let state: TemporaryState
    let registry: Registry

    init() throws {
        state = try TemporaryState()
        registry = try state.registry().registry
    }

    @Test("A run is recorded from its start to its end, with its metrics in order")
    func lifecycle() async throws {
        let run = try await registry.beginRun(head: "bank", encoder: "minilm", configuration: #"{"seed":7}"#)
        #expect(run.state == .running && run.id.count == 12 && run.ended == nil)
        #expect(try await registry.item(named: run.id) == .run(run))
        try await registry.addMetrics([
            MetricRecord(run: run.id, step: 2, name: "loss", value: 0.5),
            MetricRecord(run: run.id, step: 1, name: "loss", value: 0.9),
            MetricRecord(run: run.id, step: 1, name: "accuracy", value: 0.1),
        ])
        try await registry.addMetrics([MetricRecord(run: run.id, step: 2, name: "loss", value: 0.4)])
        let history = try await registry.history(run: run.id)
        #expect(history.map(\.step) == [1, 1, 2])
        #expect(history.map(\.name) == ["accuracy", "loss", "loss"])
        #expect(history.map(\.value) == [0.1, 0.9, 0.4])

        let done = try await registry.finishRun(
            run.id, state: .finished, metrics: ["accuracy": 0.93], seconds: ["training": 1.5])
        #expect(done.state == .finished && done.metrics == ["accuracy": 0.93] && done.seconds == ["training": 1.5])
        #expect(try #require(done.ended) >= done.started)
        #expect(done.configuration == #"{"seed":7}"#)
        let again = try await registry.finishRun(run.id, state: .failed, message: "late")
        #expect(again == done, "the first end stands")
    }

    @Test("A diverged run keeps its NaN and infinite losses")
    func nonFinite() async throws {
        let run = try await registry.beginRun(head: "h", encoder: "e", configuration: "{}")
        let values = [Double.nan, .infinity, -.infinity, .leastNonzeroMagnitude]
        try await registry.addMetrics(
            values.enumerated().map { MetricRecord(run: run.id, step: $0.offset, name: "loss", value: $0.element) })
        let found = try await registry.history(run: run.id).map(\.value)
        #expect(found[0].isNaN)
        #expect(Array(found[1...]) == Array(values[1...]))
    }

    @Test("Metrics of an unknown run are refused as a whole batch")
    func unknownRun() async throws {
        let run = try await registry.beginRun(head: "h", encoder: "e", configuration: "{}")
        let error = try await workbenchError {
            try await registry.addMetrics([
                MetricRecord(run: run.id, step: 1, name: "loss", value: 1),
                MetricRecord(run: "run-ffffffff", step: 1, name: "loss", value: 1),
            ])
        }
        #expect(error.code == .notFound)
        #expect(try await registry.history(run: run.id).isEmpty)
        for lookup in [
            { _ = try await registry.run("run-ffffffff") }, { _ = try await registry.history(run: "run-ffffffff") },
            { _ = try await registry.finishRun("run-ffffffff", state: .failed) },
        ] as [() async throws -> Void] {
            #expect(try await workbenchError(lookup).code == .notFound)
        }
    }

    @Test("The end of a run is recorded by a task that was cancelled")
    func cancelledTask() async throws {
        let run = try await registry.beginRun(head: "h", encoder: "e", configuration: "{}")
        let task = Task { [registry] in
            withUnsafeCurrentTask { $0?.cancel() }
            #expect(Task.isCancelled)
            return try await registry.finishRun(run.id, state: .cancelled, message: "by the user")
        }
        #expect(try await task.value.state == .cancelled)
    }

    @Test("Runs beyond the thousand latest are forgotten with their metrics and files")
    func prunes() async throws {
        let first = try await registry.beginRun(head: "h", encoder: "e", configuration: "{}")
        try await registry.addMetrics([MetricRecord(run: first.id, step: 1, name: "loss", value: 1)])
        try await registry.finishRun(first.id, state: .finished)
        try state.write("checkpoint", to: "runs/\(first.id)/step-1")
        let running = try await registry.beginRun(head: "h", encoder: "e", configuration: "{}")
        try await registry.database.write { db in
            for index in 0..<Registry.keptRuns {
                try RunRecord(
                    id: "filler-\(index)", head: "h", encoder: "e", state: .finished, started: 0, configuration: "{}"
                ).insert(db)
            }
        }
        _ = try await registry.beginRun(head: "h", encoder: "e", configuration: "{}")
        #expect(try await workbenchError { _ = try await registry.run(first.id) }.code == .notFound)
        #expect(try await registry.run("filler-0").id == "filler-0")
        #expect(try await registry.run(running.id).state == .running, "a run in progress is never forgotten")
        #expect(!state.exists("runs/\(first.id)"))
        let metrics = try await registry.database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM metric") }
        #expect(metrics == 0)
    }

    @Test("A run that has ended can be removed, one in progress cannot")
    func removes() async throws {
        let run = try await registry.beginRun(head: "h", encoder: "e", configuration: "{}")
        try state.write("checkpoint", to: "runs/\(run.id)/step-1")
        let error = try await workbenchError { _ = try await registry.remove(named: run.id, withHeads: false) }
        #expect(error.code == .invalidArgument)
        try await registry.finishRun(run.id, state: .failed)
        let removal = try await registry.remove(named: run.id, withHeads: false)
        #expect(removal == Removal(names: [run.id], bytesFreed: 10, weightsDigests: []))
        #expect(try await registry.runs().isEmpty)
        #expect(!state.exists("runs/\(run.id)"))
    }

    @Test("Runs are listed latest first")
    func lists() async throws {
        var ids: [String] = []
        for _ in 0..<5 { ids.append(try await registry.beginRun(head: "h", encoder: "e", configuration: "{}").id) }
        #expect(try await registry.runs().map(\.id) == ids.reversed())
        #expect(try await registry.runs(limit: 2).map(\.id) == [ids[4], ids[3]])
    }
}
