import Daemon
import HidraClient
import HidraProtocol
import Testing

/// How requests end other than by a reply: each exactly once, with an error that says why.
@Suite("How requests end")
struct ClientEndingsTests {
    private static func isCancel(_ message: InboundMessage) -> Bool {
        if case .cancel = message.envelope.kind { true } else { false }
    }

    private static func isTrain(_ message: InboundMessage) -> Bool {
        if case .train = message.envelope.kind { true } else { false }
    }

    @Test("Cancelling the task tells the daemon and throws at once")
    func cancel() async throws {
        let daemon = try EchoDaemon()
        let client = try await ClientTests.connect(daemon)
        let task = Task { try await client.train(Hidra_V1_TrainRequest()) }
        let train = try #require(await daemon.received.first(where: Self.isTrain))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let cancel = try #require(await daemon.received.first(where: Self.isCancel))
        #expect(cancel.channel == .control)
        #expect(cancel.envelope.cancel.openRequestID == train.envelope.requestID)
        await client.close()
        await daemon.stop()
    }

    @Test("A cancellation that overtook its request is repeated when the daemon turns out to work on it")
    func cancelAgain() async throws {
        let daemon = try EchoDaemon(answer: { message, loop in
            // As if the cancellation had come before the request: work begins after it.
            if case .cancel(let cancel) = message.envelope.kind {
                loop.send(
                    .partial(to: cancel.openRequestID, .progress(.init())), to: message.client, on: .work)
            }
        })
        let client = try await ClientTests.connect(daemon)
        let task = Task { try await client.train(Hidra_V1_TrainRequest()) }
        _ = await daemon.received.first(where: Self.isTrain)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let cancels = Recorder<Int>()
        for await count in Self.counts(of: daemon.received, where: Self.isCancel) {
            cancels.append(count)
            if count == 2 { break }
        }
        #expect(cancels.values.last == 2)
        await client.close()
        await daemon.stop()
    }

