import State
import Synchronization

/// Asks plugins for the losses of a step, one head after the other. A plugin that is gone is waited for and asked again: the question, and so
/// what comes of it, is the same. Lives on the compute thread; answers come from elsewhere and open the gate.
final class LossQuestions {
    struct Question {
        let plugin: String
        let call: CallQuestion
    }

    private enum Letter {
        case answer(Result<CallAnswer, any Error>)
        /// Somebody offers the loss again.
        case offered
        case tooLate
    }

    /// Where letters wait for the compute thread.
    private final class Mailbox: Sendable {
        private let letters = Mutex<[(attempt: Int, letter: Letter)]>([])

        func put(_ letter: Letter, _ attempt: Int) { letters.withLock { $0.append((attempt, letter)) } }

        /// The first letter to this attempt; those to earlier ones are dropped.
        func take(_ attempt: Int) -> Letter? {
            letters.withLock { letters in
                letters.removeAll { $0.attempt < attempt }
                return letters.isEmpty ? nil : letters.removeFirst().letter
            }
        }
    }

    private let providers: LossProviders
    private let gate: ComputeGate
    private let patience: Duration
    private let mailbox = Mailbox()
    private var questions: [Question] = []
    private var answers: [CallAnswer] = []
    /// Counts questions and their repetitions.
    private var attempt = 0
    private var isAsked = false
    /// Since when the present question's plugin has been away.
    private var awaySince: ContinuousClock.Instant?

    init(_ providers: LossProviders, _ gate: ComputeGate, patience: Duration) {
        self.providers = providers
        self.gate = gate
        self.patience = patience
    }

    /// The plugin that is being waited for, because it is not there.
    var missing: String? { awaySince == nil ? nil : questions.first?.plugin }

    func begin(_ questions: [Question]) {
        self.questions = questions
        answers = []
        ask()
    }

    /// The answers, in the questions' order, when all are there; nil: the gate is closed until there is something new.
    ///
    /// - Throws: what a plugin says is wrong; `unavailable` when one stays away for too long.
    func poll() throws -> [CallAnswer]? {
        while let question = questions.first {
            // Closed first: a letter that comes now opens it again.
            gate.close()
            guard let letter = mailbox.take(attempt) else { return nil }
            gate.open()
            switch letter {
            case .answer(.success(let answer)):
                try answer.require(fits: question.call)
                answers.append(answer)
                questions.removeFirst()
                awaySince = nil
                if !questions.isEmpty { ask() }
            case .answer(.failure(let error)):
                guard Self.isAway(error) else { throw error }
                wait(for: question.plugin)
            case .offered: ask()
            case .tooLate: throw Self.away(question.plugin, patience)
            }
        }
        gate.open()
        return answers
    }

    /// There is other work to do while the plugin thinks.
    func keepGoing() { gate.open() }

    private func ask() {
        guard let question = questions.first else { return }
        guard let callee = providers.callee(named: question.plugin) else { return wait(for: question.plugin) }
        attempt += 1
        gate.close()
        callee.call(question.call) { [mailbox, gate, attempt] result in
            mailbox.put(.answer(result), attempt)
            gate.open()
        }
    }

    private func wait(for plugin: String) {
        attempt += 1
        let since = awaySince ?? .now
        awaySince = since
        gate.close()
        let attempt = attempt, mailbox = mailbox, gate = gate, left = max(.zero, patience - (ContinuousClock.now - since))
        let hasLeft = providers.callee(named: plugin) != nil
        // One that answers nothing is still there: a little later it may be another.
        if hasLeft {
            Task {
                do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
                mailbox.put(left == .zero ? .tooLate : .offered, attempt)
                gate.open()
            }
            return
        }
        providers.whenOffered(plugin) {
            mailbox.put(.offered, attempt)
            gate.open()
        }
        Task {
            do { try await Task.sleep(for: left) } catch { return }
            mailbox.put(.tooLate, attempt)
            gate.open()
        }
    }

    /// Whether the plugin may come back, rather than have said that something is wrong.
    private static func isAway(_ error: any Error) -> Bool {
        guard let error = error as? WorkbenchError else { return (error as? any RetryableCallError)?.isRetryable ?? (error is CancellationError) }
        return error.code == .unavailable || error.code == .timeout
    }

    private static func away(_ plugin: String, _ patience: Duration) -> WorkbenchError {
        WorkbenchError(
            .unavailable,
            "Plugin '\(plugin)', which computes a loss, has not been there for \(patience / .seconds(1)) seconds. Start it, e.g. with "
                + "`hidra plugin start \(plugin)`, then go on with `hidra session resume`.", details: ["plugin": plugin])
    }
}

/// An error of the transport that says whether asking again later makes sense.
package protocol RetryableCallError: Error {
    var isRetryable: Bool { get }
}
