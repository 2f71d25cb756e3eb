import Checkpoints
import Foundation
import Testing
import TestSupport

@testable import TensorCore

/// How a manifest case becomes one of our ops; nil when the core has no such op (yet).
private func build(_ golden: GoldenCase, _ file: Safetensors) throws -> (op: any DifferentiableOp, inputs: [Tensor], names: [String])? {
    let attributes = golden.attributes
    func tensors(_ names: [String]) throws -> [Tensor] { try names.map(file.tensor) }
    func all(_ op: any DifferentiableOp) throws -> (any DifferentiableOp, [Tensor], [String]) {
        (op, try tensors(golden.inputs), golden.inputs)
    }
    switch golden.op {
    case "add": return try all(Add())
    case "sub": return try all(Subtract())
    case "mul": return try all(Multiply())
    case "div": return try all(Divide())
    case "gelu_erf": return try all(GELU())
    case "relu": return try all(ReLU())
    case "tanh": return try all(Tanh())
    case "sigmoid": return try all(Sigmoid())
    case "dropout":
        guard attributes["p"] as? Double == 0 else { return nil }
        return try all(Dropout(rate: 0, seed: 1))
    case "linear": return try all(LinearProduct())
    case "softmax":
        let x = try file.tensor(golden.inputs[0])
        guard golden.inputs.count == 1, let axis = attributes["dim"] as? Int, axis == -1 || axis == x.rank - 1 else { return nil }
        return try all(Softmax())
    case "layer_norm":
        guard golden.inputs.count == 3, (attributes["normalized_shape"] as? [Int])?.count == 1 else { return nil }
        return try all(LayerNormalisation(eps: Float(attributes["eps"] as? Double ?? 1e-5)))
    case "l2_normalize":
        let x = try file.tensor(golden.inputs[0])
        guard let axis = attributes["dim"] as? Int, axis == -1 || axis == x.rank - 1 else { return nil }
        return try all(L2Normalisation(eps: Float(attributes["eps"] as? Double ?? 1e-12)))
    case "reshape":
        guard let shape = attributes["shape"] as? [Int], !shape.contains(-1) else { return nil }
        return try all(Reshape(Shape(shape)))
    case "permute":
        guard let order = (attributes["dims"] ?? attributes["order"] ?? attributes["permutation"]) as? [Int] else { return nil }
        return try all(Permute(order))
    case "embedding":
        guard attributes["padding_idx"] as? Int == nil else { return nil }
        let indices = try file.integers("indices").map(Int32.init)
        let shape = file.entries["indices"].map { Shape($0.shape) }
        return (Embedding(indices, shape: shape), [try file.tensor("weight")], ["weight"])
    case "matmul":
        let inputs = try tensors(golden.inputs)
        guard inputs.count == 2, inputs[0].rank == inputs[1].rank, inputs[0].rank >= 2,
            inputs[0].shape.dimensions.dropLast(2) == inputs[1].shape.dimensions.dropLast(2)
        else { return nil }
        let op = MatrixProduct(
            transposeA: attributes["transpose_a"] as? Bool ?? false, transposeB: attributes["transpose_b"] as? Bool ?? false)
        return (op, inputs, golden.inputs)
    case "sum", "mean":
        guard !(attributes["dims"] is [Int]) else { return nil }
        return try all(golden.op == "sum" ? Sum() : Mean())
    case "mse":
        guard (attributes["reduction"] as? String ?? "mean") == "mean" else { return nil }
        return try all(MeanSquaredError())
    case "bce_with_logits":
        guard (attributes["reduction"] as? String ?? "mean") == "mean", !golden.inputs.contains("weight") else { return nil }
        let positive = golden.inputs.contains("pos_weight") ? try file.tensor("pos_weight").values : nil
        return (
            BinaryCrossEntropy(targets: try file.tensor("target").values, positiveWeights: positive), [try file.tensor("logits")], ["logits"])
    case "cross_entropy":
        guard (attributes["reduction"] as? String ?? "mean") == "mean", (attributes["ignore_index"] as? Int ?? -100) < 0,
            file.entries["target"]?.type == .i64, let logits = golden.inputs.first, try file.tensor(logits).rank == 2
        else { return nil }
        let targets = try file.integers("target")
        guard targets.allSatisfy({ $0 >= 0 }) else { return nil }
        let weights = golden.inputs.first { $0.contains("weight") }
        return (
            CrossEntropy(
                targets: targets.map(Int32.init), classWeights: try weights.map { try file.tensor($0).values },
                smoothing: Float(attributes["label_smoothing"] as? Double ?? 0)), [try file.tensor(logits)], [logits])
    case "attention":
        let inputs = try tensors(["q", "k", "v"])
        guard golden.inputs.count == 3, attributes["causal"] as? Bool != true, attributes["gqa"] as? Bool != true,
            inputs.allSatisfy({ $0.shape == inputs[0].shape })
        else { return nil }
        return (PaddedAttention(scale: (attributes["scale"] as? Double).map(Float.init)), inputs, ["q", "k", "v"])
    default: return nil
    }
}

