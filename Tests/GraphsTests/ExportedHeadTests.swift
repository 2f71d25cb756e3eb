import Checkpoints
import Foundation
import TensorCore
import Testing
import Training

@testable import Graphs

/// Reference: PyTorch, by `Fixtures/export_heads.py`.
@Suite("Heads exported by PyTorch")
struct ExportedHeadTests {
    static let cases = HeadFixture.names.flatMap { name in ["script", "dynamo"].map { (name, $0) } }

    @Test("give PyTorch's outputs as programs and as networks", arguments: cases)
    func outputs(_ name: String, _ exporter: String) throws {
        let fixture = try HeadFixture.load(name), model = try HeadFixture.model("\(name).\(exporter)")
        let expected = fixture.output.values.map { Float($0) }
        let plain = try #require(try GraphProgram(model).run(inputs: fixture.values).first?.value.tensor)
        let head = try #require(try GraphNetwork(model, seed: 0)(fixture.values, dropoutSeed: nil).first?.value.tensor)
        for output in [plain, head] {
            #expect(output.shape.dimensions == fixture.output.shape)
            let (difference, index) = worst(output.values, expected)
            #expect(difference <= 1e-5, "element \(index) differs by \(difference)")
        }
    }

    @Test("are found in order by a check, with the module's number of parameters", arguments: cases)
    func check(_ name: String, _ exporter: String) throws {
        let fixture = try HeadFixture.load(name), report = try HeadFixture.model("\(name).\(exporter)").check(batch: 4)
        #expect(report.problems == [])
        #expect(
            report.trainableParameters == fixture.parameters,
            "\(report.weights.filter(\.isTrainable).map { "\($0.name) \($0.shape)" })")
        #expect(report.outputs.first?.shape?.first?.contains("batch") == true, "\(report.outputs)")
        #expect(report.activationBytes > 0)
        // The TorchScript exporter writes the example's length into the attention of a transformer.
        #expect(report.pinned == (name == "transformer" && exporter == "script" ? ["sequence": 5] : [:]))
    }

    @Test("have PyTorch's losses in ten steps of SGD and of AdamW", arguments: cases)
    func losses(_ name: String, _ exporter: String) throws {
        let fixture = try HeadFixture.load(name), model = try HeadFixture.model("\(name).\(exporter)")
        for (steps, adaptive) in [(fixture.sgd, false), (fixture.adamw, true)] {
            let steps = try #require(steps), network = try GraphNetwork(model, seed: 0)
            let leaves = network.parameters.map(\.value)
            var optimiser = AdamW(network.parameters, weightDecay: steps.decay ?? 0)
            var losses: [Float] = []
            for _ in steps.losses {
                let output = try #require(try network(fixture.values, dropoutSeed: nil).first?.value.tensor)
                let loss = fixture.loss(of: output)
                losses.append(loss.scalar)
                let gradients = loss.gradients(for: leaves)
                if adaptive {
                    optimiser.step(gradients, learningRate: steps.rate)
                } else {
                    for (leaf, gradient) in zip(leaves, gradients) {
                        let slope = gradient.contiguous()
                        for i in 0..<leaf.count { leaf.mutablePointer[i] -= steps.rate * slope.pointer[i] }
                    }
                }
            }
            let (difference, index) = worst(losses, steps.losses)
            #expect(
                difference <= 1e-4,
                "\(adaptive ? "AdamW" : "SGD"), step \(index): \(losses[index]), PyTorch \(steps.losses[index])")
        }
    }

    @Test("drop elements in training only, whatever the graph says, and the same ones for the same seed")
    func dropout() throws {
        let fixture = try HeadFixture.load("mlp_training"), model = try HeadFixture.model("mlp_training.script")
        let network = try GraphNetwork(model, seed: 0), values = try fixture.values
        func output(_ seed: UInt64?) throws -> [Float] {
            try #require(try network(values, dropoutSeed: seed).first?.value.tensor).values
        }
        let evaluated = try output(nil)
        #expect(worst(evaluated, fixture.output.values.map { Float($0) }).difference <= 1e-5)
        let dropped = try output(7)
        #expect(dropped != evaluated)
        #expect(try output(7) == dropped)
        #expect(try output(8) != dropped)
    }

    @Test("keep what a mask is filled with out of the running statistics: minus infinity is no number to check or to restore")
    func infiniteConstants() throws {
        for exporter in ["script", "dynamo"] {
            let network = try GraphNetwork(HeadFixture.model("attention_pooling.\(exporter)"), seed: 0)
            #expect(network.buffers.allSatisfy { $0.values.allSatisfy(\.isFinite) }, "\(exporter)")
        }
    }

    @Test("are written back with their weights, and read again give the same outputs", arguments: cases)
    func export(_ name: String, _ exporter: String) throws {
        let fixture = try HeadFixture.load(name), model = try HeadFixture.model("\(name).\(exporter)")
        let network = try GraphNetwork(model, seed: 0)
        for (index, parameter) in network.parameters.enumerated() {
            for i in 0..<parameter.value.count {
                parameter.value.mutablePointer[i] += 0.01 * Float((i + index) % 7 - 3)
            }
        }
        let expected = try #require(try network(fixture.values, dropoutSeed: nil).first?.value.tensor).values
        let again = try GraphProgram(GraphModel(data: network.export()))
        let output = try #require(try again.run(inputs: fixture.values).first?.value.tensor)
        #expect(output.values == expected)
        #expect(expected != fixture.output.values.map { Float($0) })
    }
}
