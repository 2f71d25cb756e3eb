import Dispatch
import HidraProtocol
import Synchronization

/// Shows a running job's progress on standard error, or as JSON lines on standard output.
///
/// Messages come on the client's thread, which must not wait for a slow reader of our output: they are rendered and
/// written on a queue of their own, in order. The renderer's state is behind the mutex; only that queue takes it.
final class ProgressDisplay: Sendable {
    private struct State {
        var renderer: ProgressRenderer
        var notes: [String] = []
        var failure: (any Error)?
        var over = false
    }

    private let console: Console
    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "hidra.progress")
    private let start = ContinuousClock.now

    init(_ console: Console) {
        self.console = console
        let mode: ProgressRenderer.Mode = console.errors.canRedraw ? .bar(console.errors.style) : .lines
        state = Mutex(State(renderer: ProgressRenderer(mode: mode)))
    }

    func show(_ message: Hidra_V1_Progress) {
        // The time of arrival counts, not that of writing.
        let now = now
        queue.async { self.draw(message, now) }
    }

    /// Ends the display of a job that went well. Returns the notes shown, so that a summary need not repeat them.
    /// Throws when progress could not be written: what reads the output lacks lines.
    func complete() async throws -> [String] {
        let (notes, failure) = await end(succeeded: true)
        if let failure { throw failure }
        return notes
    }

    /// Ends the display of a job that did not end well: clears the bar and gives the cursor back.
    func abandon() async {
        _ = await end(succeeded: false)
    }

    private func draw(_ message: Hidra_V1_Progress, _ now: Double) {
        state.withLock { state in
            // A message that arrives after the end must not draw over the result.
            guard !state.over else { return }
            if !message.note.isEmpty { state.notes.append(message.note) }
            if console.json {
                write(message.json.text + "\n", to: console.output, &state)
            } else {
                let text = state.renderer.update(message, now: now, width: console.errors.width ?? 80)
                write(text, to: console.errors, &state)
            }
        }
    }

    private func end(succeeded: Bool) async -> ([String], (any Error)?) {
        let now = now
        return await withCheckedContinuation { continuation in
            queue.async {
                let result = self.state.withLock { state in
                    if !state.over, !self.console.json {
                        let text = state.renderer.finish(now: now, succeeded: succeeded)
                        self.write(text, to: self.console.errors, &state)
                    }
                    state.over = true
                    return (state.notes, state.failure)
                }
                continuation.resume(returning: result)
            }
        }
    }

    private var now: Double { (ContinuousClock.now - start) / .seconds(1) }

    private func write(_ text: String, to terminal: Terminal, _ state: inout State) {
        guard !text.isEmpty, state.failure == nil else { return }
        do { try terminal.write(text) } catch { state.failure = error }
    }
}
