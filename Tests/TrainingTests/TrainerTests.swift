import Checkpoints
import Encoders
import Foundation
import Testing

@testable import Heads
@testable import TensorCore
@testable import Training

/// Three noisy clusters in the plane and two useless dimensions.
private func clusters(_ rows: Int) -> (FeatureTable, [Int32]) {
    var random = Random(seed: 11)
    var values: [Float] = [], classes: [Int32] = []
    for row in 0..<rows {
        let index = row % 3
        classes.append(Int32(index))
        let centre: [Float] = [[2, 0, 0, 0], [0, 2, 0, 0], [-2, -2, 0, 0]][index]
        values += centre.map { $0 + (random.uniform() - 0.5) * 1.5 }
    }
    return (FeatureTable(Tensor(values, [rows, 4])), classes)
}

private func train(_ kind: HeadKind, seed: UInt64, rows: Int = 300) throws -> (trainer: Trainer, network: HeadNetwork) {
    let (features, classes) = clusters(rows)
    var settings = TrainingSettings()
    settings.seed = seed
    settings.epochs = 12
    let network = HeadNetwork(kind, width: 4, outputs: 3, in: ParameterScope(initialisedFrom: seed))
    let trainer = Trainer(
        network, features: features, targets: .classes(classes), objective: Objective(), settings: settings,
        learningRate: 0.05)
    while !trainer.isFinished { try trainer.advance() }
    return (trainer, network)
}

@Suite("Training a head")
struct TrainerTests {
    @Test(
        "the same seed gives the same bytes, another seed others",
        arguments: [HeadKind.linear, .mlp(hidden: 16, dropout: 0.2)])
    func deterministic(_ kind: HeadKind) throws {
        func bytes(_ seed: UInt64) throws -> Data {
            let network = try train(kind, seed: seed).network
            return try SafetensorsWriter.encode(
                Dictionary(uniqueKeysWithValues: network.parameters.map { ($0.name, $0.value.detached) }))
        }
        let first = try bytes(5)
        #expect(try bytes(5) == first)
        #expect(try bytes(6) != first)
    }

    @Test("a head learns what can be learnt", arguments: [HeadKind.linear, .mlp(hidden: 16, dropout: 0.1)])
    func learns(_ kind: HeadKind) throws {
        let (trainer, network) = try train(kind, seed: 1)
        let (features, classes) = clusters(300)
        let outputs = try network.evaluate(features, rows: Array(0..<300))
        let correct = classes.enumerated().count { outputs.pointer.indexOfLargest($0.offset * 3, 3) == Int($0.element) }
        #expect(correct > 290, "\(correct) of 300")
        #expect(trainer.history.count >= 1 && trainer.bestScore > 0.95)
    }

    @Test("training stops when validation no longer improves, with the best weights")
    func stopsEarly() throws {
        let (features, classes) = clusters(60)
        var settings = TrainingSettings()
        settings.epochs = 1000
        settings.patience = 3
        settings.validation = 0.2
        let network = HeadNetwork(.linear, width: 4, outputs: 3, in: ParameterScope(initialisedFrom: 1))
        let trainer = Trainer(
            network, features: features, targets: .classes(classes), objective: Objective(), settings: settings,
            learningRate: 0.5)
        while !trainer.isFinished { try trainer.advance() }
        #expect(trainer.history.count < 1000)
        #expect(trainer.history.count == trainer.bestEpoch + 3)
    }

    @Test("the range test finds a rate that trains")
    func rangeTest() throws {
        let (features, classes) = clusters(300)
        let network = HeadNetwork(.linear, width: 4, outputs: 3, in: ParameterScope(initialisedFrom: 1))
        let rate = try RangeTest.learningRate(
            network, features: features, targets: .classes(classes), objective: Objective(),
            settings: TrainingSettings())
        #expect(rate > 1e-3 && rate <= 0.3, "\(rate)")
    }
}

