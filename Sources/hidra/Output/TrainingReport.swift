import HidraProtocol

/// The summary `train` ends with.
struct TrainingReport {
    let reply: Hidra_V1_TrainReply
    /// Notes already shown with the progress.
    var seenNotes: [String] = []
    /// The texts, or the path of the image, of a training row, for the command to try next.
    var sample: [String] = []

    func render(style: Style) -> String {
        let summary = reply.summary
        var facts = Facts()
        facts.add("head", style.bold(reply.head.name) + " (\(reply.head.kind), \(shape)) on \(reply.head.encoder)")
        facts.add("rows", rows)
        facts.add("features", features)
        if summary.steps > 0 {
            facts.add(
                "training",
                "\(Format.count(summary.steps)) steps in \(Format.duration(summary.trainSeconds)), "
                    + "\(Format.rate(summary.stepsPerSecond)) steps/s, learning rate \(rate(summary.learningRate))")
        }
        if summary.bestEpoch > 0 {
            facts.add(
                "validation", "\(Format.metric(summary.validationScore)) at best, in epoch \(summary.bestEpoch)")
        }
        if reply.hasTest, reply.test.rows > 0 {
            facts.add(
                "test",
                style.bold(EvaluationReport(reply: reply.test).headline) + " on \(Format.count(reply.test.rows, "row"))"
            )
        }
        facts.add("calibration", calibration)
        facts.add("time", time)
        facts.add("run", reply.run.id)
        var text = reply.trials.isEmpty ? "" : TrialReport(trials: reply.trials).render(style: style) + "\n"
        text += facts.render(style: style)
        for round in reply.selfTraining { text += "\(roundLine(round))\n" }
        for note in notes { text += "\(style.yellow("note:")) \(note)\n" }
        return text + "\nTry it:  \(style.cyan(nextCommand))\n"
    }

    private var calibration: String {
        guard reply.hasCalibration else { return "" }
        let fitted = reply.calibration
        let tuned = fitted.thresholds.isEmpty ? "" : ", a threshold for each label"
        return "temperature \(Format.fixed(fitted.temperature, 2)): error \(Format.fixed(fitted.errorBefore, 3)) before, "
            + "\(Format.fixed(fitted.errorAfter, 3)) after\(tuned)"
    }

    /// "* round 1: 812 own labels, validation 0.8312, test 0.8290"
    private func roundLine(_ round: Hidra_V1_SelfTrainingRound) -> String {
        let what = round.number == 0 ? "labels alone" : "round \(round.number): \(Format.count(round.taken, "own label"))"
        let test = round.hasTestAccuracy ? ", test \(Format.metric(round.testAccuracy))" : ""
        return "\(round.kept ? "*" : " ") \(what), validation \(Format.metric(round.validationScore))\(test)"
    }

    /// The daemon's notes that the user has not read yet.
    var notes: [String] {
        var seen = Set(seenNotes)
        return (reply.summary.notes + reply.test.notes).filter { seen.insert($0).inserted }
    }

    var nextCommand: String {
        let isImage = reply.head.modality == "image"
        // A path is of no use when it is cut.
        let inputs = sample.map { isImage ? Shell.quoteIfNeeded($0) : Shell.quote(DisplayWidth.fit($0, 50)) }
        let some = isImage ? "photo.jpg" : "\"some text\""
        return "hidra predict \(Shell.quoteIfNeeded(reply.head.name)) \(inputs.isEmpty ? some : inputs.joined(separator: " "))"
    }

    private var shape: String {
        let parameters = "\(Format.parameters(reply.head.parameters)) parameters"
        return reply.head.labels.isEmpty
            ? parameters : "\(Format.count(UInt64(reply.head.labels.count), "label")), \(parameters)"
    }

    private var rows: String {
        let summary = reply.summary
        var parts = ["\(Format.count(summary.trainRows)) to train"]
        if summary.validationRows > 0 { parts.append("\(Format.count(summary.validationRows)) to validate") }
        if summary.testRows > 0 { parts.append("\(Format.count(summary.testRows)) to test") }
        return parts.joined(separator: ", ")
    }

    private var features: String {
        let summary = reply.summary
        let all = summary.cacheHits + summary.cacheMisses
        guard all > 0 else { return "" }
        let time = Format.duration(summary.extractSeconds)
        let cut = summary.truncatedRows > 0 ? ", \(Format.count(summary.truncatedRows)) cut at the encoder's limit" : ""
        if summary.cacheMisses == 0 { return "all \(Format.count(all)) from the cache, \(time)\(cut)" }
        let cached = summary.cacheHits > 0 ? ", \(Format.count(summary.cacheHits)) from the cache" : ""
        let speed =
            summary.extractSeconds > 0.1
            ? " (\(Format.rate(Double(summary.cacheMisses) / summary.extractSeconds))/s)" : ""
        return "\(Format.count(summary.cacheMisses)) encoded in \(time)\(speed)\(cached)\(cut)"
    }

    private var time: String {
        let summary = reply.summary
        let phases = [
            ("features", summary.extractSeconds), ("training", summary.trainSeconds), ("test", summary.evaluateSeconds),
        ].filter { $0.1 >= 0.0005 }.map { "\($0.0) \(Format.duration($0.1))" }
        let total = Format.duration(summary.totalSeconds)
        return phases.isEmpty ? total : "\(total): \(phases.joined(separator: ", "))"
    }

    private func rate(_ value: Double) -> String {
        value >= 0.001 && value < 10 ? trimmed(Format.fixed(value, 5)) : Format.scientific(value)
    }

    private func trimmed(_ number: String) -> String {
        guard number.contains(".") else { return number }
        var text = number
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }
}
