import Checkpoints
package import Foundation
package import Images
package import TensorCore

/// Image in, one vector out: preprocessing and network of one folder. Frozen, shared by everyone.
package final class ImageEncoder: Sendable {
    package let architecture: String
    package let network: any VisionNetwork
    package let imagePreprocessing: ImagePreprocessing
    /// The classes of the checkpoint's own classifier, when it has one and names them.
    package let classNames: [String]?
    private let limits: ImageLimits

    /// Numbers of a prepared image.
    package var preparedCount: Int {
        imagePreprocessing.outputSize.height * imagePreprocessing.outputSize.width * network.channels
    }

    /// Files a folder must have. The preprocessing is in `preprocessor_config.json`, or in `config.json`.
    package static let requiredFiles = ["config.json", "model.safetensors"]

    /// - Throws: `CheckpointError`, `ImageError`: the folder is incomplete, damaged or of an unsupported kind.
    package init(folder: URL, registry: EncoderRegistry = .native, limits: ImageLimits = .standard) throws {
        for file in Self.requiredFiles where !FileManager.default.fileExists(atPath: folder.appending(path: file).path)
        {
            throw CheckpointError(
                .unreadable,
                "\(file) is missing; an image encoder's folder has \(Self.requiredFiles.joined(separator: ", "))",
                file: folder.path)
        }
        let configuration = try Self.read("config.json", folder)
        architecture = try registry.architecture(configuration)
        imagePreprocessing = try Self.preprocessing(folder, configuration)
        network = try registry.buildVision(
            configuration: configuration, weights: Safetensors(folder.appending(path: "model.safetensors")))
        guard network.channels == 3 else {
            throw CheckpointError(
                .invalidConfiguration, "config.json: num_channels is \(network.channels); images have three",
                file: folder.path)
        }
        classNames = try Self.classNames(configuration, network.classifier)
        self.limits = limits
    }

    // MARK: Preparing, on any thread

    /// An encoded image → the network's input `[height, width, 3]`, upright, resized, cropped and normalised.
    /// - Throws: `ImageError` when the bytes are no image, damaged, or an image larger than the limits.
    package func prepare(_ bytes: Data) throws(ImageError) -> [Float] {
        imagePreprocessing.channelsLast(try RGBImage(decoding: bytes, limits: limits))
    }

    // MARK: Computing, on the compute thread

    /// One vector for each prepared image, of the feature map at `tap` (the top when nil): `[images, tapWidths[tap]]`.
    package func features(_ batch: [[Float]], tap: Int? = nil) -> Tensor { features(batch, taps: [tap ?? topTap])[0] }

    /// One vector for each prepared image and each of `taps`, in their order: the mean over the pixels of the feature map there,
    /// `[images, tapWidths[tap]]`. An image's vector has the same bits whatever else is in the batch.
    package func features(_ batch: [[Float]], taps: [Int]) -> [Tensor] {
        precondition(taps.allSatisfy(network.tapWidths.indices.contains), "taps \(taps) of a network with \(network.tapWidths.count)")
        let widths = taps.map { network.tapWidths[$0] }
        guard !batch.isEmpty else { return widths.map { Tensor(uninitialised: [0, $0]) } }
        // All taps side by side: an image's results come as one tensor.
        let joined = overImages(pixels(batch), atATime: imagesAtATime) { images in
            let maps = network.hiddenStates(images, taps: Set(taps))
            let pooled = taps.map { tap in
                guard let map = maps[tap] else { preconditionFailure("\(architecture) computed no tap \(tap)") }
                return PixelPooling.mean(map)
            }
            return pooled.count == 1 ? pooled[0] : Concatenate(axis: 1).apply(pooled)
        }
        var start = 0
        return widths.map { width in
            defer { start += width }
            return joined.columns(start..<start + width).contiguous()
        }
    }

    /// Logits `[images, classes]` of the checkpoint's own classifier; nil when it has none.
    package func logits(_ batch: [[Float]]) -> Tensor? { network.classifier.map { $0(features(batch)) } }

    /// `[images, height, width, 3]`
    private func pixels(_ batch: [[Float]]) -> Tensor {
        let size = imagePreprocessing.outputSize,
            result = Tensor(uninitialised: [batch.count, size.height, size.width, network.channels])
        for (index, image) in batch.enumerated() {
            precondition(
                image.count == preparedCount, "an image of \(image.count) numbers, prepared ones have \(preparedCount)")
            image.withUnsafeBufferPointer { source in
                guard let start = source.baseAddress else { return }
                (result.mutablePointer + index * preparedCount).update(from: start, count: preparedCount)
            }
        }
        return result
    }

    /// Small images go through the network a few at a time, so that a layer's work is worth its overhead while its maps stay in the cache.
    private var imagesAtATime: Int {
        max(1, min(8, 8_192 / (imagePreprocessing.outputSize.height * imagePreprocessing.outputSize.width)))
    }

    // MARK: Reading the folder

    private static func read(_ name: String, _ folder: URL) throws -> Data {
        do {
            return try Data(contentsOf: folder.appending(path: name))
        } catch {
            throw CheckpointError(.unreadable, "\(name) cannot be read", file: folder.path, cause: error)
        }
    }

    private static func preprocessing(_ folder: URL, _ configuration: Data) throws -> ImagePreprocessing {
        let name = "preprocessor_config.json"
        if FileManager.default.fileExists(atPath: folder.appending(path: name).path) {
            return try ImagePreprocessing(processor: read(name, folder))
        }
        guard let preprocessing = try ImagePreprocessing(modelConfiguration: configuration) else {
            throw CheckpointError(
                .unreadable, "\(name) is missing, and config.json has no \"preprocessing\" either", file: folder.path)
        }
        return preprocessing
    }

    private static func classNames(_ configuration: Data, _ classifier: ImageClassifier?) throws -> [String]? {
        struct Labels: Decodable { var id2label: [String: String]? }
        guard let classifier else { return nil }
        let labels: [String: String]?
        do {
            labels = try JSONDecoder().decode(Labels.self, from: configuration).id2label
        } catch {
            throw CheckpointError(.invalidConfiguration, "config.json: \"id2label\" is malformed", cause: error)
        }
        guard let labels else { return nil }
        let names = (0..<classifier.classes).compactMap { labels[String($0)] }
        guard names.count == classifier.classes, labels.count == names.count else {
            throw CheckpointError(
                .invalidConfiguration,
                "config.json: \"id2label\" has \(labels.count) names for \(classifier.classes) classes")
        }
        return names
    }
}