@Suite("Splits")
struct SplitTests {
    @Test("a share of every class is set aside, and classes seen once are kept")
    func stratified() {
        let classes = (0..<100).map { Int32($0 % 4) } + [9]
        let split = Split(.classes(classes), share: 0.2, seed: 1, purpose: "validation")
        #expect(split.held.count == 20)
        #expect(Set(split.kept + split.held) == Set(0..<101))
        #expect(split.kept.contains(100))
        for index in 0..<4 { #expect(split.held.count { classes[$0] == Int32(index) } == 5) }
        #expect(split == Split(.classes(classes), share: 0.2, seed: 1, purpose: "validation"))
        #expect(split != Split(.classes(classes), share: 0.2, seed: 2, purpose: "validation"))
    }

    @Test("few rows are not split")
    func few() { #expect(Split(.values([1, 2, 3]), share: 0.5, seed: 1, purpose: "x").held.isEmpty) }
}

@Suite("Labels")
struct LabelEncodingTests {
    @Test(
        "cells that cannot be learnt are refused, naming the row or the value",
        arguments: [
            (["a", " ", "b"], HeadTask.classify, "row 2"), (["a", "a"], .classify, "only the label"),
            ([], .classify, "no labels"),
            (["1", "x"], .regress, "row 2"), (["1", "nan"], .regress, "row 2"), (["2", "2"], .regress, "every target"),
            (["|", ""], .multilabel, "no labels"),
        ])
    func refused(_ cells: [String], _ task: HeadTask, _ part: String) {
        let error = #expect(throws: HeadError.self) { try LabelEncoding(learning: cells, task: task) }
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    }

    @Test("labels of a cell are separated and trimmed")
    func multilabel() throws {
        let encoding = try LabelEncoding(learning: ["red | blue", "", "blue"], task: .multilabel)
        #expect(encoding.labels == ["blue", "red"])
        let (targets, rows, unknown) = try encoding.encode(["red|green", ""])
        guard case .labels(let flags, let count) = targets else { return #expect(Bool(false)) }
        #expect(flags == [0, 1, 0, 0] && count == 2 && rows == [0, 1] && unknown == ["green": 1])
    }

    @Test("regression targets are scaled, and predictions scaled back")
    func regression() throws {
        let encoding = try LabelEncoding(learning: ["10", "20", "30"], task: .regress)
        let (targets, _, _) = try encoding.encode(["20", "30"])
        guard case .values(let values) = targets else { return #expect(Bool(false)) }
        #expect(abs(values[0]) < 1e-6)
        guard case .value(let value) = encoding.predictions(Tensor([values[1]], [1, 1]))[0] else {
            return #expect(Bool(false))
        }
        #expect(abs(value - 30) < 1e-4)
    }
}

@Suite("Metrics")
struct MetricsTests {
    @Test("accuracy, macro-F1, classes and confusions")
    func classification() {
        let report = Metrics.classification(
            predicted: [0, 0, 1, 1, 1], actual: [0, 1, 1, 1, 2], labels: ["a", "b", "c"])
        #expect(report.metrics["accuracy"] == 0.6)
        #expect(report.classes.map(\.support) == [1, 3, 1])
        #expect(abs((report.metrics["macro_f1"] ?? 0) - (2.0 / 3 + 2.0 / 3 + 0) / 3) < 1e-12)
        #expect(Set(report.confusions.map { "\($0.actual)>\($0.predicted)" }) == ["b>a", "c>b"])
    }

    @Test("multilabel scores")
    func multilabel() {
        let report = Metrics.multilabel(
            predicted: [true, false, true, true], actual: [true, false, false, true], labels: ["x", "y"])
        #expect(report.metrics["subset_accuracy"] == 0.5)
        #expect(abs((report.metrics["micro_f1"] ?? 0) - 0.8) < 1e-12)
    }

    @Test("regression errors")
    func regression() {
        let report = Metrics.regression(predicted: [1, 2, 4], actual: [1, 3, 5])
        #expect(abs((report.metrics["mae"] ?? 0) - 2.0 / 3) < 1e-6)
        #expect(abs((report.metrics["r2"] ?? 0) - 0.75) < 1e-6)
    }
}

@Suite("Head bundles")
struct HeadBundleTests {
    private func write() throws -> (URL, HeadNetwork) {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let network = HeadNetwork(
            .mlp(hidden: 5, dropout: 0.1), width: 4, outputs: 2, in: ParameterScope(initialisedFrom: 3))
        try HeadBundle.write(
            network,
            HeadBundle.Description(
                name: "h", kind: .mlp(hidden: 5, dropout: 0.1),
                encoding: LabelEncoding(task: .classify, labels: ["n", "y"]),
                inputs: [HeadFeatures(name: "", form: .pooled, width: 4, featureSpace: "space", tap: 6)], settings: TrainingSettings(), learningRate: 0.01), to: folder)
        return (folder, network)
    }

    @Test("a head that is read back answers as before")
    func roundTrip() throws {
        let (folder, network) = try write()
        let bundle = try HeadBundle(folder: folder)
        let x = Tensor([1, -1, 0.5, 2], [1, 4])
        #expect(try bundle.network(x, dropoutSeed: nil).values == network(x, dropoutSeed: nil).values)
        #expect(bundle.encoding.labels == ["n", "y"])
    }

    @Test(
        "an altered or incomplete bundle is refused",
        arguments: ["flip", "cut", "no weights", "no description", "bad json"])
    func altered(_ damage: String) throws {
        let (folder, _) = try write()
        let weights = folder.appending(path: HeadBundle.weightsFile(.linear)),
            text = folder.appending(path: HeadBundle.descriptionFile)
        var data = try Data(contentsOf: weights)
        switch damage {
        case "flip":
            data[data.count - 3] ^= 1
            try data.write(to: weights)
        case "cut": try data.dropLast(4).write(to: weights)
        case "no weights": try FileManager.default.removeItem(at: weights)
        case "no description": try FileManager.default.removeItem(at: text)
        default: try Data("{".utf8).write(to: text)
        }
        let error = #expect(throws: HeadError.self) { try HeadBundle(folder: folder) }
        #expect(error?.code == .corruptBundle)
    }
}
