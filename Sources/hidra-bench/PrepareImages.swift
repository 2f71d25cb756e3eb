import ArgumentParser
import Encoders
import Foundation
import Images
import TensorCore

/// Encoded images a second, from their bytes to an encoder's input and on to features.
struct PrepareImages: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "images", abstract: "Decoding, resizing and encoding of image files, step by step.",
        discussion: "Example: hidra-bench images --model models/mobilenet-v2-imagenet --images data/imagenet-samples")

    @Option(help: "Folder of an image encoder.") var model: String
    @Option(help: "Folder or tar archive of images.") var images: String
    @Option(help: "Images used.") var limit = 100
    @Option(help: "Images of one batch.") var batch = 8

    func run() throws {
        let encoder = try ImageEncoder(folder: URL(filePath: model))
        let collection = try ImageCollections.open(URL(filePath: images))
        var files: [Data] = []
        while files.count < limit, let image = try collection.next() { files.append(image.bytes) }
        let decoded = try files.map { try RGBImage(decoding: $0) }
        guard !decoded.isEmpty else { throw ValidationError("There are no images in \(images).") }
        let prepared = decoded.map { encoder.imagePreprocessing.channelsLast($0) }
        let count = files.count
        measure("decode, one thread", count) {
            for file in files {
                do { _ = try RGBImage(decoding: file) } catch { preconditionFailure("decoded before: \(error)") }
            }
        }
        measure("resize and normalise, one thread", count) {
            for image in decoded { _ = encoder.imagePreprocessing.channelsLast(image) }
        }
        measure("features", count) {
            for start in stride(from: 0, to: count, by: batch) {
                _ = encoder.features(Array(prepared[start..<min(start + batch, count)]))
            }
        }
    }

    private func measure(_ name: String, _ count: Int, _ body: () -> Void) {
        let seconds = best(of: 5, body)
        say([
            ("bench", name), ("kernels", KernelLevel.current), ("threads", WorkerPool.shared.threads),
            ("images", count),
            ("ms_each", seconds / Double(count) * 1e3),
        ])
    }
}
