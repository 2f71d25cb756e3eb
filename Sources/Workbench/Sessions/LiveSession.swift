import Foundation
import Sessions
import State
import Synchronization
import TensorCore

/// A session that runs in this process.
final class LiveSession: Sendable {
    let control = SessionControl()
    let coreTime = CoreTime()
    /// Encoders it reads, and the heads and the encoder it will register.
    let names: Set<String>
    private let started = ContinuousClock.now
    /// Of its earlier stretches.
    private let before: (seconds: Double, coreSeconds: Double)
    /// What had been used when somebody last let it go on: budgets count from there.
    private let granted: (seconds: Double, coreSeconds: Double)
    private let state: Mutex<(live: SessionLive, pace: Pace, rows: Pace)>
    private let ended = Mutex<(isOver: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    init(_ record: SessionRecord, _ plan: SessionPlan) {
        names = Set(plan.encoders + plan.heads.map(\.name) + (plan.train.what.hasBody ? [plan.name] : []))
        before = (record.seconds, record.coreSeconds)
        granted = (record.grantedSeconds, record.grantedCoreSeconds)
        var live = SessionLive()
        (live.step, live.totalSteps) = (record.checkpoint?.step ?? 0, record.totalSteps)
        state = Mutex((live, Pace(), Pace()))
    }

    /// Seconds of the session, and core-seconds.
    var used: (seconds: Double, coreSeconds: Double) {
        (before.seconds + (ContinuousClock.now - started) / .seconds(1), before.coreSeconds + coreTime.total)
    }

    var current: SessionLive {
        let (seconds, coreSeconds) = used
        return state.withLock { state in
            var live = state.live
            (live.seconds, live.coreSeconds) = (seconds, coreSeconds)
            return live
        }
    }

    func update(_ change: (inout SessionLive) -> Void) {
        state.withLock { state in
            change(&state.live)
            if let rate = state.pace.rate(state.live.step) {
                state.live.stepsPerSecond = rate
                state.live.secondsLeft = Double(max(0, state.live.totalSteps - state.live.step)) / rate
            }
            if state.live.unit == "rows", let rate = state.rows.rate(state.live.done) { state.live.rowsPerSecond = rate }
        }
    }

    /// What of its budget is used up, in words.
    func budgetExcess(_ budget: SessionPlan.Budget) -> String? {
        let (seconds, coreSeconds) = used
        if let minutes = budget.minutes, seconds - granted.seconds >= minutes * 60 {
            return "Its budget of \(Self.text(minutes)) minutes is used up. `hidra session resume` grants it as much again."
        }
        if let limit = budget.coreSeconds, coreSeconds - granted.coreSeconds >= limit {
            return "Its budget of \(Self.text(limit)) core-seconds is used up. `hidra session resume` grants it as much again."
        }
        return nil
    }

    private static func text(_ value: Double) -> String { value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value) }

    func end() {
        let waiting = ended.withLock { ended in
            defer { ended = (true, []) }
            return ended.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Waits until it does not run any more.
    func finished() async {
        await withCheckedContinuation { continuation in
            let isOver = ended.withLock { ended in
                if !ended.isOver { ended.waiting.append(continuation) }
                return ended.isOver
            }
            if isOver { continuation.resume() }
        }
    }
}

extension SessionLive {
    mutating func take(_ report: SessionTraining.Report) {
        (step, totalSteps) = (report.step, report.totalSteps)
        (done, total) = (report.step, report.totalSteps)
        (losses, epochs, bestEpochs) = (report.losses, report.epochs, report.bestEpochs)
        phase = report.waitsForPlugin == nil ? JobProgress.Phase.training.rawValue : "waiting for a plugin"
        note = report.waitsForPlugin.map { "Plugin '\($0)' is not there; the step is repeated when it comes back." } ?? ""
    }

    mutating func count(_ rows: Int, hits: Int) {
        done = rows
        (cacheHits, cacheMisses) = (hits, max(0, rows - hits))
    }
}