extension ImageEncoder: FeatureEncoder {
    package var modality: Modality { .image }
    package var taps: [Tap] { network.tapWidths.enumerated().map { Tap(name: String($0), width: $1) } }
    package var parameterCount: Int { network.parameterCount }
    package var maxTokens: Int { 0 }
    package var poolingName: String { "mean" }
    package var preprocessing: String { imagePreprocessing.description }
    package func releasePages() { network.releasePages() }

    /// The weights of a convolution are used at every position: some 150 times an image on average in the networks we know (ResNet-18
    /// 154, ResNet-50 160, MobileNetV2 136, CIFAR ResNet-56 148).
    private static let usesOfAWeight = 150.0

    package func prepare(_ input: EncoderInput) throws -> PreparedInput {
        guard case .image(let file) = input else { throw ModalityError(expected: .image, got: input.modality) }
        return PreparedInput(
            .pixels(try prepare(file.read())), flops: 2 * Double(network.parameterCount) * Self.usesOfAWeight)
    }

    package func features(_ inputs: [PreparedInput], taps: [Int]) -> [Tensor] {
        features(
            inputs.map { input in
                guard case .pixels(let pixels) = input.content else { preconditionFailure("an image encoder got \(input.content)") }
                return pixels
            }, taps: taps)
    }
}
