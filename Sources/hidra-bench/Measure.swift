import Foundation

/// Shortest of several runs, in seconds: the one the machine disturbed least.
func best(of runs: Int, _ body: () throws -> Void) rethrows -> Double {
    var shortest = Double.infinity
    for _ in 0..<runs {
        let start = ContinuousClock.now
        try body()
        shortest = min(shortest, (ContinuousClock.now - start) / .seconds(1))
    }
    return shortest
}

/// Processor time of this process and all its threads, in seconds: comparable also while others use the machine.
func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Seconds of one run of `body`, by the quickest of many windows of some milliseconds: on a shared machine only short ones pass
/// undisturbed.
func quickest(within seconds: Double, _ body: () throws -> Void) rethrows -> Double {
    let window = 0.005
    let single = try best(of: 1, body)
    let runs = max(1, Int(window / max(single, 1e-9)))
    let begin = ContinuousClock.now
    var shortest = Double.infinity
    repeat {
        shortest = min(shortest, try best(of: 1) { for _ in 0..<runs { try body() } } / Double(runs))
    } while (ContinuousClock.now - begin) / .seconds(1) < seconds
    return shortest
}

/// One JSON object on a line, keys in the order given.
func say(_ fields: [(String, any CustomStringConvertible)]) {
    let members = fields.map { name, value -> String in
        switch value {
        case let text as String: return "\"\(name)\": \"\(text)\""
        case let number as Double: return "\"\(name)\": \(String(format: "%.4g", number))"
        default: return "\"\(name)\": \(value)"
        }
    }
    print("{\(members.joined(separator: ", "))}")
    // A long run is watched through a file.
    fflush(nil)
}
