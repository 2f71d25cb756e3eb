import Encoders
import Heads
import Scheduling
import State
import Statistics
import TensorCore
import Training

extension Workbench {
    /// Looks for faults in labelled texts.
    ///
    /// - Throws: `invalidData` for no rows; what an encoder that is named throws.
    package func check(
        _ request: DataCheckRequest, progress: @escaping ProgressHandler = { _ in }
    ) async throws -> DataReport {
        guard !request.labels.isEmpty else { throw WorkbenchError(.invalidData, "There are no rows to check. Is the file empty?") }
        guard (1...1_000).contains(request.examples), (0.5...1).contains(request.near), (1...1_000_000).contains(request.rare) else {
            throw WorkbenchError(
                .invalidArgument,
                "Examples must be 1 to 1000, the cosine of near-duplicates 0.5 to 1, and rare labels' rows 1 to 1000000; they are "
                    + "\(request.examples), \(request.near) and \(request.rare).")
        }
        let (rows, findings) = try await Workbench.offPool {
            let rows = CheckedRows(request)
            return (rows, rows.rowFindings())
        }
        var report = DataReport(
            rows: rows.trainCount, testRows: rows.count - rows.trainCount, labels: rows.labelCounts.count, findings: findings, notes: [])
        if let encoder = request.encoder {
            try await addEmbeddingFindings(rows, encoder, &report, progress)
        } else {
            report.notes.append(
                "Without an encoder, texts that are cut, near-duplicates and likely label errors are not looked for. Name one with --encoder.")
        }
        let order = DataFinding.Kind.allCases, ranks: [DataFinding.Severity: Int] = [.error: 0, .warning: 1, .information: 2]
        func rank(_ finding: DataFinding) -> (Int, Int) {
            (ranks[finding.kind.severity] ?? 0, order.firstIndex(of: finding.kind) ?? 0)
        }
        report.findings.sort { rank($0) < rank($1) }
        return report
    }

    private func addEmbeddingFindings(
        _ rows: CheckedRows, _ name: String, _ report: inout DataReport, _ progress: @escaping ProgressHandler
    ) async throws {
        progress(JobProgress(.loading, unit: "encoders"))
        let loaded = try await encoders.encoder(named: name, precision: rows.request.precision)
        try loaded.require(.text)
        let tap = try loaded.tap(named: rows.request.tap)
        let features = try await extractor.features(
            rows.columns[0].map { .text($0) }, of: loaded, tap: tap, priority: .training
        ) { done, hits in
            progress(JobProgress(.extracting, done: done, total: rows.count, metrics: ["cache_hits": Double(hits)]))
        }
        if let finding = rows.truncation(features, limit: loaded.encoder.maxTokens) { report.findings.append(finding) }
        let own = features
        if let finding = try await labelErrors(rows, own, &report.notes, progress) { report.findings.append(finding) }
        guard rows.columns.count == 1 else {
            report.notes.append("Rows of several texts are not compared by their embeddings.")
            return
        }
        report.findings += try await nearDuplicates(rows, own, &report.notes, progress)
    }

    // MARK: Near-duplicates

    /// Of rows that are no exact duplicates of each other.
    private func nearDuplicates(
        _ rows: CheckedRows, _ features: Features, _ notes: inout [String], _ progress: @escaping ProgressHandler
    ) async throws -> [DataFinding] {
        var seen: Set<String> = []
        var distinct = (0..<rows.count).filter { !rows.isEmpty($0) && seen.insert(rows.keys[$0]).inserted }
        if distinct.count > NearDuplicates.mostRows {
            notes.append(
                "Near-duplicates were looked for among \(NearDuplicates.mostRows) of \(distinct.count) different texts, chosen at random: "
                    + "the work grows with their square.")
            var random = Random(seed: rows.request.seed, stream: "near-duplicates")
            let all = distinct
            distinct = random.permutation(all.count).prefix(NearDuplicates.mostRows).sorted().map { all[$0] }
        }
        guard distinct.count > 1 else { return [] }
        let compared = distinct, limit = rows.request.near, width = features.width
        let output = try await compute.run(.training) {
            NearDuplicates(values: features.selecting(compared).values, width: width, limit: limit) { done, total in
                progress(JobProgress(.evaluating, done: done, total: total))
            }
        }
        let pairs = output.pairs.map { (first: compared[$0.first], second: compared[$0.second], cosine: Double($0.cosine)) }
        if output.count > pairs.count {
            notes.append("Of \(output.count) near-duplicate pairs the first \(pairs.count) were looked at; a higher --near shows fewer.")
        }
        func found(_ kind: DataFinding.Kind, _ text: (Int) -> String, _ belongs: (Int, Int) -> Bool) -> DataFinding? {
            let own = pairs.filter { belongs($0.first, $0.second) }
            // The test row, or the later one, first.
            return rows.finding(
                kind, own.count, text(own.count), own.lazy.map { rows.example($0.second, with: $0.first, value: $0.cosine) })
        }
        let least = "of a cosine of \(limit) and more"
        return [
            found(.conflictingNearDuplicate, { "\($0.counted("pair")) of training rows \(least) with different labels." }) {
                !rows.isTest($0) && !rows.isTest($1) && !rows.agree($0, $1)
            },
            found(.nearLeakage, { "\($0.counted("pair")) of a training and a test row \(least)." }) { rows.isTest($0) != rows.isTest($1) },
            found(.nearDuplicate, { "\($0.counted("pair")) of training rows \(least) with the same label." }) {
                !rows.isTest($0) && !rows.isTest($1) && rows.agree($0, $1)
            },
        ].compactMap { $0 }
    }

