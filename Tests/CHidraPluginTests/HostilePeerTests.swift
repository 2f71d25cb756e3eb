import CHidraPlugin
import Foundation
import Glibc
import HidraProtocol
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import ZeroMQ

/// Greets like a daemon, then answers every message on the work socket with the frames it was given, or not at all.
private final class HostilePeer: Sendable {
    let folder: TemporaryFolder
    let home: String
    private let isOver = Mutex(false)

    /// - Parameters:
    ///   - version: of the protocol it claims.
    ///   - hasRecord: whether the home says where it listens; otherwise it is where that follows from the home.
    ///   - answer: frames for the request's id; nil: silence, heartbeats included.
    init(version: UInt32 = 1, hasRecord: Bool = true, answer: (@Sendable (UInt64) -> [[UInt8]])?) throws {
        folder = try TemporaryFolder()
        home = folder.url.path
        let path = hasRecord ? home : Endpoints(home: Home(path: home)).directory
        mkdir(path, 0o700)
        chmod(path, 0o700)
        if hasRecord {
            try Data("\(getpid())\n\(home)\n".utf8).write(to: folder.url.appending(path: "daemon.lock"))
        }
        let bound = DispatchSemaphore(value: 0)
        try OwnedThread.start("hostile") { [self] in
            do { try serve(path, bound, version, answer) } catch { Issue.record("\(error)") }
        }
        bound.wait()
    }

    func stop() { isOver.withLock { $0 = true } }

    private func serve(
        _ path: String, _ bound: DispatchSemaphore, _ version: UInt32, _ answer: (@Sendable (UInt64) -> [[UInt8]])?
    ) throws {
        let context = try Context()
        defer { context.terminate() }
        try serve(in: context, path, bound, version, answer)
    }

    private func serve(
        in context: Context, _ path: String, _ bound: DispatchSemaphore, _ version: UInt32,
        _ answer: (@Sendable (UInt64) -> [[UInt8]])?
    ) throws {
        let control = try Socket(.router, in: context)
        let work = try Socket(.router, in: context)
        defer {
            for name in ["control", "work"] { unlink("\(path)/\(name).sock") }
            if path != home { rmdir(path) }
        }
        try control.set(.linger(.zero))
        try work.set(.linger(.zero))
        try control.bind("ipc://\(path)/control.sock")
        try work.bind("ipc://\(path)/work.sock")
        bound.signal()
        var poller = Poller()
        _ = poller.add(control)
        _ = poller.add(work)
        while !isOver.withLock({ $0 }) {
            try poller.wait(.milliseconds(20))
            while let message = try control.receive() {
                let envelope = try Hidra_V1_Envelope(serializedBytes: message.frames[1])
                switch envelope.kind {
                case .hello:
                    var welcome = Hidra_V1_Welcome()
                    welcome.protocol = version
                    _ = try control.send([
                        message.frames[0], Self.bytes(.reply(to: envelope.requestID, .welcome(welcome))),
                    ])
                case .heartbeat where answer != nil: _ = try control.send(message.frames)
                default: break
                }
            }
            while let message = try work.receive() {
                let id = try Hidra_V1_Envelope(serializedBytes: message.frames[1]).requestID
                if let answer { _ = try work.send([message.frames[0]] + answer(id)) }
            }
        }
    }

    static func bytes(_ envelope: Hidra_V1_Envelope) -> [UInt8] {
        do { return try envelope.serializedBytes() } catch { fatalError("\(error)") }
    }
}

