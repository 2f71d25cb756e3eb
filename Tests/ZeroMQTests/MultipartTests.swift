import Testing
import ZeroMQ

/// A DEALER connected to a ROUTER, both owned by the test's thread.
private func withPair(
    maximumMessageBytes: Int64 = 64 << 20,
    _ body: (_ router: borrowing Socket, _ dealer: borrowing Socket) throws -> Void
) throws {
    let context = try Context()
    defer { context.terminate() }
    try exchange(in: context, maximumMessageBytes: maximumMessageBytes, body)
}

/// In a function of its own, so that the sockets are gone when the context is terminated.
private func exchange(
    in context: Context, maximumMessageBytes: Int64,
    _ body: (_ router: borrowing Socket, _ dealer: borrowing Socket) throws -> Void
) throws {
    let router = try Socket(.router, in: context)
    try router.set(.routerMandatory(true))
    try router.set(.maximumMessageBytes(maximumMessageBytes))
    try router.bind("inproc://multipart")
    let dealer = try Socket(.dealer, in: context)
    try dealer.set(.routingID(Array("dealer".utf8)))
    try dealer.connect("inproc://multipart")
    try body(router, dealer)
}

private func receive(_ socket: borrowing Socket, maximumFrames: Int = 64) throws -> Socket.Message? {
    var poller = Poller()
    let token = poller.add(socket)
    try poller.wait(.seconds(5))
    guard poller.ready(token).contains(.readable) else { return nil }
    return try socket.receive(maximumFrames: maximumFrames)
}

/// Shown by its name, not by its megabytes.
struct MultipartCase: Sendable, CustomTestStringConvertible {
    var name: String
    var frames: [[UInt8]]

    init(_ name: String, _ frames: [[UInt8]]) { (self.name, self.frames) = (name, frames) }

    var testDescription: String { name }
}

@Suite("Multipart messages")
struct MultipartTests {
    static let cases: [MultipartCase] = [
        MultipartCase("one empty frame", [[]]),
        MultipartCase("one byte", [[0]]),
        MultipartCase("non-ASCII text", [Array("über 東京 🐉 \u{0} end".utf8)]),
        MultipartCase("every byte value", [(0...255).map(UInt8.init)]),
        MultipartCase("empty frames between others", [[1], [], [2, 3], []]),
        MultipartCase("a megabyte after a short frame", [[7], [UInt8](repeating: 0xA5, count: 1 << 20)]),
        MultipartCase("a megabyte that is not a power of two", [[UInt8](repeating: 0xFF, count: 1_000_003)]),
        MultipartCase("sixty-three frames", (0..<63).map { [UInt8]([UInt8($0)]) }),
    ]

    @Test("Frames arrive as they were sent, both ways", arguments: cases)
    func roundTrip(_ message: MultipartCase) throws {
        let frames = message.frames
        try withPair { router, dealer in
            #expect(try dealer.send(frames) == .sent)
            let request = try #require(try receive(router))
            // Compared outside of #expect, which would print every byte.
            let arrived = request.frames == [Array("dealer".utf8)] + frames
            #expect(arrived)
            #expect(request.dropped == 0)
            #expect(try router.send(request.frames) == .sent)
            let reply = try #require(try receive(dealer))
            let returned = reply.frames == frames
            #expect(returned)
        }
    }

    @Test("Frames beyond the limit are dropped and counted, and the next message is whole")
    func frameLimit() throws {
        try withPair { router, dealer in
            #expect(try dealer.send((0..<10).map { [UInt8]([UInt8($0)]) }) == .sent)
            #expect(try dealer.send([[42]]) == .sent)
            let long = try #require(try receive(router, maximumFrames: 4))
            #expect(long.frames.count == 4)
            #expect(long.dropped == 7)
            let next = try #require(try receive(router))
            #expect(next.frames.last == [42])
        }
    }

    @Test("Receiving from a silent socket returns nil at once")
    func nothingThere() throws {
        try withPair { router, _ in
            let message = try router.receive()
            #expect(message == nil)
        }
    }

    @Test("A ROUTER says when it knows no such peer")
    func unknownPeer() throws {
        try withPair { router, _ in
            let result = try router.send([[9, 9, 9], [1]])
            #expect(result == .unreachable)
        }
    }

    @Test("A full queue refuses the message as a whole")
    func fullQueue() throws {
        let context = try Context()
        defer { context.terminate() }
        try fill(in: context)
    }

    private func fill(in context: Context) throws {
        let dealer = try Socket(.dealer, in: context)
        try dealer.set(.sendHighWater(2))
        // Nobody listens there, so nothing leaves the queue.
        try dealer.connect("ipc:///nonexistent/hidra-test.sock")
        #expect(try dealer.send([[1], [2]]) == .sent)
        #expect(try dealer.send([[1], [2]]) == .sent)
        #expect(try dealer.send([[1], [2]]) == .full)
    }

    @Test("A failed bind names the endpoint and the reason")
    func bindFailure() throws {
        let context = try Context()
        defer { context.terminate() }
        let error = #expect(throws: ZeroMQError.self) {
            let socket = try Socket(.router, in: context)
            try socket.bind("ipc:///nonexistent/directory/x.sock")
        }
        #expect(error?.operation.contains("/nonexistent/directory/x.sock") == true)
        #expect(error?.message.isEmpty == false)
    }
}