    /// How many values fit, whenever there is one more; ends after ten seconds.
    private static func counts<Value: Sendable>(
        of recorder: Recorder<Value>, where fits: @escaping @Sendable (Value) -> Bool
    ) -> AsyncStream<Int> {
        AsyncStream { continuation in
            let task = Task {
                var seen = 0
                while seen < 10 {
                    let next = seen + 1
                    guard await recorder.first(where: { _ in recorder.values.count(where: fits) >= next }) != nil else {
                        break
                    }
                    seen = next
                    continuation.yield(seen)
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    @Test("A task cancelled before it asks sends nothing")
    func cancelledBefore() async throws {
        let daemon = try EchoDaemon()
        let client = try await ClientTests.connect(daemon)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await client.list()
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        await client.close()
        #expect(!daemon.received.values.contains { if case .list = $0.envelope.kind { true } else { false } })
        await daemon.stop()
    }

    @Test("A daemon that shows no sign of life is a time-out")
    func silence() async throws {
        let daemon = try EchoDaemon(greets: true, answer: { _, _ in })
        let client = try await ClientTests.connect(daemon, silence: .milliseconds(200))
        // Stops the answers, heartbeats included, while the connection stays.
        daemon.mute()
        let start = ContinuousClock.now
        let error = await #expect(throws: HidraError.self) { try await client.list() }
        #expect(error?.code == .timeout)
        #expect(error?.message.contains("0.2 s") == true)
        #expect(ContinuousClock.now - start < .seconds(15))
        await client.close()
        await daemon.stop()
    }

    @Test("A long request does not time out while heartbeats are answered")
    func patience() async throws {
        let daemon = try EchoDaemon(
            heartbeatSeconds: 1,
            answer: { message, loop in
                let heartbeats = Task {
                    try await Task.sleep(for: .milliseconds(700))
                    loop.reply(.listReply(.init()), to: message)
                }
                _ = heartbeats
            })
        let client = try await ClientTests.connect(daemon, silence: .milliseconds(200))
        _ = try await client.list()
        await client.close()
        await daemon.stop()
    }

    @Test("A deadline ends a request that is making progress, and the daemon is told")
    func deadline() async throws {
        let daemon = try EchoDaemon(answer: { message, loop in
            loop.reply(.progress(.init()), to: message, partial: true)
        })
        let client = try await ClientTests.connect(daemon)
        let error = await #expect(throws: HidraError.self) {
            try await HidraClient.$deadline.withValue(.now + .milliseconds(100)) {
                try await client.train(Hidra_V1_TrainRequest())
            }
        }
        #expect(error?.code == .timeout)
        #expect(await daemon.received.first(where: Self.isCancel) != nil)
        // The connection is still good.
        let status = Task { try await client.status() }
        _ = await daemon.received.first { if case .status = $0.envelope.kind { true } else { false } }
        status.cancel()
        await client.close()
        await daemon.stop()
    }

    @Test("When the daemon dies, open requests fail at once and say so")
    func death() async throws {
        let daemon = try EchoDaemon()
        let client = try await ClientTests.connect(daemon)
        let tasks = (0..<100).map { _ in Task { try await client.list() } }
        let train = Task { try await client.train(Hidra_V1_TrainRequest()) }
        _ = await daemon.received.first(where: Self.isTrain)
        let start = ContinuousClock.now
        await daemon.stop(deadline: .zero)
        for task in tasks {
            let error = await #expect(throws: HidraError.self) { try await task.value }
            #expect(error?.code == .unavailable)
        }
        let error = await #expect(throws: HidraError.self) { try await train.value }
        #expect(error?.message.contains("gone") == true)
        // Not by silence, which takes half a minute.
        #expect(ContinuousClock.now - start < .seconds(15))
        // And so does every later one.
        let later = await #expect(throws: HidraError.self) { try await client.list() }
        #expect(later?.code == .unavailable)
        await client.close()
    }

    @Test("What the daemon sent before it stopped still arrives")
    func lastWords() async throws {
        for _ in 0..<20 {
            let daemon = try EchoDaemon(answer: { message, loop in
                loop.reply(.shutdownReply(.init()), to: message)
            })
            let client = try await ClientTests.connect(daemon)
            async let reply = client.shutdown(grace: .zero)
            _ = await daemon.received.first { if case .shutdown = $0.envelope.kind { true } else { false } }
            await daemon.stop()
            #expect(try await reply.jobsFinishing == 0)
            await client.close()
        }
    }

    @Test("A daemon's goodbye is the reason that requests give")
    func goodbye() async throws {
        let daemon = try EchoDaemon(answer: { message, loop in
            var goodbye = Hidra_V1_Goodbye()
            goodbye.reason = "stopping for an upgrade"
            loop.send(.reply(to: 0, .goodbye(goodbye)), to: message.client, on: .control)
        })
        let client = try await ClientTests.connect(daemon)
        let error = await #expect(throws: HidraError.self) { try await client.list() }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("stopping for an upgrade") == true)
        await daemon.stop()
    }

    @Test("Closing fails what is open, and what is asked afterwards")
    func close() async throws {
        let daemon = try EchoDaemon()
        let client = try await ClientTests.connect(daemon)
        let tasks = (0..<50).map { _ in Task { try await client.train(Hidra_V1_TrainRequest()) } }
        _ = await daemon.received.first(where: Self.isTrain)
        async let first: Void = client.close()
        async let second: Void = client.close()
        _ = await (first, second)
        for task in tasks {
            let error = await #expect(throws: HidraError.self) { try await task.value }
            #expect(error?.code == .cancelled)
        }
        await #expect(throws: HidraError.self) { try await client.list() }
        await daemon.stop()
    }

    @Test("A client that is dropped without closing says goodbye")
    func dropped() async throws {
        let daemon = try EchoDaemon()
        do { _ = try await ClientTests.connect(daemon) }
        let goodbye = await daemon.received.first { if case .goodbye = $0.envelope.kind { true } else { false } }
        #expect(goodbye != nil)
        await daemon.stop()
    }
}
