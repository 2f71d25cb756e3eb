import Checkpoints
import Foundation
import TestSupport

@testable import Encoders
@testable import Layers
@testable import TensorCore
@testable import Training

/// A convolutional network as the manifest's architecture line spells it: `conv(1->8, k3 s2 p1) relu convT(16->8, k3 s2 p1 op1)`,
/// `conv1(k3 p1) bn1 relu maxpool2 … global-mean fc`. Weights by the reference's names.
final class ReferenceNetwork {
    private enum Stage {
        case convolution(Window, weight: String)
        case transposed(Window, outputPadding: [Int], weight: String)
        case batchNorm(String)
        case relu, relu6, sigmoid
        case maxPooling(Int)
        case globalMean
        case linear(String)
    }

    private let stages: [Stage]
    private let values: [String: Parameter]
    private let batchNorm: (momentum: Float, eps: Float)
    /// Running means and variances by name.
    private(set) var running: [String: Tensor] = [:]

    init(_ architecture: String, parameters: [Parameter], attributes: [String: Any]) throws {
        values = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0) })
        let settings = attributes["batch_norm"] as? [String: Any]
        batchNorm = (
            Float((settings?["momentum"] as? NSNumber)?.doubleValue ?? 0.1),
            Float((settings?["eps"] as? NSNumber)?.doubleValue ?? 1e-5)
        )
        // Unnamed convolutions are called enc1, enc2, …, transposed ones dec1, dec2, …
        var counts: [String: Int] = [:], stages: [Stage] = []
        for match in architecture.matches(of: /([A-Za-z]+)(\d*)(-[a-z]+)?(?:\(([^)]*)\))?/) {
            let kind = String(match.1), number = String(match.2), name = kind + number
            var settings: [String: Int] = [:]
            for word in (match.4 ?? "").split(whereSeparator: { " ,".contains($0) }) {
                if let setting = word.wholeMatch(of: /([a-z]+)(\d+)/) { settings[String(setting.1)] = Int(setting.2) }
            }
            let window = Window(rank: 2, stride: settings["s"] ?? 1, padding: settings["p"] ?? 0)
            switch (kind, match.3) {
            case ("conv", _), ("convT", _):
                let family = kind == "conv" ? "enc" : "dec"
                counts[family, default: 0] += 1
                let weight = number.isEmpty ? "\(family)\(counts[family, default: 0])" : name
                stages.append(
                    kind == "conv"
                        ? .convolution(window, weight: weight)
                        : .transposed(
                            window, outputPadding: [Int](repeating: settings["op"] ?? 0, count: 2), weight: weight))
            case ("bn", _): stages.append(.batchNorm(name))
            case ("relu", _): stages.append(number == "6" ? .relu6 : .relu)
            case ("sigmoid", _): stages.append(.sigmoid)
            case ("maxpool", _): stages.append(.maxPooling(Int(number) ?? 2))
            case ("global", "-mean"): stages.append(.globalMean)
            case ("fc", _): stages.append(.linear(name))
            default:
                throw ReferenceOptimiser.Missing(description: "nothing computes \"\(match.0)\" of \"\(architecture)\"")
            }
        }
        self.stages = stages
        for case .batchNorm(let name) in stages {
            let channels = try value("\(name).weight").shape
            running["\(name).running_mean"] = Tensor(repeating: 0, channels)
            running["\(name).running_var"] = Tensor(repeating: 1, channels)
        }
    }

    private func value(_ name: String) throws -> Tensor {
        guard let parameter = values[name] else {
            throw ReferenceOptimiser.Missing(description: "no parameter \(name)")
        }
        return parameter.value
    }

    /// Weight and, where the reference has one, bias.
    private func weights(_ name: String) throws -> [Tensor] {
        [try value("\(name).weight")] + (values["\(name).bias"].map { [$0.value] } ?? [])
    }

    func callAsFunction(_ input: Tensor, training: Bool) throws -> Tensor {
        var x = input
        for stage in stages {
            switch stage {
            case .convolution(let window, let name): x = Convolution(window).apply([x] + (try weights(name)))
            case .transposed(let window, let padding, let name):
                x = TransposedConvolution(window, outputPadding: padding).apply([x] + (try weights(name)))
            case .batchNorm(let name):
                guard let mean = running["\(name).running_mean"], let variance = running["\(name).running_var"] else {
                    continue
                }
                let y = BatchNormalisation(training: training, eps: batchNorm.eps).apply(
                    [x] + (try weights(name)) + [mean, variance])
                if training {
                    let (newMean, newVariance) = BatchNormalisation.updated(
                        runningMean: mean, runningVariance: variance, with: x, momentum: batchNorm.momentum)
                    running["\(name).running_mean"] = newMean
                    running["\(name).running_var"] = newVariance
                }
                x = y
            case .relu: x = ReLU()(x)
            case .relu6: x = ReLU6()(x)
            case .sigmoid: x = Sigmoid()(x)
            case .maxPooling(let size): x = MaxPooling(kernel: [size, size], window: Window(rank: 2, stride: size))(x)
            case .globalMean:
                x = Reshape([x.shape[0], x.shape[1]])(AdaptiveAveragePooling(size: [1, 1])(x))
            case .linear(let name): x = LinearProduct().apply([x] + (try weights(name)))
            }
        }
        return x
    }
}
