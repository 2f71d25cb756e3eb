import HidraProtocol
import Testing

@Suite("Versions, limits and codes")
struct VersionTests {
    static let negotiations: [(UInt32, UInt32, ClosedRange<UInt32>, UInt32?)] = [
        (1, 1, 1...1, 1), (1, 5, 1...3, 3), (2, 2, 1...3, 2), (3, 9, 1...3, 3), (4, 9, 1...3, nil), (1, 1, 2...3, nil),
        (3, 2, 1...3, nil), (0, .max, 1...1, 1), (0, 0, 1...1, nil),
    ]

    @Test("The highest common version is spoken, if there is one", arguments: negotiations)
    func negotiation(_ minimum: UInt32, _ maximum: UInt32, _ ours: ClosedRange<UInt32>, _ expected: UInt32?) {
        #expect(ProtocolVersion.negotiated(minimum: minimum, maximum: maximum, supported: ours) == expected)
    }

    @Test("Limits survive the wire, and what is left out has its default")
    func limits() {
        let limits = Limits(messageBytes: 1000, dataRows: 2000, dataBytes: 3000, textsPerRequest: 40)
        #expect(Limits(limits.message) == limits)
        // Who does not say it does not stream.
        #expect(Limits(Hidra_V1_Limits()) == Limits(textsPerStream: 4096))
        #expect(Limits().messageBytes == 64 << 20 && Limits().dataRows == 5_000_000)
        #expect(Limits().dataBytes == 2 << 30 && Limits().textsPerRequest == 4096)
    }

    static let exits: [(ErrorCode, Int32)] = [
        (.internalError, 1), (.invalidArgument, 2), (.notFound, 3), (.invalidData, 4), (.alreadyExists, 5),
        (.unavailable, 6), (.timeout, 7), (.cancelled, 8), (.interrupted, 8), (.diskFull, 9), (.limitExceeded, 9),
        (.corrupt, 10), (.unsupported, 10), (ErrorCode(rawValue: "from_the_future"), 1),
    ]

    @Test("Each code has its exit status", arguments: exits)
    func exitCodes(_ code: ErrorCode, _ status: Int32) { #expect(code.exitCode == status) }

    @Test("No exit status is one the shell gives a meaning to")
    func exitRange() { #expect(ErrorCode.exitCodes.values.allSatisfy { (1...10).contains($0) }) }

    static let channels: [(Hidra_V1_Envelope.OneOf_Kind, Channel?)] = [
        (.hello(.init()), .control), (.cancel(.init()), .control), (.replay(.init()), .control),
        (.train(.init()), .work), (.list(.init()), .work), (.welcome(.init()), nil), (.event(.init()), nil),
        (.progress(.init()), nil),
    ]

    @Test("Each request belongs to one socket", arguments: channels)
    func channel(_ kind: Hidra_V1_Envelope.OneOf_Kind, _ channel: Channel?) {
        #expect(Hidra_V1_Envelope.reply(to: 1, kind).requestChannel == channel)
    }
}