/// Packed attention under the reference's layout `[batch, heads, length, size]`.
private struct PaddedAttention: DifferentiableOp {
    static let name = PackedAttention.name
    let scale: Float?

    func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (unpacked(op(inputs[0].shape).forward(inputs.map(packed)).output, inputs[0].shape), [])
    }

    func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        op(inputs[0].shape)
            .backward(packed(gradient), inputs: inputs.map(packed), saved: [], needs: needs)
            .map { $0.map { unpacked($0, inputs[0].shape) } }
    }

    private func op(_ shape: Shape) -> PackedAttention {
        PackedAttention(
            SequenceOffsets(lengths: [Int](repeating: shape[2], count: shape[0])), heads: shape[1], width: shape[1] * shape[3],
            scale: scale)
    }

    private func packed(_ x: Tensor) -> Tensor {
        x.permutedView([0, 2, 1, 3]).reshapedView([x.shape[0] * x.shape[2], x.shape[1] * x.shape[3]])
    }

    private func unpacked(_ x: Tensor, _ shape: Shape) -> Tensor {
        x.reshapedView([shape[0], shape[2], shape[1], shape[3]]).permutedView([0, 2, 1, 3]).contiguous()
    }
}

@Suite("Golden: ops", .enabled(if: Golden.has("ops"), "no reference values at HIDRA_GOLDEN"))
struct GoldenOpTests {
    static let ours = Set(OpRegistry.differentiable.map { $0.name })
    static let cases = Golden.cases("ops").filter { ours.contains($0.op) }

    @Test("values and gradients equal the reference", arguments: cases)
    func equalsReference(_ golden: GoldenCase) throws {
        let file = try golden.open()
        guard let (op, inputs, names) = try build(golden, file) else { return }
        let leaves = inputs.map(\.tracked)
        let output = op.apply(leaves)
        let (absolute, relative) = golden.tolerance("output")
        let forward = difference(output, try file.tensor("output"), absolute: absolute, relative: relative)
        #expect(forward.isWithinTolerance, "\(golden.name) output: \(forward)")

        guard golden.fields["grad_outputs"] is [String: Any], file.entries["grad_output"] != nil else { return }
        let gradients = output.gradients(for: leaves, from: try file.tensor("grad_output"))
        for (name, gradient) in zip(names, gradients) {
            guard let reference = golden.gradients[name] else { continue }
            let (absolute, relative) = golden.tolerance(reference)
            let backward = difference(gradient, try file.tensor(reference), absolute: absolute, relative: relative)
            #expect(backward.isWithinTolerance, "\(golden.name) gradient of \(name): \(backward)")
        }
    }

    @Test("every op that the reference has is compared in at least one case")
    func coverage() throws {
        let compared = Set(try Self.cases.filter { try build($0, $0.open()) != nil }.map(\.op))
        let available = Set(Self.cases.map(\.op))
        #expect(compared == available, "not compared: \(available.subtracting(compared).sorted())")
        #expect(compared.count >= 18)
    }
}
