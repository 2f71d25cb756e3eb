import Encoders
import Foundation
import Graphs
import State
import TensorCore
import TestSupport
import Testing
import Training

@testable import FewLabels
@testable import Heads
@testable import Workbench

@Suite("Few labels, good settings")
struct FewLabelsTests {
    /// Two columns of texts, each of which tells half of the label.
    private func halves(_ count: Int, salt: Int = 0) -> LabelledRows {
        let left = (0..<count).map { "\($0 % 2 == 0 ? "aa" : "bb") \(tail($0 * 7 + salt))" }
        let right = (0..<count).map { "\($0 / 2 % 2 == 0 ? "cc" : "dd") \(tail($0 * 13 + salt))" }
        return LabelledRows(
            columns: [left.map { .text($0) }, right.map { .text($0) }], labels: (0..<count).map { "\($0 % 2)\($0 / 2 % 2)" })
    }

    private func tail(_ number: Int) -> String {
        String(String(number * 7919, radix: 16).compactMap { digit in
            digit.hexDigitValue.map { Character(UnicodeScalar(UInt8(ascii: "e") + UInt8($0))) }
        })
    }

    private func accuracy(_ outcome: TrainingOutcome) -> Double { outcome.test?.metrics["accuracy"] ?? 0 }

    @Test("a fusion of two encoders knows what neither knows alone, and answers as its exported graph", arguments: Fusion.allCases)
    func fusion(_ fusion: Fusion) async throws {
        let bench = try await Bench()
        try await bench.register("other", seed: 2)
        let data = halves(800), test = halves(80, salt: 1_001)
        func request(_ name: String, _ inputs: [InputRequest], _ kind: HeadKind) -> TrainingRequest {
            var settings = TrainingSettings()
            (settings.epochs, settings.learningRate) = (40, 0.01)
            return TrainingRequest(head: name, encoder: "tiny", kind: kind, settings: settings, rows: data, test: test, inputs: inputs)
        }
        let both = [
            InputRequest(encoder: "tiny", column: 0, columnName: "left"), InputRequest(encoder: "other", column: 1, columnName: "right"),
        ]
        for (name, input) in zip(["left", "right"], both) {
            let alone = try await bench.workbench.train(request(name, [input], .mlp(hidden: 32, dropout: 0)))
            #expect(accuracy(alone) < 0.7, "\(name): \(accuracy(alone))")
        }
        let outcome = try await bench.workbench.train(request("both", both, .fusion(fusion, hidden: 32, dropout: 0.1)))
        #expect(accuracy(outcome) > 0.9, "\(accuracy(outcome))")
        #expect(outcome.head.kind == fusion.rawValue && outcome.head.reads.map(\.encoder) == ["tiny", "other"])
        let forms = outcome.head.reads.map(\.form)
        #expect(forms == [FeatureForm](repeating: fusion == .crossAttention ? .states : .pooled, count: 2))
        let answers = try await bench.workbench.predict(
            heads: ["both"], columns: test.columns.map { Array($0.prefix(8)) }, top: 1)
        let right = answers.inputs.enumerated().count { row, heads in
            guard case .labels(let scores) = heads[0] else { return false }
            return scores[0].label == test.labels[row]
        }
        #expect(right >= 6, "\(right) of 8")
        let exported = try GraphModel(data: await bench.workbench.export(head: "both"))
        #expect(exported.metadata["hidra.temperature"].flatMap { Double($0) } ?? 0 > 0)
        await #expect(throws: WorkbenchError.self) {
            try await bench.workbench.train(request("one", [both[0]], .fusion(fusion, hidden: 8, dropout: 0)))
        }
        await #expect(throws: WorkbenchError.self) {
            try await bench.workbench.train(request("twice", [both[0], both[0]], .fusion(fusion, hidden: 8, dropout: 0)))
        }
        try await bench.workbench.close()
    }

    @Test("texts and images are joined in one head", arguments: Fusion.allCases)
    func textAndImage(_ fusion: Fusion) async throws {
        let bench = try await Bench()
        let staged = try bench.workbench.registry.directory.stage()
        try TinyImageEncoder.resNet.write(to: staged)
        _ = try await bench.workbench.registerEncoder(
            staged: staged, name: "pictures", source: "test", revision: "", licence: "", files: try BundleFile.list(staged))
        let texts = halves(120).columns[0]
        let images = (0..<120).map { row -> EncoderInput in
            let bytes = TinyPNG.colour(row / 2 % 2 == 0 ? (250, 10, 10) : (10, 10, 250), size: 16, number: row)
            return .image(ImageFile(name: "\(row)", digest: SHA256Digest(of: bytes).bytes) { bytes })
        }
        var settings = TrainingSettings()
        (settings.epochs, settings.learningRate) = (60, 0.02)
        let request = TrainingRequest(
            head: "mixed", encoder: "tiny", kind: .fusion(fusion, hidden: 32, dropout: 0), settings: settings,
            rows: LabelledRows(columns: [texts, images], labels: halves(120).labels), holdout: 0.25,
            inputs: [
                InputRequest(encoder: "tiny", column: 0, columnName: "text"),
                InputRequest(encoder: "pictures", column: 1, columnName: "image"),
            ])
        let outcome = try await bench.workbench.train(request)
        #expect(accuracy(outcome) > 0.85, "\(accuracy(outcome))")
        try await bench.workbench.close()
    }

    @Test("a search tries what it is asked for, keeps it in the run's record, and chooses the same again")
    func search() async throws {
        let bench = try await Bench()
        var request = TrainingRequest(head: "a", encoder: "tiny", rows: rows(200), test: rows(60, salt: 9_999))
        request.search = 10
        request.settings.epochs = 12
        let first = try await bench.workbench.train(request)
        request.head = "b"
        let again = try await bench.workbench.train(request)
        #expect(first.choices.trials.count == 10 && first.choices.trials.count { $0.isChosen } == 1)
        #expect(first.head.digest == again.head.digest)
        let scores = [first, again].map { $0.choices.trials.map(\.score) }
        #expect(scores[0] == scores[1])
        let chosen = try #require(first.choices.trials.first { $0.isChosen })
        #expect(chosen.epochs == 12 && chosen.rounds == 3)
        #expect(first.summary.learningRate == chosen.learningRate && abs(first.summary.validationScore - chosen.score) < 1e-9)
        #expect(first.head.kind == chosen.configuration.kind.name)
        let record = try await bench.workbench.registry.run(first.run.id).configuration
        let json = try #require(try JSONSerialization.jsonObject(with: Data(record.utf8)) as? [String: Any])
        #expect((json["trials"] as? [[String: Any]])?.count == 10)
        // Other test rows, the same choice.
        request.head = "c"
        request.test = rows(60, salt: 123)
        #expect(try await bench.workbench.train(request).head.digest == first.head.digest)
        try await bench.workbench.close()
    }

    @Test("a head's probabilities are calibrated on validation rows; its weights' digest does not cover that")
    func calibration() async throws {
        let bench = try await Bench()
        let outcome = try await bench.workbench.train(TrainingRequest(head: "h", encoder: "tiny", rows: rows(400), test: rows(80, salt: 9_999)))
        let fitted = try #require(outcome.calibration)
        #expect(fitted.temperature > 0 && fitted.temperature != 1 && fitted.rows == 40)
        let metrics = try #require(outcome.test?.metrics)
        #expect(metrics["ece"] != nil && metrics["ece_uncalibrated"] != nil)
        let folder = bench.workbench.registry.folder(of: outcome.head)
        var description = try JSONDecoder().decode(
            HeadBundle.Description.self, from: Data(contentsOf: folder.appending(path: HeadBundle.descriptionFile)))
        #expect(description.format == 3 && description.calibration == fitted)
        // As an earlier version wrote it.
        let old = bench.folder.url.appending(path: "old")
        try FileManager.default.copyItem(at: folder, to: old)
        description.calibration = nil
        #expect(description.format == 1)
        try JSONEncoder().encode(description).write(to: old.appending(path: HeadBundle.descriptionFile))
        #expect(try HeadBundle(folder: old).encoding.calibration == nil)
        try await bench.workbench.close()
    }

    @Test("labels of several have thresholds, which predictions go by")
    func thresholds() async throws {
        let bench = try await Bench()
        var data = rows(400)
        data.labels = data.labels.enumerated().map { $0 % 8 == 0 ? "\($1)|rare" : $1 }
        let outcome = try await bench.workbench.train(TrainingRequest(head: "m", encoder: "tiny", task: .multilabel, rows: data, holdout: 0.2))
        let fitted = try #require(outcome.calibration?.thresholds)
        #expect(fitted.count == 5 && fitted.allSatisfy { $0 > 0 && $0 < 1 } && fitted.contains { $0 != 0.5 })
        let model = try GraphModel(data: await bench.workbench.export(head: "m"))
        #expect(model.metadata["hidra.thresholds"]?.split(separator: ",").count == 5)
        try await bench.workbench.close()
    }

    @Test("self-training takes labels of its own where they help, and says how many in each round")
    func selfTraining() async throws {
        let bench = try await Bench()
        var request = TrainingRequest(head: "s", encoder: "tiny", rows: rows(48), test: rows(200, salt: 55_555))
        request.settings.validation = 0.25
        request.selfTraining = SelfTrainingRequest(columns: [rows(300, salt: 777).inputs], confidence: 0.6, rounds: 2)
        let outcome = try await bench.workbench.train(request), rounds = outcome.choices.rounds
        #expect(rounds.count >= 2 && rounds[0].taken == 0 && rounds[1].taken > 0 && rounds[1].taken <= 300)
        #expect(rounds.count { $0.isKept } == 1 && rounds.allSatisfy { $0.testAccuracy != nil })
        let kept = try #require(rounds.first { $0.isKept })
        #expect(kept.validationScore == rounds.map(\.validationScore).max())
        #expect(abs(outcome.summary.validationScore - kept.validationScore) < 1e-9)
        #expect(abs(accuracy(outcome) - (kept.testAccuracy ?? 0)) < 1e-9)
        #expect(outcome.summary.trainRows == 36 + kept.taken)
        // Nothing is ever that certain.
        request.head = "sure"
        request.selfTraining?.confidence = 1
        let plain = try await bench.workbench.train(request)
        #expect(plain.choices.rounds.count == 1 && plain.summary.notes.contains { $0.contains("sure of no row") })
        try await bench.workbench.close()
    }

    @Test("a learning curve measures shares of the rows, and nothing is registered")
    func learningCurve() async throws {
        let bench = try await Bench()
        let request = TrainingRequest(head: "", encoder: "tiny", rows: rows(300))
        let outcome = try await bench.workbench.learningCurve(request, shares: [0.05, 0.5, 1], seeds: 2)
        #expect(outcome.curve.points.map(\.rows) == [12, 120, 240] && outcome.testRows == 60)
        #expect(outcome.curve.points.allSatisfy { $0.scores.count == 2 })
        #expect(outcome.curve.points[2].mean > 0.9)
        let again = try await bench.workbench.learningCurve(request, shares: [0.05, 0.5, 1], seeds: 2)
        #expect(again.curve.points.map(\.scores) == outcome.curve.points.map(\.scores))
        #expect(try await bench.workbench.registry.heads().isEmpty)
        await #expect(throws: WorkbenchError.self) { try await bench.workbench.learningCurve(request, shares: [1, 0.5]) }
        try await bench.workbench.close()
    }

    @Test("rows without labels fall into groups with names")
    func clusters() async throws {
        let bench = try await Bench(), inputs = rows(120).inputs
        let outcome = try await bench.workbench.cluster(encoder: "tiny", inputs: inputs, clusters: 4)
        #expect(outcome.clustering.assignment.count == 120 && outcome.clustering.sizes.count == 4)
        #expect(outcome.names.count == 4 && Set(outcome.names).count == 4)
        await #expect(throws: WorkbenchError.self) { try await bench.workbench.cluster(encoder: "tiny", inputs: Array(inputs.prefix(3)), clusters: 4) }
        try await bench.workbench.close()
    }

    @Test("suggestions are unsure, different, and as many as asked for")
    func suggestions() async throws {
        let bench = try await Bench()
        _ = try await bench.workbench.train(TrainingRequest(head: "h", encoder: "tiny", rows: rows(60)))
        let inputs = rows(100, salt: 31).inputs + rows(100, salt: 31).inputs
        let result = try await bench.workbench.suggest(head: "h", columns: [inputs], count: 12)
        #expect(result.rows.count == 12 && Set(result.rows.map(\.row)).count == 12 && result.rows.allSatisfy { $0.row < 100 })
        #expect(result.duplicates >= 100)
        #expect(result.rows.allSatisfy { $0.labels.count == 3 && $0.uncertainty >= 0 && $0.uncertainty <= 1 })
        #expect(result.rows[0].uncertainty == result.rows.map(\.uncertainty).max())
        try await bench.workbench.close()
    }

    @Test("a few rows tune an encoder on pairs, which is registered, and the head sits on it")
    func fewShot() async throws {
        let bench = try await Bench()
        // The label is a letter between others: features of an encoder that knows nothing of letters hardly show it.
        func data(_ count: Int, _ salt: Int) -> LabelledRows {
            LabelledRows(
                texts: (0..<count).map { "\(tail($0 * 3 + salt).prefix(2)) \(["a", "b", "c", "d"][$0 % 4]) \(tail($0 * 5 + salt).prefix(2))" },
                labels: (0..<count).map { ["a", "b", "c", "d"][$0 % 4] })
        }
        var request = TrainingRequest(head: "few", encoder: "tiny", rows: data(32, 1), test: data(200, 77_777))
        request.settings.validation = 0
        var contrastive = ContrastiveRequest(encoder: "few-encoder")
        contrastive.learningRate = 2e-3
        request.contrastive = contrastive
        let tuned = try await bench.workbench.train(request)
        #expect(tuned.head.encoder == "few-encoder")
        let record = try await bench.workbench.registry.encoder(named: "few-encoder")
        #expect(record.base?.name == "tiny" && record.base?.cut == 1)
        request.contrastive = nil
        request.head = "plain"
        let plain = try await bench.workbench.train(request)
        #expect(accuracy(tuned) > accuracy(plain), "\(accuracy(tuned)), without \(accuracy(plain))")
        let answer = try await bench.workbench.predict(heads: ["few"], columns: [[.text("ee a ff")]], top: 1)
        #expect(answer.problems.isEmpty)
        request.head = "again"
        request.contrastive = contrastive
        await #expect(throws: WorkbenchError.self, "the tuned encoder's name is taken") { try await bench.workbench.train(request) }
        try await bench.workbench.close()
    }
}
