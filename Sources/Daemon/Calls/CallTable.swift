import HidraProtocol
import Synchronization
import Workbench

/// Calls to clients whose results have not come. Each ends exactly once: by its result, its deadline, or the client's end.
final class CallTable: Sendable {
    typealias Completion = @Sendable (Result<Reply, any Error>) -> Void

    struct Reply: Sendable {
        var result: Hidra_V1_CallResult
        var frames: [Hidra_V1_TensorFrame]
        var tensors: [[UInt8]]
    }

    /// The request whose PARTIAL the call is, of one client.
    struct Stream: Hashable, Sendable {
        let client: ClientIdentity
        let request: UInt64
    }

    private struct Pending {
        let deadline: ContinuousClock.Instant
        let completion: Completion
    }

    private struct State {
        var streams: [Stream: [UInt64: Pending]] = [:]
        /// Numbers given out; a stream begins at 1.
        var numbers: [Stream: UInt64] = [:]
        var isWatching = false
    }

    private let state = Mutex(State())
    /// Between two looks at the deadlines.
    private static let interval = Duration.milliseconds(50)

    /// Registers a call and numbers it. Its result may come at once, so send the message afterwards.
    func open(_ stream: Stream, within limit: Duration, _ completion: @escaping Completion) -> UInt64 {
        let (number, mustWatch) = state.withLock { state in
            let number = (state.numbers[stream] ?? 0) + 1
            state.numbers[stream] = number
            state.streams[stream, default: [:]][number] = Pending(deadline: .now + limit, completion: completion)
            defer { state.isWatching = true }
            return (number, !state.isWatching)
        }
        if mustWatch { Task { await watch() } }
        return number
    }

    /// A result has come. One that nobody waits for any more is dropped.
    func finish(_ client: ClientIdentity, _ reply: Reply) {
        let stream = Stream(client: client, request: reply.result.requestID)
        let pending = state.withLock { $0.streams[stream]?.removeValue(forKey: reply.result.call) }
        pending?.completion(.success(reply))
    }

    /// A request is over: its calls are, too.
    func close(_ stream: Stream, _ error: any Error) {
        let pending = state.withLock { state in
            state.numbers[stream] = nil
            return state.streams.removeValue(forKey: stream)
        }
        for call in (pending ?? [:]).values { call.completion(.failure(error)) }
    }

    /// A client is gone.
    func fail(_ client: ClientIdentity) {
        let streams = state.withLock { Set($0.streams.keys).union($0.numbers.keys).filter { $0.client == client } }
        for stream in streams {
            close(
                stream,
                Failure(.unavailable, "The client that was to answer is gone. Start it again, and repeat the request."))
        }
    }

    private func watch() async {
        while true {
            do { try await Task.sleep(for: Self.interval) } catch { return }
            let (expired, isDone) = state.withLock { state in
                var expired: [Completion] = [], now = ContinuousClock.now
                for (stream, calls) in state.streams {
                    for (number, call) in calls where call.deadline <= now {
                        expired.append(call.completion)
                        state.streams[stream]?[number] = nil
                    }
                    if state.streams[stream]?.isEmpty ?? false { state.streams[stream] = nil }
                }
                now = .now
                if state.streams.isEmpty { state.isWatching = false }
                return (expired, state.streams.isEmpty)
            }
            for completion in expired {
                completion(
                    .failure(
                        Failure(
                            .timeout, "The client did not answer a call within its deadline. Is it stopped, or too slow? Allow it more "
                                + "time with call_deadline_milliseconds.")))
            }
            if isDone { return }
        }
    }
}
