internal import Glibc
internal import HidraProtocol
internal import ZeroMQ

extension SocketLoop {
    /// The loop's thread: context, sockets and decoder live and die here.
    ///
    /// - Parameter started: called once, with the error if the sockets could not be bound.
    func run(_ decoder: WorkDecoder, started: (ZeroMQError?) -> Void) {
        do {
            let context = try Context()
            defer {
                // After the sockets' scope, so that nothing keeps it waiting but their linger time.
                context.terminate()
                // libzmq leaves the files; the lock is still held, so they are ours.
                for path in lock.endpoints.paths { unlink(path) }
            }
            try serve(context, decoder, started: started)
        } catch {
            started(error)
        }
    }

    private func serve(
        _ context: Context, _ decoder: WorkDecoder, started: (ZeroMQError?) -> Void
    ) throws(ZeroMQError) {
        let decoderEnded = try WakeFD()
        var body = try SocketLoopBody(self, context, decoder)
        try decoder.start(
            deliver: { [self] item in accept(item.message, of: item.key, on: .work) },
            emptied: { [wake] in wake.signal() },
            ended: { decoderEnded.signal() })
        started(nil)
        do { try body.run() } catch { log("the socket loop ends: \(error)") }
        decoder.stop()
        decoderEnded.wait()
    }

    /// Checks and decodes a message of a ROUTER, and hands it on or answers it with an error.
    ///
    /// - Parameter key: name of the key it came with; nil: from this machine.
    func accept(_ message: Socket.Message, of key: String?, on channel: Channel) {
        guard let first = message.frames.first else { return }
        let client = ClientIdentity(first, key: key)
        let frames = Array(message.frames.dropFirst())
        do {
            guard message.dropped == 0 else {
                let count = message.dropped + frames.count
                throw Refusal(.limitExceeded, "\(count) frames exceed the limit of \(Limits.framesPerMessage).", frames)
            }
            let limit = channel == .control ? Limits.controlMessageBytes : configuration.limits.messageBytes
            let decoded = try Frames.decode(frames, limit: limit)
            let request = decoded.envelope.requestID
            guard decoded.envelope.kind != nil else {
                throw Refusal(.unsupported, "This daemon does not know messages of that kind.", request)
            }
            guard let belongs = decoded.envelope.requestChannel else {
                throw Refusal(.invalidArgument, "Only the daemon sends messages of that kind.", request)
            }
            guard belongs == channel else {
                throw Refusal(.invalidArgument, "This message belongs on the \(belongs.rawValue) socket.", request)
            }
            guard !client.isInvented else {
                throw Refusal(
                    .invalidArgument,
                    "Choose a routing id (ZMQ_ROUTING_ID): 16 random bytes, the first not zero, the same for the control "
                        + "and work sockets.", request)
            }
            handler(
                InboundMessage(channel: channel, client: client, envelope: decoded.envelope, tensors: decoded.tensors))
        } catch let error as FrameError {
            send(.failure(of: error.requestID, error.code, error.message), to: client, on: channel)
        } catch let error as Refusal {
            send(.failure(of: error.request, error.code, error.message), to: client, on: channel)
        } catch {
            log("unexpected error while decoding: \(error)")
        }
    }
}

private struct Refusal: Error {
    var code: ErrorCode
    var message: String
    var request: UInt64

    init(_ code: ErrorCode, _ message: String, _ request: UInt64) {
        (self.code, self.message, self.request) = (code, message, request)
    }

    init(_ code: ErrorCode, _ message: String, _ frames: [[UInt8]]) {
        self.init(code, message, frames.first.map { WireScan.requestID(in: $0) } ?? 0)
    }
}
