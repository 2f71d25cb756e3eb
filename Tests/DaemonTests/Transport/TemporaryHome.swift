import Daemon
import Foundation
import HidraProtocol
import Synchronization

/// A home of its own for one test, removed with its sockets at the end.
final class TemporaryHome: Sendable {
    let home: Home

    init() {
        let name = "hidra-test-" + String(UInt64.random(in: 0...(.max)), radix: 36)
        home = Home(path: FileManager.default.temporaryDirectory.path + "/" + name)
    }

    var endpoints: Endpoints { Endpoints(home: home) }

    deinit {
        for path in [home.path, endpoints.directory] where FileManager.default.fileExists(atPath: path) {
            do { try FileManager.default.removeItem(atPath: path) } catch { print("\(path) stays: \(error)") }
        }
    }
}

/// Values that other threads append, and a wait for the first that fits.
final class Recorder<Value: Sendable>: Sendable {
    private let state = Mutex<(values: [Value], waiters: [@Sendable () -> Void])>(([], []))

    func append(_ value: Value) {
        let waiters = state.withLock { state in
            state.values.append(value)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter() }
    }

    var values: [Value] { state.withLock { $0.values } }

    /// Waits, up to a generous limit, until some value fits.
    func first(within limit: Duration = .seconds(10), where fits: @escaping @Sendable (Value) -> Bool) async -> Value? {
        let deadline = ContinuousClock.now + limit
        while true {
            let seen = values
            if let value = seen.first(where: fits) { return value }
            if deadline <= .now { return nil }
            await change(from: seen.count, deadline)
        }
    }

    private func change(from count: Int, _ deadline: ContinuousClock.Instant) async {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        let changed = state.withLock { state in
            guard state.values.count == count else { return true }
            state.waiters.append { continuation.finish() }
            return false
        }
        if changed { return }
        // The limit only matters for a test that fails.
        let timer = Task {
            try await Task.sleep(until: deadline, clock: .continuous)
            continuation.finish()
        }
        for await _ in stream {}
        timer.cancel()
    }
}
