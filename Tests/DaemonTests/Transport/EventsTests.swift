import Daemon
import HidraClient
import HidraProtocol
import Synchronization
import Testing

@Suite("Events")
struct EventsTests {
    private static func event(_ sequence: UInt64) -> Hidra_V1_Event {
        var event = Hidra_V1_Event()
        event.sequence = sequence
        event.name = "run.progress"
        return event
    }

    /// The events a daemon still has.
    private final class Kept: Sendable {
        let sequences: Mutex<[UInt64]>
        init(_ sequences: [UInt64]) { self.sequences = Mutex(sequences) }
    }

    /// A daemon that still has the events `kept` when it is asked for a replay.
    private static func daemon(keeping kept: Kept) throws -> EchoDaemon {
        try EchoDaemon(answer: { message, loop in
            guard case .replay(let replay) = message.envelope.kind else { return }
            var reply = Hidra_V1_ReplayReply()
            reply.events = kept.sequences.withLock { $0 }.filter { $0 >= replay.fromSequence }.map(event)
            loop.reply(.replayReply(reply), to: message)
        })
    }

    @Test("From a number on, the past comes first and the present follows without a gap")
    func pastAndPresent() async throws {
        let kept = Kept([1, 2, 3, 4, 5])
        let daemon = try Self.daemon(keeping: kept)
        let client = try await ClientTests.connect(daemon)
        var seen: [UInt64] = []
        for try await event in client.events(from: 3) {
            seen.append(event.sequence)
            if event.sequence == 5 { for next in 6...8 { daemon.loop.publish(Self.event(UInt64(next))) } }
            if event.sequence == 8 { break }
        }
        #expect(seen == [3, 4, 5, 6, 7, 8])
        await client.close()
        await daemon.stop()
    }

    @Test("What the events socket dropped is asked for again")
    func gap() async throws {
        let kept = Kept([1])
        let daemon = try Self.daemon(keeping: kept)
        let client = try await ClientTests.connect(daemon)
        var seen: [UInt64] = []
        for try await event in client.events(from: 0) {
            seen.append(event.sequence)
            if event.sequence == 1 {
                // 2 and 3 happen, but are never published.
                kept.sequences.withLock { $0 = [1, 2, 3, 4] }
                daemon.loop.publish(Self.event(4))
                daemon.loop.publish(Self.event(5))
            }
            if event.sequence == 5 { break }
        }
        #expect(seen == [1, 2, 3, 4, 5])
        await client.close()
        await daemon.stop()
    }

    @Test("Without a number only the present comes, to every subscriber")
    func present() async throws {
        let daemon = try Self.daemon(keeping: Kept([1, 2, 3]))
        let client = try await ClientTests.connect(daemon)
        let streams = [client.events(), client.events()]
        // Subscribing takes a moment; until then nothing arrives.
        let publishing = Task {
            for sequence in UInt64(10)... {
                daemon.loop.publish(Self.event(sequence))
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        for stream in streams {
            var seen: [UInt64] = []
            for try await event in stream {
                seen.append(event.sequence)
                if seen.count == 5 { break }
            }
            #expect(seen.first.map { $0 >= 10 } == true)
            #expect(zip(seen, seen.dropFirst()).allSatisfy { $1 == $0 + 1 })
        }
        publishing.cancel()
        await client.close()
        await daemon.stop()
    }

    @Test("Streams end when the client closes, and fail when the daemon dies")
    func endings() async throws {
        let daemon = try Self.daemon(keeping: Kept([1]))
        let closing = try await ClientTests.connect(daemon)
        let dying = try await ClientTests.connect(daemon)
        let closed = Task { try await Self.drain(closing.events(from: 0)) }
        let died = Task { try await Self.drain(dying.events(from: 0)) }
        _ = await daemon.received.first { _ in
            daemon.received.values.count { if case .replay = $0.envelope.kind { true } else { false } } == 2
        }
        await closing.close()
        #expect(try await closed.value <= 1)
        await daemon.stop(deadline: .zero)
        let error = await #expect(throws: HidraError.self) { try await died.value }
        #expect(error?.code == .unavailable)
        let later = await #expect(throws: HidraError.self) { try await Self.drain(dying.events()) }
        #expect(later?.code == .unavailable)
    }

    private static func drain(_ stream: AsyncThrowingStream<Hidra_V1_Event, any Error>) async throws -> Int {
        var count = 0
        for try await _ in stream { count += 1 }
        return count
    }
}

@Suite("Putting events in order")
struct EventSequencerTests {
    private static func event(_ sequence: UInt64) -> Hidra_V1_Event {
        var event = Hidra_V1_Event()
        event.sequence = sequence
        return event
    }

    private static func numbers(_ step: EventSequencer.Step) -> [UInt64] { step.deliver.map(\.sequence) }

    @Test("Repeated events are delivered once")
    func repeats() {
        var sequencer = EventSequencer(from: nil)
        _ = sequencer.subscribed()
        #expect([7, 7, 8, 7, 8, 9].flatMap { Self.numbers(sequencer.receive(Self.event($0))) } == [7, 8, 9])
    }

    @Test("Events wait for the replay and follow it")
    func waiting() {
        var sequencer = EventSequencer(from: 2)
        #expect(Self.numbers(sequencer.receive(Self.event(5))) == [])
        #expect(sequencer.subscribed().replayFrom == 2)
        #expect(Self.numbers(sequencer.receive(Self.event(6))) == [])
        #expect(Self.numbers(sequencer.replayed([2, 3, 4, 5].map(Self.event))) == [2, 3, 4, 5, 6])
    }

    @Test("A gap is asked for once, and passed over when the daemon no longer has it")
    func lostGap() {
        let none = EventSequencer.Step()
        var sequencer = EventSequencer(from: nil)
        _ = sequencer.subscribed()
        _ = sequencer.receive(Self.event(1))
        #expect(sequencer.receive(Self.event(10)).replayFrom == 2)
        #expect(sequencer.receive(Self.event(11)) == none)
        #expect(Self.numbers(sequencer.replayed([9].map(Self.event))) == [9, 10, 11])
        #expect(Self.numbers(sequencer.receive(Self.event(12))) == [12])
    }

    @Test("Numbers of an earlier daemon do not hold back those of this one")
    func earlierDaemon() {
        var sequencer = EventSequencer(from: 5000)
        #expect(sequencer.subscribed().replayFrom == 5000)
        _ = sequencer.replayed([])
        #expect(Self.numbers(sequencer.receive(Self.event(3))) == [3])
    }

    @Test("Subscribing twice asks for one replay")
    func subscribedTwice() {
        let none = EventSequencer.Step()
        var sequencer = EventSequencer(from: 0)
        #expect(sequencer.subscribed().replayFrom == 0)
        #expect(sequencer.subscribed() == none)
    }
}
