import HidraProtocol

/// Results of training, evaluation and prediction as `--json` prints them.
extension Hidra_V1_Task {
    /// The word used on the command line.
    var word: String {
        switch self {
        case .classify: "classify"
        case .multilabel: "multilabel"
        case .regress: "regress"
        case .tag: "tag"
        case .unspecified, .UNRECOGNIZED: "unknown"
        }
    }
}

extension Hidra_V1_TrainReply {
    var json: JSON {
        .event(
            "result",
            [
                ("head", head.json), ("run", run.json), ("test", hasTest ? .object(test.members) : .null),
                ("summary", summary.json),
            ] + (trials.isEmpty ? [] : [("trials", .array(trials.map(\.json)))])
                + (selfTraining.isEmpty ? [] : [("self_training", .array(selfTraining.map(\.json)))])
                + (hasCalibration ? [("calibration", calibration.json)] : []))
    }
}

extension Hidra_V1_TrainingSummary {
    var json: JSON {
        .object([
            ("train_rows", .unsigned(trainRows)), ("validation_rows", .unsigned(validationRows)),
            ("test_rows", .unsigned(testRows)), ("cache_hits", .unsigned(cacheHits)),
            ("cache_misses", .unsigned(cacheMisses)), ("truncated_rows", .unsigned(truncatedRows)),
            ("steps", .unsigned(steps)), ("steps_per_second", .number(stepsPerSecond)),
            ("extract_seconds", .number(extractSeconds)), ("train_seconds", .number(trainSeconds)),
            ("evaluate_seconds", .number(evaluateSeconds)), ("total_seconds", .number(totalSeconds)),
            ("learning_rate", .number(learningRate)), ("best_epoch", .unsigned(UInt64(bestEpoch))),
            ("validation_score", .number(validationScore)), ("notes", .strings(notes)),
        ])
    }
}

extension Hidra_V1_EvaluateReply {
    var members: [(String, JSON)] {
        [
            ("head", .string(head)), ("task", .string(task.word)), ("rows", .unsigned(rows)),
            ("metrics", .map(metrics)),
            (
                "classes",
                .array(
                    classes.map {
                        .object([
                            ("label", .string($0.label)), ("precision", .number($0.precision)),
                            ("recall", .number($0.recall)), ("f1", .number($0.f1)), ("support", .unsigned($0.support)),
                        ])
                    })
            ),
            (
                "confusions",
                .array(
                    confusions.map {
                        .object([
                            ("actual", .string($0.actual)), ("predicted", .string($0.predicted)),
                            ("count", .unsigned($0.count)),
                        ])
                    })
            ),
            ("truncated_rows", .unsigned(truncatedRows)), ("notes", .strings(notes)), ("seconds", .number(seconds)),
        ]
    }
}

extension Hidra_V1_HeadPrediction {
    /// - Parameter text: what the head read; pieces of it are shown.
    func json(of text: String) -> JSON {
        guard !spans.isEmpty else { return json }
        return .object([
            (
                "spans",
                .array(
                    spans.map {
                        .object([
                            ("label", .string($0.label)), ("text", .string($0.text(in: text))), ("start", .unsigned(UInt64($0.start))),
                            ("end", .unsigned(UInt64($0.end))), ("score", .number($0.score)),
                        ])
                    })
            )
        ])
    }

    private var json: JSON {
        if hasValue { return .object([("value", .number(value))]) }
        return .object([
            (
                "labels",
                .array(labels.map { .object([("label", .string($0.label)), ("score", .number($0.score))]) })
            )
        ])
    }
}

extension Hidra_V1_Span {
    /// The piece itself.
    func text(in whole: String) -> String {
        let scalars = Array(whole.unicodeScalars)
        guard start <= end, Int(end) <= scalars.count else { return "" }
        var piece = String.UnicodeScalarView()
        piece.append(contentsOf: scalars[Int(start)..<Int(end)])
        return String(piece)
    }
}
