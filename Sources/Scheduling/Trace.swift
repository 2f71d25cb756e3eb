extension Simulation.Job {
    /// Reads a trace: a line for each job, `#` begins a comment,
    ///
    ///     # arrival  account  class        units  seconds  [share  [deadline]]
    ///     0          ana      training     200    0.02
    ///     1.5        ben      interactive  1      0.005
    ///
    /// - Throws: `TraceError` with the line.
    package static func trace(_ text: String) throws -> [Simulation.Job] {
        try text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            if words.isEmpty { return nil }
            func refuse(_ what: String) -> TraceError { TraceError(line: index + 1, message: what) }
            guard (5...7).contains(words.count) else {
                throw refuse("a job has 5 to 7 words: arrival, account, class, units, seconds, share, deadline")
            }
            func number(_ position: Int, _ name: String, above least: Double) throws -> Double {
                guard let value = Double(words[position]), value.isFinite, value >= least, value <= 1e9 else {
                    throw refuse("\(name) is \"\(words[position])\"; it must be a number from \(least)")
                }
                return value
            }
            guard let priority = Priority.allCases.first(where: { "\($0)" == words[2] }) else {
                throw refuse("the class is \"\(words[2])\"; it must be interactive, training or bulk")
            }
            guard let units = Int(words[3]), (1...1_000_000).contains(units) else {
                throw refuse("units are \"\(words[3])\"; they must be 1 to 1000000")
            }
            let share = words.count > 5 ? try number(5, "the share", above: 0.001) : 1
            return Simulation.Job(
                account: Account(String(words[1]), share: share), priority: priority, arrival: try number(0, "the arrival", above: 0),
                units: units, unitSeconds: try number(4, "a unit's seconds", above: 1e-6),
                deadline: words.count > 6 ? try number(6, "the deadline", above: 0) : nil)
        }
    }
}

package struct TraceError: Error, Sendable, CustomStringConvertible {
    package let line: Int
    package let message: String
    package var description: String { "line \(line): \(message)." }
}
