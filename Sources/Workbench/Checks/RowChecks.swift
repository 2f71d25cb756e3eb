import Heads

extension CheckedRows {
    /// What the rows themselves tell, without an encoder.
    func rowFindings() -> [DataFinding] {
        [empty, emptyLabels, badLabels].compactMap { $0 } + duplicates() + labelFindings()
    }

    private var empty: DataFinding? {
        let rows = (0..<count).filter(isEmpty)
        return finding(
            .emptyInput, rows.count, "\(rows.count.counted("row has", "rows have")) an empty text: nothing can be learnt from them.",
            rows.lazy.map { example($0) })
    }

    private var emptyLabels: DataFinding? {
        guard request.task != .multilabel else { return nil }
        let rows = (0..<count).filter { parts[$0].isEmpty }
        return finding(
            .emptyLabel, rows.count,
            "\(rows.count.counted("row has", "rows have")) no label: training refuses them. Fill them in, or remove the rows.",
            rows.lazy.map { example($0) })
    }

    private var badLabels: DataFinding? {
        switch request.task {
        case .classify, .multilabel: return nil
        case .regress:
            let rows = (0..<count).filter { row in parts[row].first.map { !(Float($0)?.isFinite ?? false) } ?? false }
            return finding(
                .badLabel, rows.count, "\(rows.count.counted("row has", "rows have")) a label that is no finite number.",
                rows.lazy.map { example($0) })
        case .tag:
            func words(_ text: String) -> Int { text.split(whereSeparator: \.isWhitespace).count }
            let rows = (0..<count).filter { !parts[$0].isEmpty && words(columns[0][$0]) != words(labels[$0]) }
            return finding(
                .badLabel, rows.count, "\(rows.count.counted("row has", "rows have")) not as many labels as words.",
                rows.lazy.map { example($0) })
        }
    }

    /// Rows that agree in all texts but for case and white space; those that are empty aside.
    private func duplicates() -> [DataFinding] {
        var first: [String: Int] = [:], train: [(Int, Int)] = [], conflicts: [(Int, Int)] = [], leaks = train, conflictingLeaks = train
        var trained: [String: [Int]] = [:]
        for row in 0..<trainCount where !isEmpty(row) {
            if let earlier = first[keys[row]] {
                // A conflict with any earlier row is one.
                if let other = trained[keys[row]]?.first(where: { !agree($0, row) }) {
                    conflicts.append((row, other))
                } else {
                    train.append((row, earlier))
                }
            } else {
                first[keys[row]] = row
            }
            trained[keys[row], default: []].append(row)
        }
        for row in trainCount..<count where !isEmpty(row) {
            guard let others = trained[keys[row]] else { continue }
            if let other = others.first(where: { agree($0, row) }) {
                leaks.append((row, other))
            } else {
                conflictingLeaks.append((row, others[0]))
            }
        }
        func examples(_ pairs: [(Int, Int)]) -> some Sequence<DataFinding.Example> { pairs.lazy.map { example($0, with: $1) } }
        let tests = count - trainCount
        return [
            finding(
                .conflictingLeakage, conflictingLeaks.count,
                "\(conflictingLeaks.count) of \(tests.counted("test row")) are also training rows, with another label.",
                examples(conflictingLeaks)),
            finding(
                .leakage, leaks.count,
                "\(leaks.count) of \(tests.counted("test row")) are also training rows: what a head scores on them says nothing.",
                examples(leaks)),
            finding(
                .conflictingDuplicate, conflicts.count,
                "\(conflicts.count.counted("training row repeats", "training rows repeat")) another's text with a different label.",
                examples(conflicts)),
            finding(
                .duplicate, train.count,
                "\(train.count.counted("training row repeats", "training rows repeat")) an earlier one, label and text, but for case and white space.",
                examples(train)),
        ].compactMap { $0 }
    }

    // MARK: Labels

    /// Label → training rows, where there are labels.
    var labelCounts: [String: Int] {
        var counts: [String: Int] = [:]
        guard request.task != .regress else { return counts }
        for row in 0..<trainCount {
            let own = request.task == .tag ? labels[row].split(whereSeparator: \.isWhitespace).map(String.init) : parts[row]
            for label in Set(own) { counts[label, default: 0] += 1 }
        }
        return counts
    }

    private func labelFindings() -> [DataFinding] {
        let counts = labelCounts
        guard !counts.isEmpty else { return [] }
        let ordered = counts.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        func example(_ label: String, _ rows: Int) -> DataFinding.Example {
            DataFinding.Example(label: label, value: Double(rows))
        }
        let rare = ordered.filter { $0.value < request.rare }
        var findings = [
            finding(
                .rareLabel, rare.count,
                "\(rare.count) of \(counts.count.counted("label")) have fewer than \(request.rare) training rows: too few to learn and to measure.",
                rare.lazy.map { example($0.key, $0.value) })
        ]
        if request.task == .classify || request.task == .multilabel, let least = ordered.first, let most = ordered.last,
            most.value >= Self.imbalance * least.value
        {
            let ratio = (Double(most.value) / Double(least.value)).rounded()
            findings.append(
                finding(
                    .imbalance, counts.count,
                    "The most frequent label has \(Int(ratio)) times the rows of the rarest: accuracy hides how the rare ones do. Look at macro-F1; "
                        + "--class-weights may help.",
                    [example(most.key, most.value), example(least.key, least.value)]))
        }
        var unseen: [String: Int] = [:]
        for row in trainCount..<count where request.task != .tag && request.task != .regress {
            for label in Set(parts[row]) where counts[label] == nil { unseen[label, default: 0] += 1 }
        }
        let strangers = unseen.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        findings.append(
            finding(
                .unseenLabel, strangers.count,
                "\(strangers.count.counted("label of the test rows has", "labels of the test rows have")) no training row: no head can give "
                    + "\(strangers.count == 1 ? "it" : "them").",
                strangers.lazy.map { example($0.key, $0.value) }))
        return findings.compactMap { $0 }
    }

    /// Ratio of rows from which labels count as imbalanced.
    private static let imbalance = 10
}
