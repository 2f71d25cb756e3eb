import Checkpoints
import Foundation
import Images
import TestSupport
import Testing

@testable import Encoders
@testable import TensorCore

@Suite("Golden: vision architectures", .enabled(if: Golden.has("arch"), "no reference values at HIDRA_GOLDEN"))
struct GoldenVisionTests {
    static let cases = Golden.cases("arch").filter { $0.op.hasPrefix("ResNet") || $0.op.hasPrefix("MobileNetV2") }

    @Test("raw images become the reference's pixels", arguments: cases)
    func pixels(_ golden: GoldenCase) throws {
        let encoder = try ImageEncoder(folder: golden.folder.appending(path: golden.name))
        let file = try Safetensors(golden.folder.appending(path: "\(golden.name)/golden.safetensors"))
        let expected = try file.tensor("pixel_values"), (absolute, relative) = golden.tolerance("pixel_values")
        let count = expected.shape[0]
        #expect(file.names.count { $0.hasPrefix("raw_image.") } == count)
        for index in 0..<count {
            let shape = try #require(file.entries["raw_image.\(index)"]).shape
            let image = RGBImage(
                width: shape[1], height: shape[0], pixels: try file.integers("raw_image.\(index)").map { UInt8($0) })
            let worst = difference(
                encoder.imagePreprocessing.channelsFirst(image), expected.rows(index..<index + 1).values, absolute: absolute,
                relative: relative)
            #expect(worst.isWithinTolerance, "\(golden.name) raw_image.\(index): \(worst)")
        }
    }

    @Test("every hidden state, the last one and the pooled vector equal the reference", arguments: cases)
    func hiddenStates(_ golden: GoldenCase) throws {
        let encoder = try ImageEncoder(folder: golden.folder.appending(path: golden.name)), network = encoder.network
        let file = try Safetensors(golden.folder.appending(path: "\(golden.name)/golden.safetensors"))
        let pixels = try file.tensor("pixel_values").channelsLast
        let taps = network.tapWidths.count, states = network.hiddenStates(pixels, taps: Set(0..<taps))
        let last = try #require(states[taps - 1]), pooled = PixelPooling.mean(last)
        if let count = golden.fields["parameters"] as? Int { #expect(network.parameterCount == count) }
        var compared = 0
        for name in golden.outputs {
            let actual: Tensor
            switch name {
            case "last_hidden_state": actual = last.channelsFirst
            case "pooler_output":
                let shape = try file.tensor(name).shape
                actual = pooled.reshapedView(shape)
            case "logits":
                let classifier = try #require(network.classifier)
                actual = classifier(pooled)
            default:
                let tap = try #require(Int(name.dropFirst("hidden_states.".count)), "unknown output \(name)")
                actual = try #require(states[tap]).channelsFirst
            }
            let (absolute, relative) = golden.tolerance(name)
            let worst = difference(actual, try file.tensor(name), absolute: absolute, relative: relative)
            #expect(worst.isWithinTolerance, "\(golden.name) \(name): \(worst)")
            compared += 1
        }
        #expect(compared >= 3)
    }

    @Test("nothing above the tap is needed for it", arguments: cases)
    func taps(_ golden: GoldenCase) throws {
        let encoder = try ImageEncoder(folder: golden.folder.appending(path: golden.name)), network = encoder.network
        let file = try Safetensors(golden.folder.appending(path: "\(golden.name)/golden.safetensors"))
        let pixels = try file.tensor("pixel_values").channelsLast
        let all = network.hiddenStates(pixels, taps: Set(network.tapWidths.indices))
        for tap in network.tapWidths.indices {
            let one = network.hiddenStates(pixels, taps: [tap])
            #expect(one.count == 1 && one[tap]?.values == all[tap]?.values, "\(golden.name) tap \(tap)")
            #expect(one[tap]?.shape.last == network.tapWidths[tap])
        }
    }
}
