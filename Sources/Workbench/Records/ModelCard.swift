import Encoders
import Foundation
import Heads
import State
import Statistics
import Training

/// What a head is, what it was trained on, how good it is and where it ends, for people (Mitchell et al. 2019). The front matter is that of
/// model cards on the Hugging Face hub.
struct ModelCard {
    let head: HeadRecord
    let description: HeadBundle.Description
    let encoders: [EncoderRecord]
    let run: RunRecord?
    let rows: TestRows?

    var text: String {
        ([frontMatter, title, use, training, measures, limits] + [files]).filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }

    private var frontMatter: String {
        let licences = Set(encoders.map(\.licence)).filter { !$0.isEmpty }.sorted()
        return """
            ---
            library_name: hidra
            tags: [hidra, \(head.task), \(head.modality.rawValue)]
            base_model: [\(encoders.map { Self.quoted($0.source) }.joined(separator: ", "))]
            encoder_licence: [\(licences.map(Self.quoted).joined(separator: ", "))]
            ---
            """
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"") + "\""
    }

    private var title: String {
        let what =
            switch description.task {
            case .classify: "tells which of \(head.labels.count) labels \(one) belongs to"
            case .multilabel: "tells which of \(head.labels.count) labels apply to \(one)"
            case .regress: "estimates a number for \(one)"
            case .tag: "labels the words of a text with \(head.labels.count) labels"
            }
        return """
            # \(head.name)

            A head of \(head.parameters) parameters (kind \(head.kind)) that \(what). It sits on a frozen encoder, which is not part of this file:

            | encoder | weights, SHA-256 | from | licence |
            |---|---|---|---|
            \(encoders.map { encoder in
                "| \(encoder.name) (\(encoder.architecture), \(encoder.parameters) parameters) | `\(encoder.digest)` | "
                    + "\(encoder.source)\(encoder.revision.isEmpty ? "" : " at \(encoder.revision)") | "
                    + "\(encoder.licence.isEmpty ? "not stated" : encoder.licence) |"
            }.joined(separator: "\n"))
            """
    }

    private var one: String { head.modality == .image ? "an image" : "a text" }

    private var use: String {
        let pulls = encoders.map { encoder in
            let isFetched = encoder.source.hasPrefix("hf:") || !encoder.source.contains("/")
            return "    hidra pull \(isFetched ? encoder.source : "FOLDER") --name \(encoder.name)"
        }
        let example = head.modality == .image ? "photo.jpg" : head.columns.map { _ in "\"a text\"" }.joined(separator: " ")
        return """
            ## Use

            \(pulls.joined(separator: "\n"))
                hidra import \(head.name).hidra
                hidra predict \(head.name) \(example)

            `model.onnx` runs elsewhere: it takes what the encoder gives at tap \(head.tap) (`hidra embed`), and gives \(
                description.task == .regress ? "the number" : "logits in the order of the labels").
            """
    }

    private var training: String {
        var lines = ["## Training", ""]
        if let run, let settings = Settings(run.configuration) {
            lines.append("- \(settings.trainRows) rows to learn from, \(settings.testRows) to test on")
        }
        if let provenance = run?.provenance {
            lines.append("- data, SHA-256 of inputs and labels: `\(provenance.dataDigest)`")
            if let digest = provenance.testDigest { lines.append("- test rows alone: `\(digest)`") }
            let machine = provenance.machine
            lines.append(
                "- \(Self.number(provenance.coreSeconds, 1)) core-seconds on \(machine.processor.isEmpty ? "an unnamed processor" : machine.processor), "
                    + "Hidra \(provenance.daemonVersion), seed \(provenance.seed)")
            if let plugin = provenance.plugin { lines.append("- with calls answered by \(plugin)") }
        }
        lines.append("- the head's weights, SHA-256: `\(head.digest)`")
        if description.task == .regress {
            lines.append("- learnt as (value − \(description.scaling.mean)) / \(description.scaling.deviation)")
        }
        return lines.joined(separator: "\n")
    }

    /// Of a run's configuration, what a card tells.
    private struct Settings: Decodable {
        var trainRows: Int, testRows: Int

        init?(_ configuration: String) {
            do { self = try JSONDecoder().decode(Self.self, from: Data(configuration.utf8)) } catch {
                // A run that a client stepped through has another configuration; there is nothing to tell then.
                return nil
            }
        }
    }

    // MARK: What it scores

    private var measures: String {
        guard !head.metrics.isEmpty else {
            return "## Measures\n\nNone: it was trained without test rows. Measure it on rows of your own with `hidra eval \(head.name) FILE`."
        }
        var lines = ["## Measures", "", "On the test rows:", "", "| measure | value |", "|---|---|"]
        lines += head.metrics.sorted { $0.key < $1.key }.map { "| \($0.key) | \(Self.number($0.value, 4)) |" }
        if let calibration {
            lines.append("| expected calibration error, 10 bins | \(Self.number(calibration.error, 4)) |")
        }
        if !classes.isEmpty {
            lines += ["", "| label | precision | recall | F1 | rows |", "|---|---|---|---|---|"]
            lines += classes.map {
                "| \($0.label.replacingOccurrences(of: "|", with: "\\|")) | \(Self.number($0.precision, 3)) | \(Self.number($0.recall, 3)) | "
                    + "\(Self.number($0.f1, 3)) | \($0.support) |"
            }
        }
        return lines.joined(separator: "\n")
    }

    private var classes: [ClassScore] {
        guard let rows, let actual = rows.actual?.values, let predicted = rows.predicted?.values else { return [] }
        return Metrics.classification(predicted: predicted.map { Int($0) }, actual: actual.map { Int($0) }, labels: rows.labels).classes
    }

    private var calibration: Reliability? {
        guard let rows, let confidence = rows.confidence?.values, let isRight = rows.isRight else { return nil }
        return Reliability(confidence: confidence.map { Double($0) }, isRight: isRight)
    }

    private var limits: String {
        var lines = ["## Limits", ""]
        if description.task == .classify {
            lines.append("- It always answers with one of its labels, also where none fits; look at the probability.")
        }
        let weak = classes.filter { $0.support > 0 && $0.f1 < 0.7 }.sorted { ($0.f1, $0.label) < ($1.f1, $1.label) }
        if !weak.isEmpty {
            lines.append("- Weakest (F1 below 0.7): \(weak.prefix(10).map { "\($0.label) \(Self.number($0.f1, 2))" }.joined(separator: ", ")).")
        }
        for encoder in encoders where encoder.modality == .text {
            lines.append("- Of a text longer than \(encoder.maxTokens) tokens the rest is not read (\(encoder.name)).")
        }
        lines.append("- The test rows are like the training rows; other sources, languages or times may fare worse. What the encoder's own data lack or")
        lines.append("  distort, the head inherits.")
        if let calls = head.calls, !calls.isEmpty { lines.append("- It can only be asked while a client serves it: \(head.servedBy ?? "").") }
        return lines.joined(separator: "\n")
    }

    private var files: String {
        """
        ## Files

        `bundle.json` (record, SHA-256 of each file), `head/` (weights and description, as Hidra keeps them), `model.onnx`, and where they were kept \
        `run.json` and `test-rows.json`.
        """
    }

    private static func number(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "–" }
        return String(format: "%.\(digits)f", value)
    }
}
