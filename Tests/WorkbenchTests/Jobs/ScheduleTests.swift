import State
import Testing

@testable import Workbench

@Suite("The scheduler's choice")
struct ScheduleTests {
    private func waiting(_ id: UInt64, _ priority: Priority, served: Double = 0) -> Waiting {
        Waiting(id: id, priority: priority, arrival: id, served: served)
    }

    @Test("interactive goes before training, training before bulk")
    func classes() {
        let queue = [waiting(1, .bulk), waiting(2, .training), waiting(3, .interactive)]
        #expect(Schedule.next(queue) == 3)
        #expect(Schedule.next(Array(queue.prefix(2))) == 2)
    }

    @Test("within a class the least served goes first, then the first come")
    func fairness() {
        #expect(Schedule.next([waiting(1, .training, served: 2), waiting(2, .training, served: 1)]) == 2)
        #expect(Schedule.next([waiting(2, .interactive), waiting(1, .interactive)]) == 1)
    }

    @Test("nobody waits, nobody is chosen")
    func empty() { #expect(Schedule.next([]) == nil) }
}

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
