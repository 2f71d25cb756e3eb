/// Precision, recall and F1 of one class.
package struct ClassScore: Sendable, Equatable {
    package let label: String
    package let precision: Double, recall: Double, f1: Double
    package let support: Int
}

package struct ConfusionPair: Sendable, Equatable {
    package let actual: String, predicted: String
    package let count: Int
}

/// What a head scored on labelled rows.
package struct Report: Sendable {
    package var rows: Int
    package var metrics: [String: Double]
    package var classes: [ClassScore] = []
    /// Most frequent first.
    package var confusions: [ConfusionPair] = []
}

/// Words `range` of a text that belong together under a label.
package struct LabelledSpan: Sendable, Hashable {
    package let label: String
    package let range: Range<Int>

    package init(label: String, range: Range<Int>) {
        self.label = label
        self.range = range
    }

    /// The pieces that tags in the IOB2 scheme describe, leniently: an `I-` that continues nothing begins a piece. A tag without a prefix is
    /// a piece of one word.
    package static func all(_ tags: [String]) -> [LabelledSpan] {
        var spans: [LabelledSpan] = [], open: (label: String, start: Int)?
        func close(_ end: Int) {
            if let span = open { spans.append(LabelledSpan(label: span.label, range: span.start..<end)) }
            open = nil
        }
        for (position, tag) in tags.enumerated() {
            if tag == "O" {
                close(position)
            } else if tag.hasPrefix("B-") {
                close(position)
                open = (String(tag.dropFirst(2)), position)
            } else if tag.hasPrefix("I-") {
                let label = String(tag.dropFirst(2))
                guard open?.label != label else { continue }
                close(position)
                open = (label, position)
            } else {
                close(position)
                spans.append(LabelledSpan(label: tag, range: position..<position + 1))
            }
        }
        close(tags.count)
        return spans
    }
}

package enum Metrics {
    /// Accuracy, macro-F1 (over the classes that occur or were predicted), a score for each class and the confusions.
    /// `actual` may hold classes the head does not know, as indices past `labels` in `unknown`.
    package static func classification(predicted: [Int], actual: [Int], labels: [String], mostConfusions: Int = 20)
        -> Report
    {
        var truePositives = [Int](repeating: 0, count: labels.count)
        var predictions = truePositives, supports = truePositives
        var pairs: [[Int]: Int] = [:]
        for (guess, truth) in zip(predicted, actual) {
            predictions[guess] += 1
            supports[truth] += 1
            if guess == truth { truePositives[guess] += 1 } else { pairs[[truth, guess], default: 0] += 1 }
        }
        var scores: [ClassScore] = []
        for index in labels.indices where predictions[index] + supports[index] > 0 {
            scores.append(
                score(
                    labels[index], hits: truePositives[index], predicted: predictions[index], support: supports[index]))
        }
        let correct = truePositives.reduce(0, +)
        let confusions = pairs.sorted { ($1.value, $0.key[0], $0.key[1]) < ($0.value, $1.key[0], $1.key[1]) }
            .prefix(mostConfusions).map {
                ConfusionPair(actual: labels[$0.key[0]], predicted: labels[$0.key[1]], count: $0.value)
            }
        return Report(
            rows: actual.count,
            metrics: ["accuracy": ratio(correct, actual.count), "macro_f1": mean(scores.map(\.f1))], classes: scores,
            confusions: confusions)
    }

    /// Micro- and macro-F1 and the share of rows with every label right. Flags are row-major `[rows, labels]`.
    package static func multilabel(predicted: [Bool], actual: [Bool], labels: [String]) -> Report {
        let count = labels.count, rows = count == 0 ? 0 : actual.count / count
        var hits = [Int](repeating: 0, count: count), predictions = hits, supports = hits, exact = 0
        for row in 0..<rows {
            var same = true
            for label in 0..<count {
                let guess = predicted[row * count + label], truth = actual[row * count + label]
                if guess { predictions[label] += 1 }
                if truth { supports[label] += 1 }
                if guess && truth { hits[label] += 1 }
                if guess != truth { same = false }
            }
            if same { exact += 1 }
        }
        let scores = labels.indices.map {
            score(labels[$0], hits: hits[$0], predicted: predictions[$0], support: supports[$0])
        }
        let micro = score(
            "", hits: hits.reduce(0, +), predicted: predictions.reduce(0, +), support: supports.reduce(0, +))
        return Report(
            rows: rows,
            metrics: [
                "micro_f1": micro.f1, "macro_f1": mean(scores.filter { $0.support > 0 }.map(\.f1)),
                "subset_accuracy": ratio(exact, rows),
            ], classes: scores)
    }

    /// Mean absolute error, root mean squared error and the coefficient of determination (0 when the truth never varies).
    package static func regression(predicted: [Float], actual: [Float]) -> Report {
        let errors = zip(predicted, actual).map { Double($0) - Double($1) }
        let truth = actual.map(Double.init), centre = mean(truth)
        let residual = errors.reduce(0) { $0 + $1 * $1 }
        let spread = truth.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
        return Report(
            rows: actual.count,
            metrics: [
                "mae": mean(errors.map(abs)), "rmse": (residual / Double(max(errors.count, 1))).squareRoot(),
                "r2": spread > 0 ? 1 - residual / spread : 0,
            ])
    }

    /// Of pieces of texts, found and true, those that agree in label and place: precision, recall and F1 over all, and of each label; and
    /// the share of words labelled right.
    package static func spans(predicted: [[LabelledSpan]], actual: [[LabelledSpan]], wordsRight: Int, words: Int) -> Report {
        var hits: [String: Int] = [:], found: [String: Int] = [:], supports: [String: Int] = [:]
        for (guess, truth) in zip(predicted, actual) {
            for span in guess { found[span.label, default: 0] += 1 }
            for span in truth { supports[span.label, default: 0] += 1 }
            for span in Set(guess).intersection(truth) { hits[span.label, default: 0] += 1 }
        }
        let labels = Set(found.keys).union(supports.keys).sorted()
        let scores = labels.map {
            score($0, hits: hits[$0] ?? 0, predicted: found[$0] ?? 0, support: supports[$0] ?? 0)
        }
        func sum(_ counts: [String: Int]) -> Int { counts.values.reduce(0, +) }
        let all = score("", hits: sum(hits), predicted: sum(found), support: sum(supports))
        return Report(
            rows: actual.count,
            metrics: [
                "span_f1": all.f1, "span_precision": all.precision, "span_recall": all.recall,
                "word_accuracy": ratio(wordsRight, words),
            ], classes: scores)
    }

    private static func score(_ label: String, hits: Int, predicted: Int, support: Int) -> ClassScore {
        let precision = ratio(hits, predicted), recall = ratio(hits, support)
        let f1 = precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0
        return ClassScore(label: label, precision: precision, recall: recall, f1: f1, support: support)
    }

    private static func ratio(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }
    private static func mean(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }
}
