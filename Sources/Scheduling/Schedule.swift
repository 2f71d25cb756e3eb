/// Which task gets the next unit:
///
/// 1. the highest class;
/// 2. within it, tasks whose deadline can be kept only so, the earliest first;
/// 3. then the account that has had least for its share, so that a client with a hundred tasks gets no more than one with a single one;
/// 4. of its tasks, the one that has had the least compute time, so that a short run is not held up by a long one that came first;
/// 5. then the one that came first.
package enum Schedule {
    /// - Parameter now: seconds, of the deadlines' clock.
    package static func next(_ waiting: [Waiting], ledger: Ledger = Ledger(), now: Double = 0) -> UInt64? {
        waiting.min { precedes($0, $1, ledger, now) }?.id
    }

    private static func precedes(_ a: Waiting, _ b: Waiting, _ ledger: Ledger, _ now: Double) -> Bool {
        if a.priority != b.priority { return a.priority > b.priority }
        let (first, second) = (pressing(a, now), pressing(b, now))
        if first != second { return first < second }
        if a.account.name != b.account.name {
            let (mine, other) = (ledger.used(by: a.account), ledger.used(by: b.account))
            if mine != other { return mine < other }
        }
        return (a.served, a.arrival) < (b.served, b.arrival)
    }

    private static func pressing(_ task: Waiting, _ now: Double) -> Double {
        guard let deadline = task.deadline, deadline.isPressing(now) else { return .infinity }
        return deadline.time
    }
}
