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
}
