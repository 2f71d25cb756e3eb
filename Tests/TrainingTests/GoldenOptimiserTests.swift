import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import TensorCore
@testable import Training

@Suite(
    "Golden: optimisers, schedules, clipping", .enabled(if: Golden.has("optim"), "no reference values at HIDRA_GOLDEN"))
struct GoldenOptimiserTests {
    static let all = Golden.cases("optim")
    static let schedules = all.filter { $0.op == "schedule" }
    static let clips = all.filter { $0.op.hasPrefix("clip_") }
    static let optimisers = all.filter { $0.op != "schedule" && !$0.op.hasPrefix("clip_") }

    private func expect(
        _ golden: GoldenCase, _ name: String, _ actual: [Float], _ expected: [Float], _ note: String = ""
    ) {
        let (absolute, relative) = golden.tolerance(name)
        let worst = difference(actual, expected, absolute: absolute, relative: relative)
        #expect(worst.isWithinTolerance, "\(golden.name) \(name) \(note): \(worst)")
    }

    @Test("an optimiser follows the reference step by step", arguments: optimisers)
    func optimiser(_ golden: GoldenCase) throws {
        let file = try golden.open(), reference = ReferenceOptimiser(attributes: golden.attributes)
        let names = try #require(golden.fields["parameters"] as? [String]),
            steps = try #require(golden.fields["steps"] as? Int)
        let parameters = parameters(try names.map { ($0, try file.tensor("\($0).init")) })
        var optimiser = try reference.make(golden.op, parameters)
        let rates =
            golden.fields["tensors"].flatMap { ($0 as? [String: Any])?["lr"] } == nil ? nil : try file.tensor("lr")
        for step in 0..<steps {
            var gradients = try zip(names, parameters).map { name, parameter in
                try file.tensor("\(name).grads").rows(step..<step + 1).reshapedView(parameter.value.shape)
            }
            if let clipping = reference.clipping {
                let (clipped, norm) = clipping(gradients)
                expect(
                    golden, "grad_norm", [Float(try #require(norm))], [try file.tensor("grad_norm").values[step]],
                    "step \(step)")
                gradients = clipped
            }
            let rate = try reference.rate(step)
            if let rates { expect(golden, "lr", [rate], [rates.values[step]], "step \(step)") }
            optimiser.step(gradients, learningRate: rate)
            for (name, parameter) in zip(names, parameters) {
                let expected = try file.tensor("\(name).after").rows(step..<step + 1).values
                expect(golden, "\(name).after", parameter.value.values, expected, "step \(step)")
            }
        }
    }

    @Test("a schedule follows the reference", arguments: schedules)
    func schedule(_ golden: GoldenCase) throws {
        let file = try golden.open(), reference = ReferenceOptimiser(attributes: golden.attributes)
        let schedule = try reference.schedule(golden.name), base = try reference.number("base_lr")
        let expected = try file.tensor("lr")
        expect(golden, "lr", (0..<expected.count).map { schedule.rate($0, base: base) }, expected.values)
        if case .oneCycle(let cycle) = schedule {
            expect(golden, "momentum", (0..<expected.count).map(cycle.momentum), try file.tensor("momentum").values)
        }
    }

    @Test("gradients are clipped as the reference does", arguments: clips)
    func clipping(_ golden: GoldenCase) throws {
        let file = try golden.open(), reference = ReferenceOptimiser(attributes: golden.attributes)
        let names = try #require(golden.fields["parameters"] as? [String])
        let gradients = try names.map { try file.tensor("\($0).grad") }
        let clipping: GradientClipping
        if golden.op == "clip_grad_value" {
            clipping = .value(largest: Float(try reference.number("value")))
        } else {
            let order =
                golden.attributes["norm_type"] as? String == "inf" ? Double.infinity : try reference.number("norm_type")
            clipping = .norm(largest: try reference.number("max_norm"), order: order)
        }
        let (clipped, norm) = clipping(gradients)
        if let norm { expect(golden, "total_norm", [Float(norm)], try file.tensor("total_norm").values) }
        for (name, gradient) in zip(names, clipped) {
            expect(golden, "\(name).clipped", gradient.values, try file.tensor("\(name).clipped").values)
        }
    }
}