@Suite("From C, with a peer that is no hidrad", .serialized)
struct HostilePeerTests {
    struct Answer: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var code = "internal"
        var frames: @Sendable (UInt64) -> [[UInt8]]
    }

    private static func embedding(_ shape: [UInt64], _ bytes: Int, type: Hidra_V1_DataType = .float32)
        -> @Sendable (UInt64) -> [[UInt8]]
    {
        { id in
            var envelope = Hidra_V1_Envelope.reply(to: id, .embedReply(.init()))
            var tensor = Hidra_V1_TensorFrame()
            tensor.type = type
            tensor.shape = shape
            envelope.tensors = [tensor]
            return [HostilePeer.bytes(envelope), [UInt8](repeating: 0, count: bytes)]
        }
    }

    static let answers: [Answer] = [
        Answer(testDescription: "random bytes") { _ in [[0xFF, 0x13, 0x37, 0x99, 0x01]] },
        Answer(testDescription: "a cut envelope") { id in
            [
                Array(
                    HostilePeer.bytes(.reply(to: id, .embedReply(.with { $0.problems = [1: "a problem"] }))).dropLast(3)
                )
            ]
        },
        Answer(testDescription: "a length beyond the frame") { _ in
            [[0x08, 0x01, 0x82, 0x06, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]]
        },
        Answer(testDescription: "a string that is no UTF-8") { _ in [[0x08, 0x03, 0x52, 0x03, 0x0A, 0x01, 0xFF]] },
        Answer(testDescription: "no tensor", frames: { [HostilePeer.bytes(.reply(to: $0, .embedReply(.init())))] }),
        Answer(
            testDescription: "a tensor that is not announced",
            frames: { [HostilePeer.bytes(.reply(to: $0, .embedReply(.init()))), [1]] }),
        Answer(testDescription: "a tensor too short", frames: embedding([2, 4], 31)),
        Answer(testDescription: "a tensor too long", frames: embedding([2, 4], 33)),
        Answer(testDescription: "a tensor of another type", frames: embedding([2, 4], 64, type: .float64)),
        Answer(testDescription: "a tensor of an unknown type", frames: embedding([2, 4], 32, type: .UNRECOGNIZED(99))),
        Answer(testDescription: "rows for other inputs", frames: embedding([3, 4], 48)),
        Answer(testDescription: "a shape that overflows", frames: embedding([1 << 40, 1 << 40], 0)),
        Answer(testDescription: "a shape that overflows to its size", frames: embedding([1 << 62, 4], 0)),
        Answer(testDescription: "nine dimensions", frames: embedding([UInt64](repeating: 1, count: 9), 4)),
        Answer(testDescription: "a hundred frames") { id in
            [HostilePeer.bytes(.reply(to: id, .embedReply(.init())))] + [[UInt8]](repeating: [0], count: 99)
        },
        Answer(testDescription: "another kind", frames: { [HostilePeer.bytes(.reply(to: $0, .heartbeat(.init())))] }),
        Answer(
            testDescription: "predictions that are missing",
            frames: { [HostilePeer.bytes(.reply(to: $0, .predictReply(.init())))] }),
        Answer(testDescription: "an error of an unknown code") { id in
            [HostilePeer.bytes(.reply(to: id, .error(.with { $0.code = "moon_phase" })))]
        },
        Answer(testDescription: "an error to no request", code: "invalid_argument") { _ in
            [HostilePeer.bytes(.reply(to: 0, .error(.with { $0.code = "invalid_argument" })))]
        },
        Answer(testDescription: "a goodbye", code: "unavailable") { _ in
            [HostilePeer.bytes(.reply(to: 0, .goodbye(.with { $0.reason = "go away" })))]
        },
    ]

    @Test("what it sends ends the call with an error", arguments: answers)
    func malformed(_ answer: Answer) async throws {
        let peer = try HostilePeer(answer: answer.frames)
        try await onThread {
            let client = try CClient(home: peer.home)
            let error = #expect(throws: CError.self) { try client.embed(["a", "b"]) }
            #expect(error?.code == answer.code, "\(error?.message ?? "")")
            #expect(throws: CError.self) { try client.predict(["head"], ["a"], timeout: 2) }
            client.goodbye()
        }
        peer.stop()
    }

    @Test(
        "one that says nothing is given up: at the call's time-out, or when it owes a sign of life",
        arguments: [true, false])
    func silent(_ hasTimeout: Bool) async throws {
        let peer = try HostilePeer(answer: nil)
        try await onThread {
            let client = try CClient(home: peer.home, silence: hasTimeout ? 30 : 0.5)
            let began = ContinuousClock.now
            let error = #expect(throws: CError.self) {
                try client.predict(["head"], ["a"], timeout: hasTimeout ? 0.3 : 0)
            }
            #expect(error?.code == "timeout" && began.duration(to: .now) < .seconds(3))
            client.goodbye()
        }
        peer.stop()
    }

    @Test("without a record the directory follows from the home, however its path is written")
    func derivedDirectory() async throws {
        let peer = try HostilePeer(hasRecord: false, answer: nil)
        try await onThread {
            try CClient(home: peer.home).goodbye()
            try CClient(home: "//tmp/./x/..\(peer.home.dropFirst(4))/").goodbye()
        }
        peer.stop()
    }

    @Test("one that speaks another version is refused")
    func otherVersion() async throws {
        let peer = try HostilePeer(version: 2, answer: nil)
        try await onThread {
            let error = #expect(throws: CError.self) { try CClient(home: peer.home) }
            #expect(error?.code == "incompatible_version")
        }
        peer.stop()
    }

    @Test("a directory that others may enter is not trusted")
    func openDirectory() async throws {
        let peer = try HostilePeer(answer: nil)
        chmod(peer.home, 0o755)
        try await onThread {
            let error = #expect(throws: CError.self) { try CClient(home: peer.home) }
            #expect(error?.code == "permission_denied")
        }
        peer.stop()
    }
}
