import HidraProtocol

/// What `learning-curve` tells.
struct LearningCurveReport {
    let reply: Hidra_V1_LearningCurveReply

    func render(style: Style) -> String {
        var grid = Grid([
            .init("SHARE", right: true), .init("ROWS", right: true), .init(reply.metric.replacing("_", with: " ").uppercased(), right: true),
            .init("SPREAD", right: true),
        ])
        for point in reply.points {
            grid.add(
                "\(Format.fixed(point.share * 100, point.share < 0.1 ? 1 : 0)) %", Format.count(point.rows), Format.metric(point.mean),
                "± \(Format.fixed(point.deviation, 4))")
        }
        return grid.render(style: style) + "\n" + style.bold(reply.answer) + "\n"
            + style.dim("Measured on \(Format.count(reply.testRows, "test row")), in \(Format.duration(reply.seconds)).") + "\n"
    }
}

/// What `cluster` tells.
struct ClusterReport {
    let reply: Hidra_V1_ClusterReply
    let texts: [String]

    func render(width: Int?, style: Style) -> String {
        var grid = Grid([
            .init("CLUSTER"), .init("ROWS", right: true), .init("WORDS", flexible: true), .init("NEAREST ROWS", flexible: true),
        ])
        for (index, cluster) in reply.clusters.enumerated() {
            let rows = cluster.nearest.prefix(3).map { texts.indices.contains(Int($0)) ? texts[Int($0)] : "" }
            for (line, row) in (rows.isEmpty ? [""] : rows).enumerated() {
                grid.add(
                    line == 0 ? cluster.title(index) : "", line == 0 ? Format.count(cluster.rows) : "",
                    line == 0 ? cluster.words.joined(separator: " ") : "", row)
            }
        }
        let summary =
            "\(Format.count(UInt64(reply.clusters.count), "cluster")), silhouette \(Format.fixed(reply.silhouette, 3)), "
            + "\(Format.duration(reply.seconds))"
        return grid.render(width: width, style: style) + style.dim(summary) + "\n"
    }
}

extension Hidra_V1_Cluster {
    /// Its name, or its number where it has none.
    func title(_ index: Int) -> String { name.isEmpty ? "cluster-\(index + 1)" : name }
}

/// What `suggest` tells.
struct SuggestionReport {
    let reply: Hidra_V1_SuggestReply
    let texts: [String]

    func render(width: Int?, style: Style) -> String {
        var grid = Grid([
            .init("ROW", right: true), .init("UNSURE", right: true), .init("GUESSES", flexible: true), .init("TEXT", flexible: true),
        ])
        for suggestion in reply.suggestions {
            let guesses = suggestion.labels.map { "\($0.label) \(Format.fixed($0.score, 2))" }.joined(separator: ", ")
            let row = Int(suggestion.row)
            grid.add("\(row + 1)", Format.fixed(suggestion.uncertainty, 3), guesses, texts.indices.contains(row) ? texts[row] : "")
        }
        return grid.render(width: width, style: style)
    }
}

/// What a search tried, best first.
struct TrialReport {
    let trials: [Hidra_V1_Trial]

    func render(style: Style) -> String {
        var grid = Grid([
            .init(""), .init("TRIAL", right: true), .init("KIND"), .init("DROPOUT", right: true), .init("RATE", right: true),
            .init("BATCH", right: true), .init("DECAY", right: true), .init("SMOOTHING", right: true), .init("EPOCHS", right: true),
            .init("SCORE", right: true),
        ])
        for trial in trials.sorted(by: { ($1.rounds, $1.score, $0.number) < ($0.rounds, $0.score, $1.number) }) {
            grid.add(
                trial.chosen ? "*" : "", "\(trial.number)", trial.hidden > 0 ? "\(trial.kind) \(trial.hidden)" : trial.kind,
                trial.hidden > 0 ? Format.fixed(trial.dropout, 1) : "", Format.fixed(trial.learningRate, 5), "\(trial.batchSize)",
                Format.scientific(trial.weightDecay), Format.fixed(trial.labelSmoothing, 2), "\(trial.bestEpoch)/\(trial.epochs)",
                trial.score.isFinite ? Format.metric(trial.score) : "diverged")
        }
        return grid.render(style: style)
    }
}
