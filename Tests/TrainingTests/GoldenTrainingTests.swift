import Checkpoints
import Foundation
import Testing
import TestSupport

@testable import Heads
@testable import TensorCore
@testable import Training

@Suite("Golden: optimiser and training", .enabled(if: Golden.has("train") && Golden.has("optim"), "no reference values at HIDRA_GOLDEN"))
struct GoldenTrainingTests {
    static let adamW = Golden.cases("optim").filter {
        $0.op == "adamw" && $0.attributes["schedule"] == nil && $0.attributes["amsgrad"] as? Bool != true
            && ($0.attributes["no_decay"] as? [String] ?? []).isEmpty
    }

    @Test("AdamW follows the reference step by step", arguments: adamW)
    func optimiser(_ golden: GoldenCase) throws {
        let file = try golden.open(), attributes = golden.attributes
        let names = try #require(golden.fields["parameters"] as? [String]), steps = try #require(golden.fields["steps"] as? Int)
        let betas = try #require(attributes["betas"] as? [Double])
        let scope = ParameterScope(initialisedFrom: 0)
        let parameters = try names.map { name in
            let initial = try file.tensor("\(name).init")
            let parameter = scope.parameter(name, initial.shape, initial: .zeros)
            parameter.value.mutablePointer.update(from: initial.pointer, count: initial.count)
            return parameter
        }
        var optimiser = AdamW(parameters, weightDecay: Float(try #require(attributes["weight_decay"] as? Double)))
        optimiser.beta1 = Float(betas[0])
        optimiser.beta2 = Float(betas[1])
        optimiser.eps = Float(try #require(attributes["eps"] as? Double))
        let rate = Float(try #require(attributes["lr"] as? Double))
        for step in 0..<steps {
            let gradients = try zip(names, parameters).map { name, parameter in
                try file.tensor("\(name).grads").rows(step..<step + 1).reshapedView(parameter.value.shape)
            }
            optimiser.step(gradients, learningRate: rate)
            for (name, parameter) in zip(names, parameters) {
                let expected = try file.tensor("\(name).after").rows(step..<step + 1).reshapedView(parameter.value.shape)
                let (absolute, relative) = golden.tolerance("\(name).after")
                let worst = difference(parameter.value, expected, absolute: absolute, relative: relative)
                #expect(worst.isWithinTolerance, "\(golden.name) step \(step) \(name): \(worst)")
            }
        }
    }

    @Test("warm-up and cosine decay follow the reference")
    func schedule() throws {
        let golden = try #require(Golden.cases("optim").first { $0.name == "schedule_cosine_warmup" })
        let attributes = golden.attributes
        let schedule = CosineSchedule(
            base: try #require(attributes["base_lr"] as? Double), warmup: try #require(attributes["warmup"] as? Int),
            total: try #require(attributes["total"] as? Int))
        let expected = try golden.open().tensor("lr")
        let (absolute, relative) = golden.tolerance("lr")
        let worst = difference((0..<expected.count).map(schedule.rate), expected.values, absolute: absolute, relative: relative)
        #expect(worst.isWithinTolerance, "\(worst)")
    }

    static let heads = Golden.cases("train").filter { ["linear_head", "mlp_head"].contains($0.name) }

    @Test("thirty steps of a head give the reference's losses, first gradients and weights", arguments: heads)
    func training(_ golden: GoldenCase) throws {
        let file = try golden.open(), attributes = golden.attributes
        let features = FeatureTable(try file.tensor("features"))
        let labels = Targets.classes(try file.integers("labels").map(Int32.init))
        let isLinear = golden.name == "linear_head"
        let names = isLinear
            ? ["output.weight": "weight", "output.bias": "bias"]
            : ["hidden.weight": "fc1.weight", "hidden.bias": "fc1.bias", "output.weight": "fc2.weight", "output.bias": "fc2.bias"]
        let outputs = try file.tensor(isLinear ? "init.bias" : "init.fc2.bias").count
        let kind = isLinear ? HeadKind.linear : .mlp(hidden: try file.tensor("init.fc1.bias").count, dropout: 0)
        let network = HeadNetwork(kind, width: features.width, outputs: outputs, in: ParameterScope(initialisedFrom: 0))
        for parameter in network.parameters {
            let initial = try file.tensor("init.\(try #require(names[parameter.name]))")
            parameter.value.mutablePointer.update(from: initial.pointer, count: initial.count)
        }
        var optimiser = AdamW(network.parameters, weightDecay: Float(try #require(attributes["weight_decay"] as? Double)))
        let rate = Float(try #require(attributes["lr"] as? Double))
        let batches = try file.integers("batch_index"), steps = try #require(attributes["steps"] as? Int)
        let size = batches.count / steps
        let expectedLoss = try file.tensor("loss").values
        let leaves = network.parameters.map(\.value)
        for step in 0..<steps {
            let rows = Array(batches[step * size..<(step + 1) * size])
            let loss = Objective()(network(features.gather(rows), dropoutSeed: nil), labels.selecting(rows))
            let (absolute, relative) = golden.tolerance("loss")
            let worst = difference([loss.scalar], [expectedLoss[step]], absolute: absolute, relative: relative)
            #expect(worst.isWithinTolerance, "\(golden.name) loss of step \(step): \(worst)")
            let gradients = loss.gradients(for: leaves)
            if step == 0 {
                for (parameter, gradient) in zip(network.parameters, gradients) {
                    let name = "grad0.\(try #require(names[parameter.name]))"
                    let (absolute, relative) = golden.tolerance(name)
                    let worst = difference(gradient, try file.tensor(name), absolute: absolute, relative: relative)
                    #expect(worst.isWithinTolerance, "\(golden.name) \(name): \(worst)")
                }
            }
            optimiser.step(gradients, learningRate: rate)
        }
        for parameter in network.parameters {
            let name = "final.\(try #require(names[parameter.name]))"
            let (absolute, relative) = golden.tolerance(name)
            let worst = difference(parameter.value, try file.tensor(name), absolute: absolute, relative: relative)
            #expect(worst.isWithinTolerance, "\(golden.name) \(name): \(worst)")
        }
    }
}