    // MARK: Labels

    /// Training rows whose label others contradict; nil when there are none, or when they cannot be looked for, which a note says.
    private func labelErrors(
        _ rows: CheckedRows, _ features: Features, _ notes: inout [String], _ progress: @escaping ProgressHandler
    ) async throws -> DataFinding? {
        let task = rows.request.task, counts = rows.labelCounts
        guard task == .classify || task == .multilabel else {
            notes.append("Likely label errors are looked for in tasks classify and multilabel only.")
            return nil
        }
        let labels = counts.filter { $0.value >= HeldOutProbabilities.folds }.keys.sorted()
        let position = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
        let judged = (0..<rows.trainCount).filter { row in
            !rows.isEmpty(row) && (task == .multilabel || rows.parts[row].first.map { position[$0] != nil } ?? false)
        }
        guard labels.count >= (task == .classify ? 2 : 1), judged.count >= 10 * HeldOutProbabilities.folds else {
            notes.append(
                "Likely label errors are not looked for: that takes \(10 * HeldOutProbabilities.folds) rows, and labels with "
                    + "\(HeldOutProbabilities.folds) rows each.")
            return nil
        }
        if labels.count < counts.count {
            notes.append("Rows of the \((counts.count - labels.count).counted("label")) with fewer than \(HeldOutProbabilities.folds) rows are not judged.")
        }
        let targets: Targets =
            task == .classify
            ? .classes(judged.map { Int32(position[rows.parts[$0][0]] ?? 0) })
            : .labels(judged.flatMap { row in labels.map { rows.parts[row].contains($0) ? 1 : 0 } }, count: labels.count)
        var groupOf: [String: Int] = [:]
        let groups = judged.map { row -> Int in
            let next = groupOf.count
            return groupOf[rows.keys[row]] ?? { groupOf[rows.keys[row]] = next; return next }()
        }
        let (count, seed, width) = (labels.count, rows.request.seed, features.width)
        let probabilities: [Float]
        do {
            probabilities = try await compute.run(.training) {
                HeldOutProbabilities(
                    values: features.selecting(judged).values, width: width, targets: targets, outputs: count, groups: groups, seed: seed
                ) { progress(JobProgress(.training, done: $0, total: $1, unit: "steps")) }
            }
        } catch let error as TrainingError {
            throw WorkbenchError(.invalidData, "Likely label errors could not be looked for: \(error.message)", cause: error)
        }
        let issues =
            task == .classify
            ? rows.issues(probabilities, targets, judged, labels) : rows.labelwiseIssues(probabilities, targets, judged, labels)
        return rows.finding(
            .labelError, issues.count,
            "\(issues.count) of \(judged.count.counted("row")) likely have a wrong label: heads trained without them are sure of another.",
            issues)
    }
}

extension CheckedRows {
    fileprivate func truncation(_ features: Features, limit: Int) -> DataFinding? {
        let cut = (0..<count).filter { features.truncated[$0] }
        let share = (1000 * Double(cut.count) / Double(max(count, 1))).rounded() / 10
        return finding(
            .truncated, cut.count,
            "\(cut.count.counted("text is", "texts are")) longer than the encoder's \(limit) tokens (\(share) %): the rest of them is not read.",
            cut.lazy.map { example($0) })
    }

    /// The most certain first.
    fileprivate func issues(
        _ probabilities: [Float], _ targets: Targets, _ judged: [Int], _ labels: [String]
    ) -> [DataFinding.Example] {
        guard case .classes(let classes) = targets else { return [] }
        return ConfidentLearning(probabilities: probabilities, labels: classes.map { Int($0) }, classes: labels.count).issues.map {
            example(judged[$0.row], suggestion: labels[$0.suggested], value: $0.probability)
        }
    }

    /// Each label as a question of its own, yes or no.
    fileprivate func labelwiseIssues(
        _ probabilities: [Float], _ targets: Targets, _ judged: [Int], _ labels: [String]
    ) -> [DataFinding.Example] {
        guard case .labels(let flags, let count) = targets else { return [] }
        var all: [(issue: ConfidentLearning.Issue, label: Int)] = []
        for label in 0..<count {
            let own = judged.indices.map { probabilities[$0 * count + label] }
            let issues = ConfidentLearning(
                probabilities: own.flatMap { [1 - $0, $0] }, labels: judged.indices.map { flags[$0 * count + label] > 0.5 ? 1 : 0 },
                classes: 2
            ).issues
            all += issues.map { ($0, label) }
        }
        return all.sorted { ($0.issue.margin, $0.issue.row, $0.label) < ($1.issue.margin, $1.issue.row, $1.label) }.map {
            example(
                judged[$0.issue.row], suggestion: ($0.issue.suggested == 1 ? "with " : "without ") + labels[$0.label],
                value: $0.issue.probability)
        }
    }
}
