import Scheduling
import State
import Synchronization
import TensorCore
import Testing

@testable import Workbench

/// Counts down; says which of its units ran when.
private struct Countdown: ComputeTask {
    var left: Int
    let tick: @Sendable () -> Void

    mutating func step() throws -> Int? {
        tick()
        left -= 1
        return left == 0 ? 42 : nil
    }
}

@Suite("The compute thread")
struct ComputeServiceTests {
    @Test("a task runs to its result")
    func result() async throws {
        let compute = ComputeService()
        #expect(try await compute.run(.training) { Countdown(left: 5) {} } == 42)
        await compute.stop()
    }

    @Test("an interactive task overtakes a running training between two units")
    func overtakes() async throws {
        let compute = ComputeService()
        let started = AsyncStream.makeStream(of: Void.self)
        let training = Task {
            try await compute.run(.training) { Countdown(left: 1_000_000) { started.continuation.yield() } }
        }
        for await _ in started.stream { break }
        #expect(try await compute.perform(.interactive) { 7 } == 7)
        training.cancel()
        await #expect(throws: CancellationError.self) { try await training.value }
        await compute.stop()
    }

    @Test("an error in a unit reaches its caller and nobody else")
    func failure() async throws {
        let compute = ComputeService()
        await #expect(throws: WorkbenchError.self) {
            try await compute.perform(.training) { throw WorkbenchError(.invalidData, "no") }
        }
        #expect(try await compute.perform(.training) { 1 } == 1)
        await compute.stop()
    }

    @Test("stopping answers everyone who waits")
    func stopping() async throws {
        let compute = ComputeService()
        let tasks = (0..<4).map { _ in Task { try await compute.run(.bulk) { Countdown(left: .max) {} } } }
        while compute.waiting[.bulk] != 4 { await Task.yield() }
        await compute.stop()
        for task in tasks { await #expect(throws: WorkbenchError.self) { try await task.value } }
        await #expect(throws: WorkbenchError.self) { try await compute.perform(.interactive) { 1 } }
    }
}

/// One long unit of many products; says how many it has done.
private struct LongUnit: ComputeTask {
    let pieces: Int
    let tick: @Sendable (Int) -> Void

    mutating func step() throws -> [Float]? {
        var x = Tensor((0..<64 * 256).map { Float($0 % 7) / 7 }, [64, 256])
        let w = Tensor((0..<256 * 256).map { Float($0 % 13) / 1536 }, [256, 256])
        for piece in 0..<pieces {
            tick(piece)
            x = LinearProduct()(x, w)
        }
        return x.values
    }
}

@Suite("A long unit of training")
struct BreakTests {
    @Test("lets predictions in between its products, and computes what it would have computed")
    func breaks() async throws {
        let compute = ComputeService(), pieces = 3_000
        let started = AsyncStream.makeStream(of: Void.self)
        let undisturbed = try await compute.perform(.training) {
            var unit = LongUnit(pieces: pieces) { _ in }
            return try unit.step()
        }
        let box = Reached()
        let training = Task {
            try await compute.run(.training) {
                LongUnit(pieces: pieces) { piece in
                    box.value.store(piece, ordering: .relaxed)
                    if piece == 10 { started.continuation.finish() }
                }
            }
        }
        for await _ in started.stream {}
        // In the middle of the only unit there is.
        let at = try await compute.perform(.interactive) { () -> Int in
            let y = LinearProduct()(Tensor(repeating: 1, [64, 256]), Tensor(repeating: 1, [256, 256]))
            return y.values[0] == 256 ? box.value.load(ordering: .relaxed) : -1
        }
        #expect(at >= 10 && at < pieces - 1, "answered after \(at) of \(pieces) products")
        let values = try #require(undisturbed)
        #expect(values.contains { $0 != 0 } && values.allSatisfy(\.isFinite))
        #expect(try await training.value == values)
        await compute.stop()
    }
}

private final class Reached: Sendable {
    let value = Atomic<Int>(0)
}
