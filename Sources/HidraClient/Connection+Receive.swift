internal import HidraProtocol
internal import Synchronization

/// What the connection's thread does with what arrives. Callbacks run outside the lock.
extension Connection {
    /// Returns the reason when the daemon says goodbye, or when it could not read what we sent.
    func receive(_ frames: [[UInt8]]) -> HidraError? {
        let message: WireMessage
        do {
            message = try Frames.decode(frames, limit: ConnectionBody.messageBytes)
        } catch {
            return HidraError(
                .internalError, "hidrad sent a message that cannot be read: \(error.message) Are both of one version?")
        }
        if message.envelope.requestID == 0 {
            switch message.envelope.kind {
            case .goodbye(let goodbye):
                return HidraError(.unavailable, "hidrad closed the connection: \(goodbye.reason)")
            case .error(let error): return HidraError(error)
            default: break
            }
        }
        let outcome = state.withLock { state -> RequestTable.Outcome in
            let outcome = state.requests.receive(message)
            if case .cancelAgain(let id) = outcome {
                state.outbox.append(Self.cancellation(of: id, &state.requests))
            }
            return outcome
        }
        switch outcome {
        case .ignore: break
        case .finish(let completion, let result): completion(result)
        case .progress(let report, let progress): report(progress)
        case .call(let answer, let message): answer(message)
        case .cancelAgain: wakeUp()
        }
        return nil
    }

    /// Fails the requests whose time is over.
    func expire() {
        let silence = silence
        let expired = state.withLock { state in
            let expired = state.requests.expire(.now, silence: silence)
            for request in expired where request.tellsDaemon {
                state.outbox.append(Self.cancellation(of: request.id, &state.requests))
            }
            return expired
        }
        if expired.contains(where: \.tellsDaemon) { wakeUp() }
        for request in expired { request.completion(.failure(request.error)) }
    }
}
