import Foundation
import HidraProtocol
import SwiftProtobuf
import TestSupport
import Testing

/// Every kind of message that the protocol has, as `envelope.proto` lists them.
enum MessageKinds {
    struct Kind: Sendable, CustomTestStringConvertible {
        let name: String
        /// An envelope of this kind with nothing in it.
        let envelope: Hidra_V1_Envelope
        var testDescription: String { name }

        /// A request, with an id.
        func frames(_ id: UInt64) throws -> [[UInt8]] {
            var envelope = envelope
            envelope.requestID = id
            return try Frames.encode(WireMessage(envelope), limit: 1 << 20)
        }
    }

    /// - Throws: when a line of the file cannot be read.
    static func all() throws -> [Kind] {
        let file = Golden.packageRoot.appending(path: "proto/hidra/v1/envelope.proto")
        var kinds: [Kind] = [], inside = false
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            let words = line.split(whereSeparator: { " ;".contains($0) })
            if words.first == "oneof" { inside = true } else if words.first == "}" { inside = false }
            guard inside, words.count >= 4, words[2] == "=", let number = UInt64(words[3]) else { continue }
            var tag = number << 3 | 2, bytes: [UInt8] = []
            while tag >= 0x80 {
                bytes.append(UInt8(tag & 0x7F) | 0x80)
                tag >>= 7
            }
            kinds.append(
                Kind(name: String(words[1]), envelope: try Hidra_V1_Envelope(serializedBytes: bytes + [UInt8(tag), 0])))
        }
        return kinds
    }

    static func requests(on channel: Channel? = nil) throws -> [Kind] {
        try all().filter { kind in kind.envelope.requestChannel.map { channel == nil || $0 == channel } ?? false }
    }
}
