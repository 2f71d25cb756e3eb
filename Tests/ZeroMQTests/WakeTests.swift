import Glibc
import Testing
import ZeroMQ

@Suite("Wake-ups and polling")
struct WakeTests {
    @Test("A signal from another thread ends a poll without limit")
    func wakes() async throws {
        let wake = try WakeFD()
        let ready = try await onOwnedThread {
            var poller = Poller()
            let token = poller.add(wake)
            try OwnedThread.start("signaller") { wake.signal() }
            try poller.wait(nil)
            return poller.ready(token).contains(.readable)
        }
        #expect(ready)
    }

    @Test("Many signals before a drain count as one, and none is left after it")
    func coalesces() throws {
        let wake = try WakeFD()
        // More than a pipe holds: signalling never blocks.
        for _ in 0..<100_000 { wake.signal() }
        wake.drain()
        var poller = Poller()
        let token = poller.add(wake)
        try poller.wait(.zero)
        #expect(!poller.ready(token).contains(.readable))
    }

    @Test("A socket without interest does not wake the poll")
    func noInterest() throws {
        let context = try Context()
        defer { context.terminate() }
        try pollWithoutInterest(in: context)
    }

    private func pollWithoutInterest(in context: Context) throws {
        let left = try Socket(.pair, in: context)
        try left.bind("inproc://interest")
        let right = try Socket(.pair, in: context)
        try right.connect("inproc://interest")
        #expect(try right.send([[1]]) == .sent)
        var poller = Poller()
        let token = poller.add(left)
        poller.set([], for: token)
        try poller.wait(.milliseconds(5))
        #expect(poller.ready(token).isEmpty)
        poller.set(.readable, for: token)
        try poller.wait(.seconds(5))
        #expect(poller.ready(token) == .readable)
    }

    @Test("A monitor tells a connection that works from one that is refused")
    func monitor() async throws {
        let path = "/tmp/hidra-zmq-test-\(UInt32.random(in: 0...(.max))).sock"
        defer { unlink(path) }
        let events = try await onOwnedThread {
            let context = try Context()
            defer { context.terminate() }
            return (
                try firstEvent(in: context, bind: "ipc://" + path), try firstEvent(in: context, bind: nil)
            )
        }
        #expect(events.0 == .connected)
        #expect(events.1 == .lost)
    }
}

/// The first telling event of a DEALER that connects to a ROUTER at `endpoint`, or to nobody when it is nil.
private func firstEvent(in context: Context, bind endpoint: String?) throws -> Monitor.Event? {
    let router = try Socket(.router, in: context)
    if let endpoint { try router.bind(endpoint) }
    let dealer = try Socket(.dealer, in: context)
    try dealer.set(.reconnectInterval(.seconds(600)))
    let monitor = try Monitor(of: dealer, in: context, name: endpoint ?? "nobody")
    try dealer.connect(endpoint ?? "ipc:///nonexistent/hidra-test.sock")
    var poller = Poller()
    _ = poller.add(monitor.socket)
    for _ in 0..<20 {
        try poller.wait(.seconds(2))
        while let event = try monitor.next() {
            if event != .other { return event }
        }
    }
    return nil
}

/// Runs blocking work off the cooperative pool.
private func onOwnedThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        do {
            try OwnedThread.start("test") { continuation.resume(with: Result(catching: work)) }
        } catch {
            continuation.resume(throwing: error)
        }
    }
}
