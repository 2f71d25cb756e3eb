import Foundation
import HidraPlugin
import Synchronization

/// One line that is rewritten on a terminal; a line for each new phase elsewhere.
final class ProgressLine: Sendable {
    private let lastPhase = Mutex("")
    private let isTerminal = isatty(STDERR_FILENO) != 0

    func show(_ progress: WorkProgress) {
        if !progress.note.isEmpty { write("\(start)\(progress.subject): \(progress.note)\n") }
        let isNew = lastPhase.withLock { last in
            let key = "\(progress.subject) \(progress.phase)"
            defer { last = key }
            return key != last
        }
        guard isTerminal || isNew else { return }
        let amount = progress.total.map { " \(progress.done)/\($0) \(progress.unit)" } ?? ""
        write("\(start)\(progress.subject): \(progress.phase)\(isTerminal ? amount : "\n")")
    }

    func clear() { if isTerminal { write(start) } }

    private var start: String { isTerminal ? "\r\u{1b}[2K" : "" }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
