import ArgumentParser
import Foundation
import Scheduling

/// Replays a trace of jobs through the daemon's scheduler, and prints who got how much and who waited for how long.
struct ReplaySchedule: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule",
        abstract: "Replay a trace of jobs through the scheduler: shares and waiting times.",
        discussion: """
            A line for each job: arrival in seconds, account, class (interactive, training or bulk), units, seconds of each unit, and if \
            you like the account's share and a deadline in seconds:

                0    ana   training     2000  0.02
                0    ben   training     2000  0.02   3
                1.5  cleo  interactive  1     0.005
            """)

    @Argument(help: "The trace; - reads the standard input.")
    var trace: String

    func run() throws {
        let text: String
        if trace == "-" {
            text = String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
        } else {
            text = try String(contentsOfFile: trace, encoding: .utf8)
        }
        let jobs: [Simulation.Job]
        do { jobs = try Simulation.Job.trace(text) } catch let error as TraceError { throw ValidationError("\(trace), \(error)") }
        let simulation = Simulation(jobs)
        print("account", "share", "jobs", "seconds", "of what was served meanwhile", "median wait", "longest wait", "late", separator: "\t")
        for account in simulation.accounts {
            print(
                account.account.name, Self.text(account.account.share, 2), account.jobs, Self.text(account.seconds, 3),
                Self.text(100 * account.shareWhileActive, 1) + " %", Self.text(1000 * account.medianWait, 1) + " ms",
                Self.text(1000 * account.longestWait, 1) + " ms", account.late, separator: "\t")
        }
    }

    private static func text(_ value: Double, _ digits: Int) -> String {
        value.formatted(.number.precision(.fractionLength(digits)).grouping(.never).locale(Locale(identifier: "en_US_POSIX")))
    }
}
