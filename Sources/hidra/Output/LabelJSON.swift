import HidraProtocol

extension Hidra_V1_LearningCurveReply {
    var json: JSON {
        .event(
            "result",
            [
                ("metric", .string(metric)), ("answer", .string(answer)), ("more_would_help", .bool(moreWouldHelp)),
                ("test_rows", .unsigned(testRows)), ("seconds", .number(seconds)), ("notes", .strings(notes)),
                (
                    "points",
                    .array(
                        points.map { point in
                            .object([
                                ("share", .number(point.share)), ("rows", .unsigned(point.rows)), ("mean", .number(point.mean)),
                                ("deviation", .number(point.deviation)), ("scores", .array(point.scores.map { .number($0) })),
                            ])
                        })
                ),
            ])
    }
}

extension Hidra_V1_ClusterReply {
    func json(_ texts: [String]) -> JSON {
        let clusters = clusters.enumerated().map { index, cluster -> JSON in
            .object([
                ("name", .string(cluster.title(index))), ("words", .strings(cluster.words)), ("rows", .unsigned(cluster.rows)),
                ("nearest", .strings(cluster.nearest.map { texts.indices.contains(Int($0)) ? texts[Int($0)] : "" })),
            ])
        }
        return .event(
            "result",
            [
                ("clusters", .array(clusters)), ("silhouette", .number(silhouette)), ("seconds", .number(seconds)),
                ("assignment", .array(assignment.map { $0 == .max ? .null : .unsigned(UInt64($0)) })),
                ("distances", .array(distances.map { .single($0) })), ("notes", .strings(notes)),
            ])
    }
}

extension Hidra_V1_SuggestReply {
    func json(_ texts: [String]) -> JSON {
        let rows = suggestions.map { suggestion -> JSON in
            let row = Int(suggestion.row)
            return .object([
                ("row", .unsigned(suggestion.row + 1)), ("text", .string(texts.indices.contains(row) ? texts[row] : "")),
                ("uncertainty", .number(suggestion.uncertainty)),
                (
                    "labels",
                    .array(suggestion.labels.map { .object([("label", .string($0.label)), ("score", .number($0.score))]) })
                ),
            ])
        }
        return .event(
            "result",
            [
                ("suggestions", .array(rows)), ("duplicates", .unsigned(duplicates)), ("seconds", .number(seconds)),
                ("notes", .strings(notes)),
            ])
    }
}

extension Hidra_V1_Trial {
    var json: JSON {
        .object([
            ("number", .unsigned(UInt64(number))), ("kind", .string(kind)), ("hidden", .unsigned(UInt64(hidden))),
            ("dropout", .number(dropout)), ("learning_rate", .number(learningRate)), ("batch_size", .unsigned(UInt64(batchSize))),
            ("weight_decay", .number(weightDecay)), ("label_smoothing", .number(labelSmoothing)), ("epochs", .unsigned(UInt64(epochs))),
            ("best_epoch", .unsigned(UInt64(bestEpoch))), ("score", .number(score)), ("rounds", .unsigned(UInt64(rounds))),
            ("seconds", .number(seconds)), ("chosen", .bool(chosen)),
        ])
    }
}

extension Hidra_V1_SelfTrainingRound {
    var json: JSON {
        .object([
            ("number", .unsigned(UInt64(number))), ("taken", .unsigned(taken)), ("validation_score", .number(validationScore)),
            ("test_accuracy", hasTestAccuracy ? .number(testAccuracy) : .null), ("kept", .bool(kept)),
        ])
    }
}

extension Hidra_V1_Calibration {
    var json: JSON {
        .object([
            ("temperature", .number(temperature)), ("thresholds", .array(thresholds.map { .number($0) })),
            ("error_before", .number(errorBefore)), ("error_after", .number(errorAfter)), ("rows", .unsigned(rows)),
        ])
    }
}
