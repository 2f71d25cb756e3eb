import Foundation
import HidraProtocol
import State
import Synchronization

/// Numbers events, keeps the last of them for replay and hands them to the events socket in order.
final class EventLog: Sendable {
    /// Events kept for replay.
    static let kept = 4096

    private struct State {
        var events: [Hidra_V1_Event] = []
        var next: UInt64 = 1
        var publish: (@Sendable (Hidra_V1_Event) -> Void)?
    }

    /// Tells this process's sequence from another's.
    let epoch = UUID().uuidString.lowercased()
    private let state = Mutex(State())

    /// From now on events go out. Set once, when the sockets are there.
    func connect(_ publish: @escaping @Sendable (Hidra_V1_Event) -> Void) { state.withLock { $0.publish = publish } }

    func record(_ name: String, _ subject: String, _ values: [String: String] = [:]) {
        state.withLock { state in
            var event = Hidra_V1_Event()
            event.sequence = state.next
            event.time = Date().timeIntervalSince1970
            event.name = name
            event.subject = subject
            event.values = values
            event.epoch = epoch
            state.next += 1
            state.events.append(event)
            if state.events.count > 2 * Self.kept { state.events.removeFirst(state.events.count - Self.kept) }
            // Within the lock: the order on the wire is the order of the numbers.
            state.publish?(event)
        }
    }

    func replay(from sequence: UInt64) -> Hidra_V1_ReplayReply {
        state.withLock { state in
            var reply = Hidra_V1_ReplayReply()
            reply.epoch = epoch
            reply.events = state.events.suffix(Self.kept).filter { $0.sequence >= sequence }
            reply.oldestSequence = state.events.suffix(Self.kept).first?.sequence ?? state.next
            reply.newestSequence = state.next - 1
            return reply
        }
    }
}
