import HidraProtocol
import Testing

@Suite("Messages and frames")
struct FramesTests {
    private static func tensor(_ shape: [UInt64], _ type: Hidra_V1_DataType = .float32) -> Hidra_V1_TensorFrame {
        var tensor = Hidra_V1_TensorFrame()
        tensor.type = type
        tensor.shape = shape
        return tensor
    }

    private static func message(_ tensors: [Hidra_V1_TensorFrame], _ bytes: [[UInt8]]) -> WireMessage {
        var envelope = Hidra_V1_Envelope.reply(to: 9, .embedReply(.init()))
        envelope.tensors = tensors
        return WireMessage(envelope, tensors: bytes)
    }

    @Test("A message survives encoding and decoding")
    func roundTrip() throws {
        let sent = Self.message(
            [Self.tensor([2, 3]), Self.tensor([0, 7]), Self.tensor([])],
            [[UInt8](repeating: 7, count: 24), [], [1, 2, 3, 4]])
        let frames = try Frames.encode(sent, limit: 1 << 20)
        #expect(frames.count == 4)
        let received = try Frames.decode(frames, limit: 1 << 20)
        #expect(received.envelope == sent.envelope)
        #expect(received.tensors == sent.tensors)
    }

    @Test("Unknown fields are kept out of the way")
    func unknownFields() throws {
        let frames = try Frames.encode(Self.message([], []), limit: 1 << 20)
        // Field 500, a varint.
        let received = try Frames.decode([frames[0] + [0xA0, 0x1F, 0x01]], limit: 1 << 20)
        #expect(received.envelope.requestID == 9)
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var message: WireMessage
        var code: ErrorCode

        init(_ name: String, _ message: WireMessage, _ code: ErrorCode) {
            (testDescription, self.message, self.code) = (name, message, code)
        }
    }

    static let bad = [
        Bad("fewer frames than described", message([tensor([1])], []), .invalidArgument),
        Bad("more frames than described", message([], [[1]]), .invalidArgument),
        Bad("too few bytes", message([tensor([2])], [[1, 2, 3, 4]]), .invalidArgument),
        Bad("too many bytes", message([tensor([1])], [[1, 2, 3, 4, 5]]), .invalidArgument),
        Bad("a product above 2^64", message([tensor([1 << 32, 1 << 32])], [[]]), .invalidArgument),
        Bad("a product that wraps to the right size", message([tensor([1 << 62, 4, 1])], [[]]), .invalidArgument),
        Bad("nine dimensions", message([tensor(Array(repeating: 1, count: 9))], [[1, 2, 3, 4]]), .invalidArgument),
        Bad("no element type", message([tensor([1], .unspecified)], [[1, 2, 3, 4]]), .unsupported),
        Bad("an unknown element type", message([tensor([1], .UNRECOGNIZED(77))], [[1, 2, 3, 4]]), .unsupported),
    ]

    @Test("A tensor that is not what the envelope says is refused", arguments: bad)
    func badTensors(_ bad: Bad) throws {
        let encoding = #expect(throws: FrameError.self) { try Frames.encode(bad.message, limit: 1 << 20) }
        #expect(encoding?.code == bad.code)
        #expect(encoding?.requestID == 9)
        // The same when a peer sends it.
        var bare = bad.message.envelope
        bare.tensors = []
        let head = try Frames.encode(WireMessage(bare), limit: 1 << 20)[0]
        let described = try bad.message.envelope.tensors.flatMap { try Self.field($0) }
        let decoding = #expect(throws: FrameError.self) {
            try Frames.decode([head + described] + bad.message.tensors, limit: 1 << 20)
        }
        #expect(decoding?.code == bad.code)
        #expect(decoding?.requestID == 9)
    }

    /// `tensors` of an envelope: field 3, length-delimited.
    private static func field(_ tensor: Hidra_V1_TensorFrame) throws -> [UInt8] {
        func varint(_ value: UInt64) -> [UInt8] {
            value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + varint(value >> 7)
        }
        let shape = tensor.shape.flatMap(varint)
        let type = tensor.type.rawValue == 0 ? [] : [0x10] + varint(UInt64(tensor.type.rawValue))
        let body = type + (shape.isEmpty ? [] : [0x1A] + varint(UInt64(shape.count)) + shape)
        return [0x1A] + varint(UInt64(body.count)) + body
    }

    @Test("A frame above the limit is refused, at the limit it is not")
    func limit() throws {
        let message = Self.message([Self.tensor([25])], [[UInt8](repeating: 0, count: 100)])
        let frames = try Frames.encode(message, limit: 100)
        _ = try Frames.decode(frames, limit: 100)
        #expect(throws: FrameError.self) { try Frames.encode(message, limit: 99) }
        let error = #expect(throws: FrameError.self) { try Frames.decode(frames, limit: 99) }
        #expect(error?.code == .limitExceeded)
        #expect(error?.requestID == 9)
    }

    @Test("An envelope that describes a million tensors is refused before it is read")
    func manyTensors() {
        let head: [UInt8] = [0x08, 0x05] + (0..<1_000_000).flatMap { _ in [0x1A, 0x00] as [UInt8] }
        let error = #expect(throws: FrameError.self) { try Frames.decode([head], limit: 64 << 20) }
        #expect(error?.code == .limitExceeded)
        #expect(error?.requestID == 5)
    }

    @Test("No frames at all is an error")
    func nothing() {
        #expect(throws: FrameError.self) { try Frames.decode([], limit: 100) }
    }

    static let scans: [(name: String, bytes: [UInt8], id: UInt64)] = [
        ("nothing", [], 0),
        ("the id first", [0x08, 0x96, 0x01, 0xFF], 150),
        ("the id after a string", [0x52, 0x02, 0xAA, 0xBB, 0x08, 0x07, 0xFF], 7),
        ("the id after fixed fields", [0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x2D, 1, 2, 3, 4, 0x08, 0x03], 3),
        ("the largest id", [0x08] + [UInt8](repeating: 0xFF, count: 9) + [0x01], .max),
        ("a varint without an end", [0x08] + [UInt8](repeating: 0xFF, count: 40), 0),
        ("a length beyond the end", [0x52, 0xFF, 0xFF, 0xFF, 0x7F, 0x08, 0x01], 0),
        ("a length of 2^64 - 1", [0x52] + [UInt8](repeating: 0xFF, count: 9) + [0x01, 0x08, 0x01], 0),
        ("a group", [0x0B, 0x08, 0x01], 0),
    ]

    @Test("The request id is found in what cannot be decoded", arguments: scans)
    func scan(_ name: String, _ bytes: [UInt8], _ id: UInt64) {
        #expect(WireScan.requestID(in: bytes) == id)
    }
}
