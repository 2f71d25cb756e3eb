import Checkpoints
import Digests
import Encoders
package import Foundation
import Graphs
import TensorCore
package import Training

/// A trained head on disk: its weights, in `head.safetensors` or for a graph in `head.onnx`, and `head.json` with everything needed
/// to use them.
package struct HeadBundle {
    package static func weightsFile(_ kind: HeadKind) -> String { kind.isGraph ? "head.onnx" : "head.safetensors" }
    package static let descriptionFile = "head.json"
    /// Weights of a head are small; a larger file is not one of ours.
    private static let largestDescription = 64 << 20

    /// What `head.json` holds.
    package struct Description: Codable, Sendable {
        /// 1; 2 with `inputs`, 3 with `calibration`, which a reader of less would overlook.
        package var format = 1
        package var name: String
        package var task: HeadTask
        package var kind: HeadKind
        package var labels: [String]
        package var separator: String
        package var scaling: LabelEncoding.Scaling
        /// Identifies the features the head was trained on: weights, tap, pooling, precision.
        package var featureSpace: String
        package var tap: Int
        package var width: Int
        /// What the graph's inputs read; nil for one vector a row, which the three above are about. Otherwise they are about the first.
        package var inputs: [HeadFeatures]?
        /// SHA-256 of the weights' file, hexadecimal.
        package var weightsDigest: String
        package var settings: TrainingSettings
        package var learningRate: Double
        package var calibration: Calibration? {
            didSet { format = expectedFormat }
        }

        package init(
            name: String, kind: HeadKind, encoding: LabelEncoding, inputs: [HeadFeatures], settings: TrainingSettings,
            learningRate: Double
        ) {
            precondition(!inputs.isEmpty, "a head without inputs")
            self.name = name
            self.kind = kind
            task = encoding.task
            labels = encoding.labels
            separator = String(encoding.separator)
            scaling = encoding.scaling
            featureSpace = inputs[0].featureSpace
            tap = inputs[0].tap
            width = inputs[0].width
            if inputs.count > 1 || inputs[0].form != .pooled {
                self.inputs = inputs
            }
            weightsDigest = ""
            self.settings = settings
            self.learningRate = learningRate
            format = expectedFormat
        }

        /// The least that says everything.
        fileprivate var expectedFormat: Int { calibration != nil ? 3 : inputs != nil ? 2 : 1 }

        /// One entry for each input of the network.
        package var features: [HeadFeatures] {
            inputs ?? [HeadFeatures(name: "", form: .pooled, width: width, featureSpace: featureSpace, tap: tap)]
        }
    }

    package let description: Description
    package let network: HeadNetwork

    package var encoding: LabelEncoding {
        LabelEncoding(
            task: description.task, labels: description.labels, separator: description.separator.first ?? "|",
            scaling: description.scaling, calibration: description.calibration)
    }

    /// The head as an ONNX model: what its inputs read in, outputs before any softmax and calibration out. The calibration is stated in
    /// its `metadata_props`.
    package func onnx() throws -> Data {
        let model = try network.onnx()
        return try description.calibration.map { try GraphModel.stating($0.metadata, in: model) } ?? model
    }

    /// Writes both files into `folder`, which exists. Returns the description with the digest filled in.
    /// The same head gives the same bytes.
    @discardableResult
    package static func write(_ network: HeadNetwork, _ description: Description, to folder: URL) throws -> Description
    {
        let weights: Data
        if description.kind.isGraph {
            weights = try network.onnx()
        } else {
            let tensors = Dictionary(uniqueKeysWithValues: network.parameters.map { ($0.name, $0.value.detached) })
            weights = try SafetensorsWriter.encode(tensors, metadata: ["format": "hidra-head-1"])
        }
        var description = description
        description.weightsDigest = MessageDigest.sha256(weights).hexadecimal
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try weights.write(to: folder.appending(path: weightsFile(description.kind)))
        try encoder.encode(description).write(to: folder.appending(path: descriptionFile))
        return description
    }

    /// - Throws: `HeadError.corruptBundle` when a file is missing, altered or does not fit.
    package init(folder: URL) throws {
        func corrupt(_ what: String, _ cause: (any Error)? = nil) -> HeadError {
            HeadError(
                .corruptBundle,
                "the head in \(folder.lastPathComponent) cannot be used: \(what). Train it again, or remove it",
                cause: cause)
        }
        let descriptionURL = folder.appending(path: Self.descriptionFile)
        let description: Description
        let weightsURL: URL, weights: Data
        do {
            let size = try descriptionURL.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
            guard size <= Self.largestDescription else { throw corrupt("\(Self.descriptionFile) has \(size) bytes") }
            description = try JSONDecoder().decode(Description.self, from: Data(contentsOf: descriptionURL))
            let file = Self.weightsFile(description.kind)
            weightsURL = folder.appending(path: file)
            weights = try Data(contentsOf: weightsURL)
            let digest = MessageDigest.sha256(weights).hexadecimal
            guard digest == description.weightsDigest else {
                throw corrupt("\(file) was altered: its SHA-256 is \(digest), expected \(description.weightsDigest)")
            }
        } catch let error as HeadError {
            throw error
        } catch {
            throw corrupt("\(error)", error)
        }
        guard description.format == description.expectedFormat else {
            throw HeadError(
                .incompatible,
                "the head \(description.name) has format \(description.format); this version reads 1 to 3. Update Hidra")
        }
        do {
            let outputs = description.task == .regress ? 1 : description.labels.count
            if description.kind.isGraph {
                network = try HeadNetwork(
                    graph: GraphModel(data: weights), inputs: description.features, outputs: outputs, seed: 0)
            } else {
                let weights = try Safetensors(weightsURL), scope = try ParameterScope(frozen: weights)
                var network = HeadNetwork(description.kind, width: description.width, outputs: outputs, in: scope)
                try scope.finish()
                network.pack()
                // The packed form is what is read.
                weights.releasePages()
                self.network = network
            }
        } catch {
            throw corrupt("\(error)", error)
        }
        self.description = description
    }
}
