import Encoders
import Foundation
import Scheduling
import State
import Synchronization
import TensorCore

/// Small requests of any clients, encoded together: whatever waits when the engine is free goes in one batch under a budget. Nothing waits
/// for company. An input that several ask for is encoded once, at all the taps they ask for.
final class DynamicBatcher: Sendable {
    /// Inputs of one caller.
    struct Question: Sendable {
        let tap: Int
        let digests: [InputDigest]
        let inputs: [PreparedInput]
    }

    private struct Pending {
        let question: Question
        let width: Int
        /// Row-major `[inputs, width]`
        var values: [Float]
        var missing: Int
        /// Pays for its inputs.
        let meter: Meter?
        let answer: CheckedContinuation<[Float], any Error>
    }

    /// What waits for one encoder.
    private struct Lane {
        var queue = BatchQueue()
        var pending: [UInt64: Pending] = [:]
        /// Whether a task of this lane is with the compute service.
        var isRunning = false
    }

    private struct State {
        var lanes: [FeatureSpace: Lane] = [:]
        var nextID: UInt64 = 0
    }

    private let compute: ComputeService
    let budget: UnitBudget
    private let state = Mutex(State())

    init(compute: ComputeService, budget: UnitBudget) {
        self.compute = compute
        self.budget = budget
    }

    /// Requests that have not been answered.
    var waitingRequests: Int { state.withLock { $0.lanes.values.reduce(0) { $0 + $1.pending.count } } }

    /// Features `[inputs, width of the tap]`, row-major. Cancelling the calling task takes the inputs out of the queue.
    func features(_ question: Question, of loaded: LoadedEncoder) async throws -> [Float] {
        if question.inputs.isEmpty { return [] }
        let meter = Meter.current
        try meter?.requireTime()
        let lane = loaded.space(tap: 0), width = loaded.encoder.taps[question.tap].width
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // Cancelled before it was queued: the handler ran first and found nothing to take out.
                if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
                let mustStart = state.withLock { state in
                    state.lanes[lane, default: Lane()].queue.add(id, costs: question.inputs.map(budget.cost))
                    state.lanes[lane]?.pending[id] = Pending(
                        question: question, width: width,
                        values: [Float](repeating: 0, count: question.inputs.count * width), missing: question.inputs.count,
                        meter: meter, answer: continuation)
                    defer { state.lanes[lane]?.isRunning = true }
                    return state.lanes[lane]?.isRunning == false
                }
                if mustStart { start(lane, loaded) }
            }
        } onCancel: {
            let pending = state.withLock { state in
                state.lanes[lane]?.queue.remove(id)
                return state.lanes[lane]?.pending.removeValue(forKey: id)
            }
            pending?.answer.resume(throwing: CancellationError())
        }
    }

    private func start(_ lane: FeatureSpace, _ loaded: LoadedEncoder) {
        compute.start(.interactive) { Units(batcher: self, lane: lane, encoder: loaded.encoder) } completion: { [self] result in
            guard case .failure(let error) = result else { return }
            let lost = state.withLock { $0.lanes.removeValue(forKey: lane)?.pending ?? [:] }
            for pending in lost.values { pending.answer.resume(throwing: error) }
        }
    }

    /// One lane's batches, one a unit, until nothing waits.
    private struct Units: ComputeTask {
        let batcher: DynamicBatcher
        let lane: FeatureSpace
        let encoder: any FeatureEncoder

        func step() throws -> Void? {
            guard let batch = batcher.nextBatch(lane) else { return () }
            let start = ContinuousClock.now
            for group in batch.groups { batcher.encode(group, encoder, lane) }
            // What several asked for at a time they pay for in equal parts, input by input.
            let seconds = (ContinuousClock.now - start) / .seconds(1) * Double(WorkerPool.shared.threads)
            for meter in batch.meters { meter.charge(coreSeconds: seconds / Double(batch.asked)) }
            return nil
        }
    }

    private func nextBatch(_ lane: FeatureSpace) -> Batch? {
        state.withLock { state in
            let items = state.lanes[lane]?.queue.take(limit: budget.limit) ?? []
            guard !items.isEmpty else {
                state.lanes[lane] = nil
                return nil
            }
            var batch = Batch()
            for item in items {
                guard let pending = state.lanes[lane]?.pending[item.request] else { continue }
                let question = pending.question
                batch.asked += 1
                if let meter = pending.meter { batch.meters.append(meter) }
                batch.add(question.inputs[item.index], question.digests[item.index], tap: question.tap, for: item)
            }
            return batch
        }
    }

    private func encode(_ group: Batch.Group, _ encoder: any FeatureEncoder, _ lane: FeatureSpace) {
        do {
            let features = try encoder.features(group.entries.map(\.input), taps: group.taps)
            deliver(group, features, lane)
        } catch {
            guard group.entries.count > 1 else { return fail(group, error, lane) }
            // An input that an encoder cannot take fails alone.
            for entry in group.entries { encode(Batch.Group(taps: group.taps, entries: [entry]), encoder, lane) }
        }
    }

    private func deliver(_ group: Batch.Group, _ features: [Tensor], _ lane: FeatureSpace) {
        let answered = state.withLock { state in
            var answered: [Pending] = []
            for (row, entry) in group.entries.enumerated() {
                for asker in entry.askers {
                    guard let tap = group.taps.firstIndex(of: asker.tap),
                        var pending = state.lanes[lane]?.pending.removeValue(forKey: asker.item.request)
                    else { continue }
                    let width = pending.width, source = features[tap].pointer + row * width
                    pending.values.withUnsafeMutableBufferPointer { target in
                        for column in 0..<width { target[asker.item.index * width + column] = source[column] }
                    }
                    pending.missing -= 1
                    if pending.missing == 0 {
                        answered.append(pending)
                    } else {
                        state.lanes[lane]?.pending[asker.item.request] = pending
                    }
                }
            }
            return answered
        }
        for pending in answered { pending.answer.resume(returning: pending.values) }
    }

    private func fail(_ group: Batch.Group, _ error: any Error, _ lane: FeatureSpace) {
        let failed = state.withLock { state in
            group.entries.flatMap(\.askers).compactMap { asker in
                state.lanes[lane]?.queue.remove(asker.item.request)
                return state.lanes[lane]?.pending.removeValue(forKey: asker.item.request)
            }
        }
        for pending in failed { pending.answer.resume(throwing: error) }
    }
}

/// Inputs that go through the encoder together: each distinct one once, those that need the same taps in one pass.
private struct Batch {
    struct Entry {
        let input: PreparedInput
        var askers: [(item: BatchQueue.Item, tap: Int)]
    }

    struct Group {
        let taps: [Int]
        let entries: [Entry]
    }

    /// Inputs asked for, and of each the meter that pays, if any.
    var asked = 0, meters: [Meter] = []
    private var entries: [Entry] = []
    private var positions: [InputDigest: Int] = [:]

    mutating func add(_ input: PreparedInput, _ digest: InputDigest, tap: Int, for item: BatchQueue.Item) {
        if let position = positions[digest] {
            entries[position].askers.append((item, tap))
        } else {
            positions[digest] = entries.count
            entries.append(Entry(input: input, askers: [(item, tap)]))
        }
    }

    /// Nothing above the deepest tap that is asked of an input is computed for it.
    var groups: [Group] {
        Dictionary(grouping: entries) { Set($0.askers.map(\.tap)).sorted() }.map { Group(taps: $0, entries: $1) }
    }
}
