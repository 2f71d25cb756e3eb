import Archives
import Checkpoints
import Encoders
package import Foundation
import Graphs
import Heads
import State
import TensorCore
import Training

/// A trained head as one file, for another machine: a ZIP archive whose names all begin with the kind of thing they are.
///
///     bundle.json            what this is: the head's record, its encoders, every file's SHA-256
///     README.md              the model card
///     head/…                 the head's own files, as they lie in its folder
///     head.safetensors       the weights, where they are not among the head's own files
///     model.onnx             the network for other programs
///     run.json               how it was trained
///     test-rows.json         what it said of its test rows
struct HeadPackage: Codable {
    static let index = "bundle.json", card = "README.md", network = "model.onnx", run = "run.json", headFolder = "head/"
    static let currentFormat = 1

    var format = HeadPackage.currentFormat
    var head: HeadRecord
    /// The encoders that the head reads, without their weights.
    var encoders: [EncoderRecord]
    /// Of all other members.
    var files: [BundleFile]

    /// The run that made the head, with its metrics.
    struct Training: Codable {
        var record: RunRecord
        var steps: [Step]

        struct Step: Codable {
            var step: Int
            var name: String
            var value: Double
        }

        init(_ record: RunRecord, _ metrics: [MetricRecord]) {
            self.record = record
            steps = metrics.map { Step(step: $0.step, name: $0.name, value: $0.value) }
        }

        var metrics: [MetricRecord] {
            steps.map { MetricRecord(run: record.id, step: $0.step, name: $0.name, value: $0.value) }
        }
    }
}

extension Workbench {
    /// A head, with everything another daemon needs to answer with it but its encoders, as the bytes of a `.hidra` file. The same head gives
    /// the same bytes.
    package func exportBundle(head name: String) async throws -> Data {
        let head = try await heads.head(named: name)
        var encoders: [EncoderRecord] = []
        for name in Set(head.record.reads.map(\.encoder)).sorted() { encoders.append(try await registry.encoder(named: name)) }
        var training: HeadPackage.Training?
        do {
            let run = try await registry.run(head.record.run)
            if run.state != .running { training = HeadPackage.Training(run, try await registry.history(run: run.id)) }
        } catch let error as WorkbenchError where error.code == .notFound {
            // Of an old run nothing is kept; the head's own record says what it scored.
        }
        let (kept, known) = (training, encoders)
        return try await Workbench.offPool { [self] in
            try bundle(head, known, kept)
        }
    }

    private func bundle(
        _ head: LoadedHead, _ encoders: [EncoderRecord], _ training: HeadPackage.Training?
    ) throws -> Data {
        let folder = registry.folder(of: head.record)
        var members: [ZipFile.Member] = []
        for file in head.record.files {
            let bytes = try Data(contentsOf: folder.appending(path: file.path))
            guard SHA256Digest(of: bytes).hex == file.sha256 else {
                throw WorkbenchError(.corrupt, "\(file.path) of head '\(head.record.name)' was altered. Train the head again.")
            }
            members.append(ZipFile.Member(HeadPackage.headFolder + file.path, bytes))
        }
        let network = head.bundle.network
        if head.bundle.description.kind == .graph {
            let tensors = Dictionary(network.parameters.map { ($0.name, $0.value.detached) }, uniquingKeysWith: { first, _ in first })
            members.append(ZipFile.Member("head.safetensors", try SafetensorsWriter.encode(tensors, metadata: ["format": "hidra-head-1"])))
        }
        members.append(ZipFile.Member(HeadPackage.network, try head.exported()))
        var rows: TestRows?
        if let training {
            members.append(ZipFile.Member(HeadPackage.run, try Self.json(training)))
            rows = try TestRows.read(registry.directory.folder(.runs, training.record.id))
            if let rows { members.append(ZipFile.Member(TestRows.fileName, try Self.json(rows))) }
        }
        let card = ModelCard(head: head.record, description: head.bundle.description, encoders: encoders, run: training?.record, rows: rows)
        members.insert(ZipFile.Member(HeadPackage.card, Data(card.text.utf8)), at: 0)
        let index = HeadPackage(
            head: head.record, encoders: encoders,
            files: members.map { BundleFile(path: $0.name, bytes: $0.bytes.count, sha256: SHA256Digest(of: $0.bytes).hex) })
        members.insert(ZipFile.Member(HeadPackage.index, try Self.json(index)), at: 0)
        return try ZipFile.encode(members)
    }

    private static func json(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try encoder.encode(value)
    }
}

extension LoadedHead {
    /// The network as an ONNX model: what its inputs read in; logits out, or of a regression the value itself.
    func exported() throws -> Data {
        let model = try bundle.onnx(), encoding = bundle.encoding
        guard encoding.task == .regress else { return model }
        let scaling = encoding.scaling
        return try GraphModel(data: model).scalingOutput(mean: scaling.mean, deviation: scaling.deviation).serialized()
    }
}
