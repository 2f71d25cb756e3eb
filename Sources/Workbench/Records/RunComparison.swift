import Foundation
package import State
package import Statistics

/// Two runs side by side, and whether they differ on the test rows they share.
package struct RunComparison: Sendable {
    package struct Difference: Sendable, Equatable {
        package let name: String
        /// "–" where a run does not have it.
        package let first: String, second: String
    }

    package enum Test: Sendable, Equatable {
        case mcNemar(McNemar, rows: Int, interval: PairedResampling)
        /// Of what the name says of each row, e.g. "absolute error".
        case signFlip(PairedResampling, rows: Int, quantity: String)
    }

    package let first: RunRecord, second: RunRecord
    /// Settings that differ, by name.
    package let settings: [Difference]
    package let test: Test

    /// - Throws: `conflict` when the test rows differ, `invalidArgument` when the tasks do.
    init(_ first: RunRecord, _ firstRows: TestRows, _ second: RunRecord, _ secondRows: TestRows, seed: UInt64) throws {
        guard firstRows.task == secondRows.task else {
            throw WorkbenchError(
                .invalidArgument,
                "Run \(first.id) is of task \(firstRows.task) and run \(second.id) of task \(secondRows.task): they have nothing to compare.")
        }
        let order = try Self.pairing(first.id, firstRows.keys.values, second.id, secondRows.keys.values)
        (self.first, self.second) = (first, second)
        settings = Self.differences(first, second)
        test = try Self.test(firstRows, secondRows, order, seed)
    }

    /// For each row of the first the row of the second.
    private static func pairing(_ first: String, _ a: [UInt64], _ second: String, _ b: [UInt64]) throws -> [Int] {
        if a == b { return Array(a.indices) }
        // Rows that occur several times are paired in their order.
        var places: [UInt64: [Int]] = [:]
        for (row, key) in b.enumerated().reversed() { places[key, default: []].append(row) }
        var order: [Int] = [], missing = 0
        for key in a {
            if let row = places[key]?.popLast() { order.append(row) } else { missing += 1 }
        }
        guard missing == 0, a.count == b.count else {
            throw WorkbenchError(
                .conflict,
                "Runs \(first) and \(second) were tested on different rows: \(missing) of the first's \(a.count) are not among the "
                    + "second's \(b.count). Train both with the same --test file, or the same file, --holdout and --seed.",
                details: ["first_rows": String(a.count), "second_rows": String(b.count), "missing": String(missing)])
        }
        return order
    }

    private static func test(_ a: TestRows, _ b: TestRows, _ order: [Int], _ seed: UInt64) throws -> Test {
        func differences(_ first: [Double], _ second: [Double]) -> PairedResampling {
            PairedResampling(order.enumerated().map { second[$1] - first[$0] }, seed: seed)
        }
        if let first = a.isRight, let second = b.isRight {
            let paired = order.map { second[$0] }
            return .mcNemar(
                McNemar(first: first, second: paired), rows: order.count,
                interval: differences(first.map { $0 ? 1 : 0 }, second.map { $0 ? 1 : 0 }))
        }
        if let first = a.absoluteErrors, let second = b.absoluteErrors {
            return .signFlip(differences(first, second), rows: order.count, quantity: "absolute error")
        }
        if let first = a.errors?.values, let second = b.errors?.values {
            return .signFlip(
                differences(first.map(Double.init), second.map(Double.init)), rows: order.count,
                quantity: a.task == "tag" ? "wrong words" : "wrong labels")
        }
        throw WorkbenchError(.corrupt, "The test rows of a run lack its answers. Train it again.")
    }

    // MARK: Settings

    private static func differences(_ a: RunRecord, _ b: RunRecord) -> [Difference] {
        let first = a.settings, second = b.settings
        return Set(first.keys).union(second.keys).sorted().compactMap { name in
            let (left, right) = (first[name] ?? "–", second[name] ?? "–")
            return left == right ? nil : Difference(name: name, first: left, second: right)
        }
    }
}

extension TestRows {
    /// classify: whether each row's predicted label is its own.
    package var isRight: [Bool]? {
        guard let actual, let predicted else { return nil }
        return zip(actual.values, predicted.values).map { $0 == $1 }
    }

    fileprivate var absoluteErrors: [Double]? {
        guard let actualValues, let predictedValues else { return nil }
        return zip(actualValues.values, predictedValues.values).map { abs(Double($0) - Double($1)) }
    }
}

extension RunRecord {
    /// What the run was made with, flat: "settings.epochs" → "30".
    fileprivate var settings: [String: String] {
        var values: [String: String] = ["encoder": encoder]
        do {
            Self.flatten(try JSONSerialization.jsonObject(with: Data(configuration.utf8)), "", into: &values)
        } catch {
            // Written by another version: as a whole.
            values["configuration"] = configuration
        }
        guard let provenance else { return values }
        values["daemon version"] = provenance.daemonVersion
        values["plugin"] = provenance.plugin
        values["machine"] = "\(provenance.machine.processor), \(provenance.machine.threads) threads, \(provenance.machine.kernels)"
        return values
    }

    private static func flatten(_ value: Any, _ name: String, into values: inout [String: String]) {
        switch value {
        case let object as [String: Any]:
            for (key, part) in object { flatten(part, name.isEmpty ? key : "\(name).\(key)", into: &values) }
        case let list as [Any]:
            for (index, part) in list.enumerated() { flatten(part, "\(name)[\(index)]", into: &values) }
        default: values[name] = "\(value)"
        }
    }
}

extension Workbench {
    /// What was kept of a run's test rows, by the run's id or the name of the head it made.
    ///
    /// - Throws: `notFound` when there is no such run, or nothing was kept.
    package func testRows(of name: String) async throws -> (run: RunRecord, rows: TestRows?) {
        let run: RunRecord
        switch try await registry.item(named: name) {
        case .run(let record): run = record
        case .head(let head): run = try await registry.run(head.run)
        case .encoder:
            throw WorkbenchError(.invalidArgument, "'\(name)' is an encoder; name a head, or a run as `hidra ls` lists them.")
        }
        let folder = registry.directory.folder(.runs, run.id)
        return (run, try await Workbench.offPool { try TestRows.read(folder) })
    }

    /// Compares two runs, or the runs of two heads.
    package func compare(_ first: String, _ second: String, seed: UInt64) async throws -> RunComparison {
        let a = try await testRows(of: first), b = try await testRows(of: second)
        for (name, run, rows) in [(first, a.run, a.rows), (second, b.run, b.rows)] where rows == nil {
            throw WorkbenchError(
                .notFound,
                "Of run \(run.id) (\(name)) no answers to test rows are kept: it had none, has not finished, or is of an earlier version. "
                    + "Train it again with --test or --holdout.", details: ["name": name])
        }
        guard let firstRows = a.rows, let secondRows = b.rows else { preconditionFailure("checked above") }
        return try await Workbench.offPool { try RunComparison(a.run, firstRows, b.run, secondRows, seed: seed) }
    }
}
