import Checkpoints
import Foundation
import Images
import TestSupport
import Testing

@testable import Encoders
@testable import TensorCore

/// Real pretrained weights: `HIDRA_MODELS`, or the folder `models` beside the data sets.
enum RealModel: String, CaseIterable, Sendable {
    case resnet20 = "cifar-resnet20"
    case resnet56 = "cifar-resnet56"
    case mobileNet = "mobilenet-v2-imagenet"

    static let root =
        ProcessInfo.processInfo.environment["HIDRA_MODELS"].map { URL(filePath: $0) }
        ?? Golden.data.deletingLastPathComponent().appending(path: "models")

    /// The weights, and the images they were measured on.
    static var areAvailable: Bool {
        let data = ["cifar10/test.tar", "imagenet-samples/labels.csv"].map { Golden.data.appending(path: $0) }
        return (allCases.map { $0.folder.appending(path: "model.safetensors") } + data)
            .allSatisfy { FileManager.default.fileExists(atPath: $0.path) }
    }

    var folder: URL { Self.root.appending(path: rawValue) }
}

@Suite(
    "Golden: real vision weights",
    .enabled(if: RealModel.areAvailable, "needs the weights (HIDRA_MODELS) and images (HIDRA_DATA)"))
struct GoldenRealVisionTests {
    @Test("logits and pooled features equal the reference within 1e-3", arguments: RealModel.allCases)
    func logits(_ model: RealModel) throws {
        let encoder = try ImageEncoder(folder: model.folder)
        let file = try Safetensors(model.folder.appending(path: "golden.safetensors"))
        let images = try file.tensor("images").channelsLast
        let batch = (0..<images.shape[0]).map { images.rows($0..<$0 + 1).values }
        let features = encoder.features(batch)
        for (name, actual) in [("features", features), ("logits", try #require(encoder.logits(batch)))] {
            let worst = difference(actual, try file.tensor(name), absolute: 1e-3, relative: 0)
            #expect(worst.isWithinTolerance, "\(model) \(name): \(worst)")
        }
    }

    @Test(
        "parameters are counted as the models' cards count them",
        arguments: [
            (RealModel.resnet20, 269_722), (.resnet56, 853_018),
        ])
    func parameters(_ model: RealModel, _ count: Int) throws {
        #expect(try ImageEncoder(folder: model.folder).network.parameterCount == count)
    }

    @Test("an image has the same bits alone, in a batch and in another order", arguments: RealModel.allCases)
    func batchInvariance(_ model: RealModel) throws {
        let encoder = try ImageEncoder(folder: model.folder)
        var random = Random(seed: 2)
        let batch = (0..<11).map { _ in (0..<encoder.preparedCount).map { _ in random.uniform() * 2 - 1 } }
        let together = encoder.features(batch), order = random.permutation(11)
        let shuffled = encoder.features(order.map { batch[$0] })
        for (position, row) in order.enumerated() {
            #expect(
                shuffled.rows(position..<position + 1).values == together.rows(row..<row + 1).values,
                "\(model) image \(row)")
        }
        for row in [0, 5, 10] {
            #expect(
                encoder.features([batch[row]]).values == together.rows(row..<row + 1).values,
                "\(model) image \(row) alone")
        }
    }

    @Test("our decoder and resizing give the pixels the reference was computed from", arguments: RealModel.allCases)
    func prepared(_ model: RealModel) throws {
        let file = try Safetensors(model.folder.appending(path: "golden.safetensors"))
        let names = try JSONDecoder().decode([String].self, from: Data(#require(file.metadata["files"]).utf8))
        let encoder = try ImageEncoder(folder: model.folder), images = try file.tensor("images").channelsLast
        var bytes: [String: Data] = [:]
        if model == .mobileNet {
            let paths = ImagePaths(relativeTo: Golden.data.appending(path: "imagenet-samples"))
            for name in names { bytes[name] = try paths.read(name) }
        } else {
            let collection = try ImageArchive(Golden.data.appending(path: "cifar10/test.tar"))
            while bytes.count < names.count, let image = try collection.next() { bytes[image.name] = image.bytes }
        }
        #expect(names.count == images.shape[0])
        // In levels of 255.
        let steps = encoder.imagePreprocessing.std.map { Float($0 / encoder.imagePreprocessing.scale) }
        for (index, name) in names.enumerated() {
            let actual = try encoder.prepare(try #require(bytes[name], "\(name)"))
            let expected = images.rows(index..<index + 1).values
            let gaps = zip(actual, expected).enumerated().map { abs($1.0 - $1.1) * steps[$0 % 3] }
            // The reference was decoded by another build of libjpeg-turbo, which may round differently.
            #expect((gaps.max() ?? 0) < 3.01, "\(model) \(name): \(gaps.max() ?? 0) levels off")
        }
    }

    @Test(
        "CIFAR-10's test images through our own decoder: the accuracy measured with PyTorch",
        arguments: [
            (RealModel.resnet20, 0.804), (.resnet56, 0.825),
        ])
    func cifar(_ model: RealModel, _ measured: Double) throws {
        let archive = Golden.data.appending(path: "cifar10/test.tar")
        let encoder = try ImageEncoder(folder: model.folder), collection = try ImageArchive(archive)
        var prepared: [[Float]] = [], labels: [String] = []
        while let image = try collection.next() {
            prepared.append(try encoder.prepare(image.bytes))
            labels.append(try #require(image.label))
        }
        #expect(prepared.count == 1_000 && collection.summary.problems.isEmpty)
        let names = try #require(encoder.classNames)
        let correct = zip(try top(encoder, prepared), labels).count { names[$0] == $1 }
        let accuracy = Double(correct) / Double(labels.count)
        #expect(abs(accuracy - measured) <= 0.01, "\(model): \(accuracy), measured \(measured)")
    }

    @Test("ImageNet samples through our own decoder and resizing: 86 of 100")
    func imageNet() throws {
        let folder = Golden.data.appending(path: "imagenet-samples")
        let encoder = try ImageEncoder(folder: RealModel.mobileNet.folder), paths = ImagePaths(relativeTo: folder)
        let rows = try String(contentsOf: folder.appending(path: "labels.csv"), encoding: .utf8).split(
            whereSeparator: \.isNewline
        )
        .dropFirst().map { $0.split(separator: ",").map(String.init) }
        let prepared = try rows.map { try encoder.prepare(paths.read($0[0])) }
        // Class 0 of this network is the background.
        let labels = try rows.map { try #require(Int($0[$0.count - 1])) + 1 }
        let correct = zip(try top(encoder, prepared), labels).count(where: ==)
        #expect(rows.count == 100 && abs(correct - 86) <= 1, "\(correct) of \(rows.count)")
    }

    /// The best class of each image.
    private func top(_ encoder: ImageEncoder, _ prepared: [[Float]]) throws -> [Int] {
        try stride(from: 0, to: prepared.count, by: 64).flatMap { start in
            let logits = try #require(encoder.logits(Array(prepared[start..<min(start + 64, prepared.count)])))
            return (0..<logits.shape[0]).map { row in
                let values = logits.rows(row..<row + 1).values
                return values.indices.max { values[$0] < values[$1] } ?? 0
            }
        }
    }
}
