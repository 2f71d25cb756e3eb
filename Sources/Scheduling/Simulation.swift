/// Replays a trace through the schedule on one engine, without computing anything: what the schedule does, to be looked at.
package struct Simulation {
    /// So many units of work that somebody brings at a time.
    package struct Job: Sendable, Equatable {
        package var account: Account
        package var priority: Priority
        /// Seconds after the beginning.
        package var arrival: Double
        package var units: Int
        /// Seconds of computing of each unit.
        package var unitSeconds: Double
        /// Seconds after the beginning; nil: none.
        package var deadline: Double?

        package init(
            account: Account, priority: Priority, arrival: Double, units: Int, unitSeconds: Double, deadline: Double? = nil
        ) {
            self.account = account
            self.priority = priority
            self.arrival = arrival
            self.units = units
            self.unitSeconds = unitSeconds
            self.deadline = deadline
        }
    }

    /// When a job had its first unit and was done, in seconds after the beginning.
    package struct Outcome: Sendable, Equatable {
        package let job: Job
        package let begun: Double, done: Double
        package var wait: Double { begun - job.arrival }
        package var isLate: Bool { job.deadline.map { done > $0 } ?? false }
    }

    /// What an account came to.
    package struct AccountSummary: Sendable {
        package let account: Account
        package let jobs: Int, seconds: Double
        /// Of the seconds that all had together while it had work.
        package let shareWhileActive: Double
        /// Seconds until the first unit: the median, and the longest.
        package let medianWait: Double, longestWait: Double
        package let late: Int
    }

    package private(set) var outcomes: [Outcome] = []
    /// Account → unit by unit, when it was computed for and how long.
    private var served: [(account: String, start: Double, seconds: Double)] = []

    /// - Parameter cores: what a second of the engine is charged as.
    package init(_ jobs: [Job], cores: Double = 1) {
        var pending = jobs.enumerated().sorted { ($0.element.arrival, $0.offset) < ($1.element.arrival, $1.offset) }[...]
        var waiting: [UInt64: (task: Waiting, job: Job, left: Int, begun: Double?)] = [:]
        var ledger = Ledger(), now = 0.0
        while !pending.isEmpty || !waiting.isEmpty {
            if waiting.isEmpty, let next = pending.first { now = max(now, next.element.arrival) }
            while let next = pending.first, next.element.arrival <= now {
                pending.removeFirst()
                let job = next.element, id = UInt64(next.offset)
                guard job.units > 0 else {
                    outcomes.append(Outcome(job: job, begun: job.arrival, done: job.arrival))
                    continue
                }
                if !waiting.values.contains(where: { $0.task.account.name == job.account.name }) { ledger.arrive(job.account) }
                let task = Waiting(id: id, priority: job.priority, arrival: id, served: 0, account: job.account)
                waiting[id] = (task, job, job.units, nil)
            }
            for id in waiting.keys {
                guard let entry = waiting[id], let deadline = entry.job.deadline else { continue }
                waiting[id]?.task.deadline = .init(time: deadline, remaining: Double(entry.left) * entry.job.unitSeconds)
            }
            guard let id = Schedule.next(waiting.values.map(\.task), ledger: ledger, now: now), var entry = waiting[id] else { continue }
            if entry.begun == nil { entry.begun = now }
            served.append((entry.job.account.name, now, entry.job.unitSeconds))
            now += entry.job.unitSeconds
            entry.left -= 1
            entry.task.served += entry.job.unitSeconds
            waiting[id] = entry.left > 0 ? entry : nil
            ledger.charge(
                entry.job.account, coreSeconds: entry.job.unitSeconds * cores, active: Set(waiting.values.map(\.task.account)))
            if entry.left == 0 { outcomes.append(Outcome(job: entry.job, begun: entry.begun ?? now, done: now)) }
        }
    }

    /// By account, in the order of the trace.
    package var accounts: [AccountSummary] {
        let names = outcomes.sorted { $0.job.arrival < $1.job.arrival }
            .reduce(into: [String]()) { if !$0.contains($1.job.account.name) { $0.append($1.job.account.name) } }
        return names.map { name in
            let own = outcomes.filter { $0.job.account.name == name }
            let waits = own.map(\.wait).sorted()
            let seconds = served.lazy.filter { $0.account == name }.reduce(0) { $0 + $1.seconds }
            let all = served.lazy.filter { unit in own.contains { $0.job.arrival <= unit.start && unit.start < $0.done } }
                .reduce(0) { $0 + $1.seconds }
            return AccountSummary(
                account: own[0].job.account, jobs: own.count, seconds: seconds, shareWhileActive: all > 0 ? seconds / all : 0,
                medianWait: waits[waits.count / 2], longestWait: waits[waits.count - 1], late: own.count(where: \.isLate))
        }
    }
}
