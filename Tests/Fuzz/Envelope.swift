import SwiftProtobuf

/// libFuzzer's entry: the first byte says how the rest is cut into frames, which are then read as the daemon reads a message of a client.
///
/// Compiled together with `Sources/HidraProtocol`, so that its branches guide the fuzzer; see `Tests/Fuzz/run`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEnvelope(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let first = bytes.first else { return 0 }
    let body = Array(bytes.dropFirst()), cut = body.count * Int(first) / 255
    let frames = first == 255 ? [body] : [Array(body[..<cut]), Array(body[cut...])]
    _ = WireScan.requestID(in: body)
    _ = WireScan.describesMoreTensors(than: 64, in: body)
    _ = ServerAddress(String(decoding: body.prefix(200), as: UTF8.self))
    do {
        let message = try Frames.decode(frames, limit: 1 << 20)
        // What the daemon looks at before a handler does.
        _ = message.envelope.requestChannel
        _ = message.envelope.kind?.leastRole
        _ = message.envelope.kind?.readsFilesOfTheDaemon
        // What can be read can be written, and read again.
        let again = try Frames.decode(try Frames.encode(message, limit: 4 << 20), limit: 4 << 20)
        precondition(again.tensors == message.tensors && again.envelope.requestID == message.envelope.requestID)
    } catch let error as FrameError {
        precondition(!error.message.isEmpty)
    } catch {
        preconditionFailure("another error: \(error)")
    }
    return 0
}
