package import Training

/// The labels a head knows, in order, and how cells of a table become targets.
package struct LabelEncoding: Sendable {
    package let task: HeadTask
    package let labels: [String]
    package let separator: Character
    /// Of regression: targets are learnt as `(value − mean) / deviation`.
    package let scaling: Scaling
    /// How outputs become probabilities; nil: as they are.
    package var calibration: Calibration?

    package struct Scaling: Sendable, Codable, Equatable {
        package var mean = 0.0, deviation = 1.0
        package init(mean: Double = 0, deviation: Double = 1) {
            self.mean = mean
            self.deviation = deviation
        }
    }

    package var outputs: Int { task == .regress ? 1 : labels.count }

    package init(
        task: HeadTask, labels: [String], separator: Character = "|", scaling: Scaling = Scaling(), calibration: Calibration? = nil
    ) {
        self.task = task
        self.labels = labels
        self.separator = separator
        self.scaling = scaling
        self.calibration = calibration
    }

    /// Learns the labels (sorted) or the scale from the cells of the training rows.
    /// - Throws: `HeadError.invalidLabels` naming the first bad row (counted from 1), or saying what is missing.
    package init(learning cells: [String], task: HeadTask, separator: Character = "|") throws {
        switch task {
        case .tag:
            let seen = Set(try cells.enumerated().flatMap { try Self.tags($1, row: $0) })
            guard seen.count >= 2, seen.count <= 1_000 else {
                throw HeadError(
                    .invalidLabels, "the words have \(seen.count) different labels; there must be 2 to 1000. Is it the right column?")
            }
            self.init(task: task, labels: seen.sorted(), separator: separator)
        case .classify, .multilabel:
            var seen: Set<String> = []
            for (row, cell) in cells.enumerated() {
                let parts = Self.parts(cell, task, separator)
                if task == .classify, parts.isEmpty { throw Self.emptyLabel(row) }
                seen.formUnion(parts)
            }
            guard seen.count >= (task == .classify ? 2 : 1) else {
                throw HeadError(
                    .invalidLabels,
                    "the label column has \(seen.count == 1 ? "only the label \"\(seen.first ?? "")\"" : "no labels"); "
                        + "a head needs at least \(task == .classify ? "two" : "one"). Is it the right column?")
            }
            guard seen.count <= 50_000 else {
                throw HeadError(
                    .invalidLabels,
                    "the label column has \(seen.count) different values; the limit is 50000. Is it the right column, or should "
                        + "the task be \"regress\"?")
            }
            self.init(task: task, labels: seen.sorted(), separator: separator)
        case .regress:
            let values = try Self.numbers(cells)
            let mean = values.reduce(0) { $0 + Double($1) } / Double(max(values.count, 1))
            let variance =
                values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(max(values.count, 1))
            guard variance > 0 else {
                throw HeadError(
                    .invalidLabels, "every target is \(mean); there is nothing to learn. Is it the right column?")
            }
            self.init(
                task: task, labels: [], separator: separator,
                scaling: Scaling(mean: mean, deviation: variance.squareRoot()))
        }
    }

    /// Targets of rows, and the rows left out because their label was never trained (with the labels).
    /// - Throws: `HeadError.invalidLabels` for an empty or non-numeric cell.
    package func encode(_ cells: [String]) throws -> (targets: Targets, rows: [Int], unknown: [String: Int]) {
        let index = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
        var unknown: [String: Int] = [:], rows: [Int] = []
        switch task {
        case .classify:
            var classes: [Int32] = []
            for (row, cell) in cells.enumerated() {
                guard let label = Self.parts(cell, task, separator).first else { throw Self.emptyLabel(row) }
                if let known = index[label] {
                    classes.append(Int32(known))
                    rows.append(row)
                } else {
                    unknown[label, default: 0] += 1
                }
            }
            return (.classes(classes), rows, unknown)
        case .multilabel:
            var flags = [Float](repeating: 0, count: cells.count * labels.count)
            for (row, cell) in cells.enumerated() {
                for label in Self.parts(cell, task, separator) {
                    if let known = index[label] {
                        flags[row * labels.count + known] = 1
                    } else {
                        unknown[label, default: 0] += 1
                    }
                }
            }
            return (.labels(flags, count: labels.count), Array(cells.indices), unknown)
        case .regress:
            let values = try Self.numbers(cells).map { Float((Double($0) - scaling.mean) / scaling.deviation) }
            return (.values(values), Array(cells.indices), [:])
        case .tag:
            var tags: [[Int32]] = []
            for (row, cell) in cells.enumerated() {
                let own = try Self.tags(cell, row: row), known = own.compactMap { index[$0] }
                for tag in own where index[tag] == nil { unknown[tag, default: 0] += 1 }
                guard known.count == own.count else { continue }
                tags.append(known.map { Int32($0) })
                rows.append(row)
            }
            return (.tags(tags), rows, unknown)
        }
    }

    /// The labels of a text's words, which white space separates.
    package static func tags(_ cell: String, row: Int) throws -> [String] {
        let tags = cell.split(whereSeparator: \.isWhitespace).map(String.init)
        guard !tags.isEmpty else {
            throw HeadError(
                .invalidLabels, "row \(row + 1) has no labels; give one for each word, \"O\" where there is nothing",
                details: ["row": String(row + 1)])
        }
        return tags
    }

    private static func emptyLabel(_ row: Int) -> HeadError {
        HeadError(
            .invalidLabels, "row \(row + 1) has an empty label; fill it in or remove the row",
            details: ["row": String(row + 1)])
    }

    /// The label a cell of a `classify` column stands for: surrounding white space does not count.
    package func label(ofCell cell: String) -> String { cell.trimmingWhitespace() }

    private static func parts(_ cell: String, _ task: HeadTask, _ separator: Character) -> [String] {
        let cells = task == .multilabel ? cell.split(separator: separator).map(String.init) : [cell]
        return cells.map { $0.trimmingWhitespace() }.filter { !$0.isEmpty }
    }

    private static func numbers(_ cells: [String]) throws -> [Float] {
        try cells.enumerated().map { row, cell in
            guard let value = Float(cell.trimmingWhitespace()), value.isFinite else {
                throw HeadError(
                    .invalidLabels,
                    "row \(row + 1): \"\(cell.prefix(40))\" is not a finite number; fix or remove the row, or use the task "
                        + "\"classify\" for labels",
                    details: ["row": String(row + 1)])
            }
            return value
        }
    }
}

extension String {
    fileprivate func trimmingWhitespace() -> String {
        guard let start = firstIndex(where: { !$0.isWhitespace }), let end = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[start...end])
    }
}
