import Checkpoints
package import Encoders
package import Foundation
package import TensorCore

/// Writes an encoder's folder: what `EncoderFolder` loads like any other, and `LatentModel` with its decoder.
package enum LatentFolder {
    /// `config.json`, `model.safetensors`, `preprocessor_config.json`. The same training gives the same bytes.
    package static func files(
        _ configuration: LatentConfiguration, _ tensors: [String: Tensor], statistics: CodeStatistics
    ) throws -> [String: Data] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Exactly the size, by bilinear interpolation, from 0 to 1: what `PixelSet` does.
        let preprocessing: [String: Any] = [
            "image_processor_type": "ViTImageProcessor", "do_resize": true, "resample": 2,
            "size": ["height": configuration.side, "width": configuration.side], "do_rescale": true, "rescale_factor": 1.0 / 255,
            "do_normalize": false,
        ]
        var all = tensors
        all["statistics.mean"] = Tensor(statistics.mean, [statistics.mean.count])
        all["statistics.factor"] = Tensor(statistics.factor, [statistics.mean.count, statistics.mean.count])
        return [
            "config.json": try encoder.encode(configuration),
            "model.safetensors": try SafetensorsWriter.encode(all, metadata: ["format": "pt"]),
            "preprocessor_config.json": try JSONSerialization.data(
                withJSONObject: preprocessing, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]),
        ]
    }
}

/// Where the codes of the training images lie: a Gaussian from which codes can be drawn.
package struct CodeStatistics: Sendable, Equatable {
    package let mean: [Float]
    /// Lower triangle L with `L Lᵀ` the covariance (Cholesky), row-major `[code, code]`.
    package let factor: [Float]

    package init(mean: [Float], factor: [Float]) { (self.mean, self.factor) = (mean, factor) }

    /// Of codes `[rows, code]`.
    package init(_ codes: Tensor) {
        let rows = codes.shape[0], width = codes.shape[1], x = codes.contiguous()
        var mean = [Double](repeating: 0, count: width), factor = [Double](repeating: 0, count: width * width)
        for row in 0..<rows { for i in 0..<width { mean[i] += Double(x.pointer[row * width + i]) / Double(max(rows, 1)) } }
        for row in 0..<rows {
            let d = (0..<width).map { Double(x.pointer[row * width + $0]) - mean[$0] }
            for i in 0..<width where d[i] != 0 { for j in 0...i { factor[i * width + j] += d[i] * d[j] / Double(max(rows - 1, 1)) } }
        }
        // A number that never changes has no variance; a little keeps the root real.
        for i in 0..<width { factor[i * width + i] += 1e-8 }
        for j in 0..<width {
            for k in 0..<j { factor[j * width + j] -= factor[j * width + k] * factor[j * width + k] }
            factor[j * width + j] = max(factor[j * width + j], 1e-12).squareRoot()
            for i in j + 1..<max(width, j + 1) {
                for k in 0..<j { factor[i * width + j] -= factor[i * width + k] * factor[j * width + k] }
                factor[i * width + j] /= factor[j * width + j]
            }
        }
        self.mean = mean.map { Float($0) }
        self.factor = factor.map { Float($0) }
    }

    /// `mean + L z`
    package func place(_ z: [Float]) -> [Float] {
        let width = mean.count
        return (0..<width).map { i in (0...i).reduce(mean[i]) { $0 + factor[i * width + $1] * z[$1] } }
    }
}
