import Encoders
import Foundation
import Scheduling
import State
import Synchronization
import TensorCore
import Testing
import TestSupport

@testable import Workbench

/// The tiny encoder, remembering what it was given.
private final class Recorder: FeatureEncoder {
    struct Pass: Hashable {
        let inputs: Int
        let taps: [Int]
    }

    struct Refusal: Error {}

    let inner: TextEncoder
    let refused: Int?
    let passes = Mutex<[Pass]>([])

    /// - Parameter refused: texts of so many tokens make a pass fail.
    init(_ folder: URL, refused: Int? = nil) throws {
        inner = try TextEncoder(folder: folder)
        self.refused = refused
    }

    var architecture: String { inner.architecture }
    var modality: Modality { inner.modality }
    var taps: [Tap] { inner.taps }
    var parameterCount: Int { inner.parameterCount }
    var maxTokens: Int { inner.maxTokens }
    var poolingName: String { inner.poolingName }
    var preprocessing: String { inner.preprocessing }
    func prepare(_ input: EncoderInput) throws -> PreparedInput { try inner.prepare(input) }
    func releasePages() {}

    func features(_ inputs: [PreparedInput], taps: [Int]) throws -> [Tensor] {
        passes.withLock { $0.append(Pass(inputs: inputs.count, taps: taps)) }
        if inputs.contains(where: { $0.tokens == refused }) { throw Refusal() }
        return inner.features(inputs, taps: taps)
    }
}

/// Keeps the compute thread busy until it is told to go on.
private final class Gate: Sendable {
    private let isOpen = Atomic<Bool>(false)
    private let hasBegun = Atomic<Bool>(false)

    /// Whether the unit is under way.
    var isHeld: Bool { hasBegun.load(ordering: .acquiring) }

    func open() { isOpen.store(true, ordering: .releasing) }

    /// One unit that lasts until then: a task that returned in between would let others through.
    struct Task: ComputeTask {
        let gate: Gate
        func step() throws -> Bool? {
            gate.hasBegun.store(true, ordering: .releasing)
            while !gate.isOpen.load(ordering: .acquiring) { usleep(100) }
            return true
        }
    }
}

@Suite("Dynamic batching")
struct DynamicBatcherTests {
    private let folder: TemporaryFolder
    private let compute = ComputeService()

    init() throws {
        folder = try TemporaryFolder()
        try TinyEncoder.write(to: folder.url)
    }

    private func loaded(_ encoder: any FeatureEncoder) -> LoadedEncoder {
        LoadedEncoder(
            record: EncoderRecord(
                name: "tiny", architecture: "bert", parameters: 1, width: 32, layers: 2, maxTokens: 24, pooling: "mean",
                source: "test", digest: "d", created: 0), encoder: encoder)
    }

    private func question(_ texts: [String], tap: Int, _ encoder: any FeatureEncoder) throws -> DynamicBatcher.Question {
        DynamicBatcher.Question(
            tap: tap, digests: texts.map(InputDigest.init(text:)), inputs: try texts.map { try encoder.prepare(.text($0)) })
    }

    /// Asks all questions while the compute thread is busy, then lets it go on.
    private func answers(
        _ questions: [(texts: [String], tap: Int)], _ recorder: Recorder
    ) async throws -> [Result<[Float], any Error>] {
        let batcher = DynamicBatcher(compute: compute, budget: UnitBudget()), loaded = loaded(recorder)
        let gate = Gate()
        let busy = Task { try await compute.run(.interactive) { Gate.Task(gate: gate) } }
        while !gate.isHeld { await Task.yield() }
        let asked = try questions.map { texts, tap in
            let question = try self.question(texts, tap: tap, recorder)
            return Task { try await batcher.features(question, of: loaded) }
        }
        while batcher.waitingRequests < questions.count { await Task.yield() }
        gate.open()
        var results: [Result<[Float], any Error>] = []
        for task in asked { results.append(await task.result) }
        _ = try await busy.value
        return results
    }

    @Test("what waits when the engine is free goes in one pass, equal texts once, and everybody gets the vector the text has alone")
    func oneBatch() async throws {
        let recorder = try Recorder(folder.url)
        let texts = (0..<12).map { "a b \("cdef".prefix($0 % 4))" }
        let results = try await answers(texts.map { ([$0], 2) }, recorder)
        #expect(recorder.passes.withLock { $0 } == [Recorder.Pass(inputs: 4, taps: [2])])
        for (text, result) in zip(texts, results) {
            #expect(try result.get() == recorder.inner.features([recorder.inner.tokenize(text)]).values)
        }
        await compute.stop()
    }

    @Test("a text that is asked for at two taps is encoded once, and nothing above the tap of another is computed for it")
    func taps() async throws {
        let recorder = try Recorder(folder.url)
        let results = try await answers([(["a b"], 1), (["a b"], 2), (["c d"], 1), (["e", "f"], 0)], recorder)
        #expect(
            Set(recorder.passes.withLock { $0 }) == [
                .init(inputs: 1, taps: [1, 2]), .init(inputs: 2, taps: [0]), .init(inputs: 1, taps: [1]),
            ])
        #expect(try results[0].get() == recorder.inner.features([recorder.inner.tokenize("a b")], tap: 1).values)
        #expect(try results[1].get() == recorder.inner.features([recorder.inner.tokenize("a b")], tap: 2).values)
        #expect(try results[3].get().count == 64)
        await compute.stop()
    }

    @Test("an input that the encoder cannot take fails alone")
    func failsAlone() async throws {
        let recorder = try Recorder(folder.url, refused: 5)
        let results = try await answers([(["a"], 2), (["a b c"], 2), (["d"], 2)], recorder)
        #expect(throws: Recorder.Refusal.self) { try results[1].get() }
        #expect(try results[0].get() == recorder.inner.features([recorder.inner.tokenize("a")]).values)
        #expect(try results[2].get() == recorder.inner.features([recorder.inner.tokenize("d")]).values)
        await compute.stop()
    }

    @Test("who gives up is not encoded, and a service that stops answers everybody who waits")
    func givingUp() async throws {
        let recorder = try Recorder(folder.url), batcher = DynamicBatcher(compute: compute, budget: UnitBudget())
        let loaded = loaded(recorder), gate = Gate()
        let busy = Task { try await compute.run(.interactive) { Gate.Task(gate: gate) } }
        while !gate.isHeld { await Task.yield() }
        let first = try question(["a"], tap: 2, recorder), second = try question(["b"], tap: 2, recorder)
        let gone = Task { try await batcher.features(first, of: loaded) }
        while batcher.waitingRequests < 1 { await Task.yield() }
        gone.cancel()
        await #expect(throws: CancellationError.self) { try await gone.value }
        #expect(batcher.waitingRequests == 0)
        let lost = Task { try await batcher.features(second, of: loaded) }
        while batcher.waitingRequests < 1 { await Task.yield() }
        let stop = Task { await compute.stop() }
        while !compute.isStopping { await Task.yield() }
        gate.open()
        await stop.value
        await #expect(throws: WorkbenchError.self) { try await lost.value }
        #expect(try await busy.value)
        #expect(recorder.passes.withLock { $0 }.isEmpty)
    }
}
