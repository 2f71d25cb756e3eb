/// The life of one plugin's process, as a state machine without processes or clocks: what happens goes in, what to do comes out.
///
///     stopped ── start ──▶ starting ── hello ──▶ running ── stop ──▶ stopping ── exit ──▶ stopped
///                              │                    │
///                              └──── exit, silence ─┴──▶ waiting ── time ──▶ starting, at most `restarts` times, then failed
package struct PluginLife: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package struct Timing: Sendable {
        /// From its start to its hello.
        package var hello = Duration.seconds(30)
        /// From the goodbye to SIGTERM.
        package var goodbye = Duration.seconds(3)
        /// From SIGTERM to SIGKILL.
        package var terminate = Duration.seconds(3)
        /// Before the first restart; twice as long before each that follows.
        package var firstBackOff = Duration.milliseconds(500)
        package var longestBackOff = Duration.seconds(30)
        /// Restarts within `window`; one more crash, and it has failed.
        package var restarts = 5
        package var window = Duration.seconds(600)
        /// Running for so long, it is well again: the next crash waits `firstBackOff`.
        package var steady = Duration.seconds(60)

        package init() {}
    }

    package enum Phase: String, Sendable {
        case stopped, starting, running, stopping, waiting, failed
    }

    package enum Action: Sendable, Equatable {
        case spawn
        case sayGoodbye(String)
        /// SIGTERM to its process group.
        case terminate
        /// SIGKILL to its process group.
        case kill
        case report(Report)
    }

    package enum Report: Sendable, Equatable {
        case started
        case stopped
        case restarting(why: String, after: Duration)
        case failed(why: String)
    }

    private enum Step { case goodbye, terminating, killing }
    private enum Afterwards { case stop, again, recover }

    package private(set) var phase = Phase.stopped
    /// How its last process ended, when that was not as it should.
    package private(set) var problem = ""
    /// By itself, since it was last started by hand.
    package private(set) var restarts = 0
    /// When `tick` has something to do.
    package private(set) var deadline: Instant?

    /// Its process has ended by itself, and well.
    package private(set) var isDone = false
    private let timing: Timing
    private var step = Step.goodbye
    private var afterwards = Afterwards.stop
    private var runningSince: Instant?
    private var recent: [Instant] = []
    private var crashesInARow = 0

    package init(timing: Timing = Timing()) { self.timing = timing }

    /// Whether it is or should soon be running.
    package var isWanted: Bool {
        switch phase {
        case .starting, .running, .waiting: true
        case .stopping: afterwards != .stop
        case .stopped, .failed: false
        }
    }

    /// Starts it by hand, with all restarts to come. One that runs goes on.
    package mutating func start(_ now: Instant) -> [Action] {
        switch phase {
        case .starting, .running: return []
        case .stopping:
            afterwards = .again
            return []
        case .stopped, .waiting, .failed:
            (restarts, crashesInARow, recent, problem) = (0, 0, [], "")
            return begin(now)
        }
    }

    package mutating func stop(_ now: Instant, _ reason: String) -> [Action] {
        switch phase {
        case .stopped: return []
        case .failed:
            phase = .stopped
            return [.report(.stopped)]
        case .waiting:
            (phase, deadline) = (.stopped, nil)
            return [.report(.stopped)]
        case .stopping:
            afterwards = .stop
            return []
        case .starting, .running: return leave(now, .stop, reason)
        }
    }

    package mutating func restart(_ now: Instant) -> [Action] {
        switch phase {
        case .starting, .running:
            (restarts, crashesInARow, recent, problem) = (0, 0, [], "")
            return leave(now, .again, "restarted")
        default: return start(now)
        }
    }

    /// It has said hello with its token.
    package mutating func greeted(_ now: Instant) -> [Action] {
        guard phase == .starting else { return [] }
        (phase, deadline, runningSince) = (.running, nil, now)
        return [.report(.started)]
    }

    /// Its program could not be run at all: trying again would not help.
    package mutating func spawnFailed(_ why: String) -> [Action] {
        guard phase == .starting else { return [] }
        (phase, deadline, problem) = (.failed, nil, why)
        return [.report(.failed(why: why))]
    }

    /// It lives and does not behave: it is killed, and started again.
    package mutating func misbehaved(_ why: String) -> [Action] {
        guard phase == .starting || phase == .running else { return [] }
        (phase, step, afterwards, problem, deadline) = (.stopping, .killing, .recover, why, nil)
        return [.kill]
    }

    /// Its process is gone. One that ends with `status` 0 after its hello has done what it wanted.
    package mutating func exited(status: Int32, _ how: String, _ now: Instant) -> [Action] {
        switch phase {
        case .running where status == 0:
            (phase, deadline, runningSince, isDone) = (.stopped, nil, nil, true)
            return [.report(.stopped)]
        case .running: return recover(how, now)
        case .starting: return recover("\(how) before it had said hello", now)
        case .stopping:
            switch afterwards {
            case .stop:
                (phase, deadline, runningSince) = (.stopped, nil, nil)
                return [.report(.stopped)]
            case .again: return begin(now)
            case .recover: return recover(problem, now)
            }
        case .stopped, .waiting, .failed: return []
        }
    }

    /// Does what is due.
    package mutating func tick(_ now: Instant) -> [Action] {
        guard let due = deadline, due <= now else { return [] }
        switch phase {
        case .starting: return misbehaved("it did not say hello within \(timing.hello.seconds) s")
        case .waiting: return begin(now)
        case .stopping where step == .goodbye:
            (step, deadline) = (.terminating, now + timing.terminate)
            return [.terminate]
        case .stopping where step == .terminating:
            (step, deadline) = (.killing, nil)
            return [.kill]
        default:
            deadline = nil
            return []
        }
    }

    private mutating func begin(_ now: Instant) -> [Action] {
        (phase, deadline, runningSince, isDone) = (.starting, now + timing.hello, nil, false)
        return [.spawn]
    }

    private mutating func leave(_ now: Instant, _ then: Afterwards, _ reason: String) -> [Action] {
        let isGreeted = phase == .running
        (phase, afterwards) = (.stopping, then)
        step = isGreeted ? .goodbye : .terminating
        deadline = now + (isGreeted ? timing.goodbye : timing.terminate)
        // One that has not said hello cannot be said goodbye to.
        return isGreeted ? [.sayGoodbye(reason)] : [.terminate]
    }

    private mutating func recover(_ why: String, _ now: Instant) -> [Action] {
        problem = why
        if let runningSince, now - runningSince >= timing.steady { crashesInARow = 0 }
        runningSince = nil
        let window = timing.window
        recent.removeAll { now - $0 >= window }
        guard recent.count < timing.restarts else {
            (phase, deadline) = (.failed, nil)
            return [.report(.failed(why: why))]
        }
        var delay = timing.firstBackOff
        for _ in 0..<crashesInARow where delay < timing.longestBackOff { delay *= 2 }
        delay = min(delay, timing.longestBackOff)
        recent.append(now)
        restarts += 1
        crashesInARow += 1
        (phase, deadline) = (.waiting, now + delay)
        return [.report(.restarting(why: why, after: delay))]
    }
}

extension Duration {
    /// For messages: seconds, with one digit after the point when it is not a whole number.
    var seconds: String {
        let tenths = Int((self / .seconds(1) * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
