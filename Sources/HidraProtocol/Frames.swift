internal import SwiftProtobuf

/// One message as programs see it: an envelope and the raw tensors it describes, in the same order.
package struct WireMessage: Sendable {
    package var envelope: Hidra_V1_Envelope
    package var tensors: [[UInt8]]

    package init(_ envelope: Hidra_V1_Envelope, tensors: [[UInt8]] = []) {
        self.envelope = envelope
        self.tensors = tensors
    }
}

/// Messages to frames and back: `[Envelope][tensor…]`.
package enum Frames {
    /// Checks that the tensors are what the envelope says, then serialises it.
    ///
    /// - Throws: `limitExceeded` when a frame is larger than `limit` bytes.
    package static func encode(_ message: WireMessage, limit: Int) throws(FrameError) -> [[UInt8]] {
        let request = message.envelope.requestID
        try check(message.envelope.tensors, against: message.tensors, request)
        let head: [UInt8]
        do {
            head = try message.envelope.serializedBytes()
        } catch {
            throw FrameError(.internalError, "The message cannot be serialised.", requestID: request, cause: error)
        }
        let largest = max(head.count, message.tensors.map(\.count).max() ?? 0)
        guard largest <= limit else {
            throw FrameError(
                .limitExceeded, "A frame of \(largest) bytes exceeds the limit of \(limit): send less at a time.",
                requestID: request)
        }
        return [head] + message.tensors
    }

    /// Reads one message. Sizes and counts are checked before anything of that size is made.
    package static func decode(_ frames: [[UInt8]], limit: Int) throws(FrameError) -> WireMessage {
        guard let head = frames.first else {
            throw FrameError(.invalidArgument, "A message needs an envelope frame.", requestID: 0)
        }
        guard frames.count <= Limits.framesPerMessage else {
            throw FrameError(
                .limitExceeded, "\(frames.count) frames exceed the limit of \(Limits.framesPerMessage).",
                requestID: WireScan.requestID(in: head))
        }
        guard let largest = frames.map(\.count).max(), largest <= limit else {
            throw FrameError(
                .limitExceeded, "A frame exceeds the limit of \(limit) bytes.",
                requestID: WireScan.requestID(in: head))
        }
        guard !WireScan.describesMoreTensors(than: Limits.framesPerMessage, in: head) else {
            throw FrameError(
                .limitExceeded, "The envelope describes more than \(Limits.framesPerMessage) tensors.",
                requestID: WireScan.requestID(in: head))
        }
        let envelope: Hidra_V1_Envelope
        do {
            envelope = try Hidra_V1_Envelope(serializedBytes: head)
        } catch {
            throw FrameError(
                .invalidArgument, "The first frame is not a readable hidra.v1.Envelope.",
                requestID: WireScan.requestID(in: head), cause: error)
        }
        let tensors = Array(frames.dropFirst())
        try check(envelope.tensors, against: tensors, envelope.requestID)
        return WireMessage(envelope, tensors: tensors)
    }

    private static func check(
        _ descriptions: [Hidra_V1_TensorFrame], against tensors: [[UInt8]], _ request: UInt64
    ) throws(FrameError) {
        guard descriptions.count == tensors.count else {
            throw FrameError(
                .invalidArgument,
                "The envelope describes \(descriptions.count) tensors, \(tensors.count) frames follow it.",
                requestID: request)
        }
        for (index, (description, tensor)) in zip(descriptions, tensors).enumerated() {
            guard let elementBytes = description.type.elementBytes else {
                throw FrameError(
                    .unsupported, "Tensor \(index) has an element type this version does not know.", requestID: request)
            }
            guard let bytes = byteCount(description.shape, elementBytes), bytes == UInt64(tensor.count) else {
                throw FrameError(
                    .invalidArgument,
                    "Tensor \(index) has \(tensor.count) bytes, not those of shape \(description.shape.prefix(9)).",
                    requestID: request)
            }
        }
    }

    /// Bytes of a tensor, or nil when it has too many dimensions or more bytes than a number can say.
    static func byteCount(_ shape: [UInt64], _ elementBytes: UInt64) -> UInt64? {
        guard shape.count <= Limits.tensorRank else { return nil }
        var bytes = elementBytes
        for dimension in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
            if overflow { return nil }
            bytes = product
        }
        return bytes
    }
}

extension Hidra_V1_DataType {
    /// Bytes of one element; nil for types this version does not know.
    package var elementBytes: UInt64? {
        switch self {
        case .bool, .int8, .uint8: 1
        case .float16, .bfloat16, .int16, .uint16: 2
        case .float32, .int32, .uint32: 4
        case .float64, .int64, .uint64: 8
        case .unspecified, .UNRECOGNIZED: nil
        }
    }
}

/// Messages that belong to no request and are always the same, or nearly.
extension Frames {
    package static let heartbeat = small(.heartbeat(Hidra_V1_Heartbeat()))

    package static func goodbye(_ reason: String) -> [[UInt8]] {
        var goodbye = Hidra_V1_Goodbye()
        goodbye.reason = reason
        return small(.goodbye(goodbye))
    }

    private static func small(_ kind: Hidra_V1_Envelope.OneOf_Kind) -> [[UInt8]] {
        do {
            return [try Hidra_V1_Envelope.reply(to: 0, kind).serializedBytes()]
        } catch {
            preconditionFailure("a message of one string cannot be serialised: \(error)")
        }
    }
}
