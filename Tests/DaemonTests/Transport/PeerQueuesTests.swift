import Daemon
import HidraProtocol
import Testing
import ZeroMQ

@Suite("Queues of slow peers")
struct PeerQueuesTests {
    private let slow = PeerAddress(channel: .work, client: ClientIdentity([1]))
    private let other = PeerAddress(channel: .control, client: ClientIdentity([2]))

    @Test("What waits is sent in order, as far as the peer takes it")
    func order() {
        var queues = PeerQueues(capBytes: 1000)
        for value in UInt8(0)..<10 {
            let kept = queues.append([[value]], for: slow)
            #expect(kept)
        }
        var taken: [UInt8] = []
        var room = 4
        let send = { (_: PeerAddress, frames: [[UInt8]]) -> Socket.SendResult in
            if room == 0 { return .full }
            room -= 1
            taken.append(frames[0][0])
            return .sent
        }
        #expect(queues.flush(send).isEmpty)
        #expect(taken == [0, 1, 2, 3])
        #expect(queues.hasMessages(for: slow))
        room = 100
        #expect(queues.flush(send).isEmpty)
        #expect(taken == Array(0..<10))
        #expect(queues.isEmpty)
    }

    @Test("A peer may have so many bytes waiting, and a first message of any size")
    func cap() {
        var queues = PeerQueues(capBytes: 100)
        let large = queues.append([[UInt8](repeating: 0, count: 5000)], for: slow)
        let second = queues.append([[1]], for: slow)
        let others = queues.append([[UInt8](repeating: 0, count: 60)], for: other)
        let fitting = queues.append([[UInt8](repeating: 0, count: 40)], for: other)
        let over = queues.append([[1]], for: other)
        #expect([large, second, others, fitting, over] == [true, false, true, true, false])
        queues.remove(slow.client)
        #expect(!queues.hasMessages(for: slow) && queues.hasMessages(for: other))
    }

    @Test("What was sent no longer counts against the cap")
    func freed() {
        var queues = PeerQueues(capBytes: 10)
        _ = queues.append([[UInt8](repeating: 0, count: 6)], for: slow)
        _ = queues.append([[UInt8](repeating: 0, count: 4)], for: slow)
        var first = true
        _ = queues.flush { _, _ in
            defer { first = false }
            return first ? .sent : .full
        }
        let fits = queues.append([[UInt8](repeating: 0, count: 6)], for: slow)
        let over = queues.append([[1]], for: slow)
        #expect(fits && !over)
    }

    @Test("Peers that are gone are reported and forgotten")
    func gone() {
        var queues = PeerQueues(capBytes: 100)
        _ = queues.append([[1]], for: slow)
        _ = queues.append([[2]], for: other)
        let gone = queues.flush { peer, _ in peer == slow ? .unreachable : .full }
        #expect(gone == [slow])
        #expect(!queues.hasMessages(for: slow) && queues.hasMessages(for: other))
    }

    @Test("A long queue costs what its messages cost")
    func length() {
        let start = ContinuousClock.now
        var queues = PeerQueues(capBytes: 1 << 30)
        for _ in 0..<100_000 { _ = queues.append([[1]], for: slow) }
        var taken = 0
        while !queues.isEmpty {
            var room = 10_000
            _ = queues.flush { _, _ in
                if room == 0 { return .full }
                room -= 1
                taken += 1
                return .sent
            }
        }
        #expect(taken == 100_000)
        // Minutes when each message costs a copy of the queue.
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test("The gate closes at the high mark and opens at the low one")
    func gate() {
        var gate = InputGate(high: 10, low: 4)
        let states = [0, 9, 10, 7, 5, 4, 9, 12, 0].map { gate.update(backlog: $0) }
        #expect(states == [true, true, false, false, false, true, true, false, true])
    }
}
