import Synchronization

/// Requests that must go one after the other, in the order in which they arrived.
final class RequestLines: Sendable {
    struct Ticket: Sendable {
        fileprivate let line: String
        fileprivate let number: Int
    }

    private struct Line {
        var next = 0
        var serving = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        /// Given back before their turn.
        var abandoned: Set<Int> = []
    }

    private let lines = Mutex<[String: Line]>([:])

    /// Takes a place at the end of a line. Every ticket must be given back, with `done` after its turn or with `abandon` before.
    func enter(_ line: String) -> Ticket {
        lines.withLock { lines in
            defer { lines[line, default: Line()].next += 1 }
            return Ticket(line: line, number: lines[line]?.next ?? 0)
        }
    }

    func turn(_ ticket: Ticket) async {
        await withCheckedContinuation { continuation in
            let isNow = lines.withLock { lines in
                guard lines[ticket.line]?.serving != ticket.number else { return true }
                lines[ticket.line]?.waiting[ticket.number] = continuation
                return false
            }
            if isNow { continuation.resume() }
        }
    }

    func done(_ ticket: Ticket) {
        let next: CheckedContinuation<Void, Never>? = lines.withLock { lines in
            guard var line = lines.removeValue(forKey: ticket.line) else { return nil }
            repeat { line.serving += 1 } while line.abandoned.remove(line.serving) != nil
            defer { if line.serving < line.next { lines[ticket.line] = line } }
            return line.waiting.removeValue(forKey: line.serving)
        }
        next?.resume()
    }

    /// Of a request that was not started: those before it keep their turns.
    func abandon(_ ticket: Ticket) {
        let isNow = lines.withLock { lines in
            guard lines[ticket.line]?.serving != ticket.number else { return true }
            lines[ticket.line]?.abandoned.insert(ticket.number)
            return false
        }
        if isNow { done(ticket) }
    }
}
