import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import Encoders
@testable import TensorCore
@testable import Training

/// One training run of the reference: batches, losses, first gradients and final weights.
final class ReferenceRun {
    let golden: GoldenCase
    let file: Safetensors
    let reference: ReferenceOptimiser
    private let batches: [Int]
    private let steps: Int
    private(set) var compared: Set<String> = []

    init(_ golden: GoldenCase) throws {
        self.golden = golden
        file = try golden.open()
        reference = ReferenceOptimiser(attributes: golden.attributes)
        batches = try file.integers("batch_index")
        steps = Int(try reference.number("steps"))
    }

    func has(_ name: String) -> Bool { file.entries[name] != nil }
    func classes(_ name: String) throws -> [Int32] { try file.integers(name).map(Int32.init) }

    func batch(_ step: Int) -> [Int] {
        let size = batches.count / steps
        return Array(batches[step * size..<(step + 1) * size])
    }

    func expect(_ name: String, _ actual: Tensor) throws {
        compared.insert(name)
        let (absolute, relative) = golden.tolerance(name)
        let worst = difference(actual, try file.tensor(name), absolute: absolute, relative: relative)
        #expect(worst.isWithinTolerance, "\(golden.name) \(name): \(worst)")
    }

    private func expect(_ name: String, step: Int, _ actual: Double) throws {
        compared.insert(name)
        let (absolute, relative) = golden.tolerance(name)
        let worst = difference(
            [Float(actual)], [try file.tensor(name).values[step]], absolute: absolute, relative: relative)
        #expect(worst.isWithinTolerance, "\(golden.name) \(name) of step \(step): \(worst)")
    }

    /// New parameters with the reference's initial values, under its names.
    func initial() throws -> [(String, Parameter)] {
        let names = file.entries.keys.filter { $0.hasPrefix("init.") }.sorted().map { String($0.dropFirst(5)) }
        return parameters(try names.map { ($0, try file.tensor("init.\($0)")) }).map { ($0.name, $0) }
    }

    /// Gives parameters the reference's initial values, where it has some.
    func begin(_ parameters: [(String, Parameter)]) throws {
        for (name, parameter) in parameters where has("init.\(name)") {
            let value = try file.tensor("init.\(name)")
            #expect(value.shape == parameter.value.shape, "\(golden.name) \(name)")
            parameter.value.mutablePointer.update(from: value.contiguous().pointer, count: value.count)
        }
    }

    /// Trains `parameters`, by the reference's names, and compares on the way.
    func follow(_ parameters: [(String, Parameter)], loss: ([Int]) throws -> Tensor) throws {
        let name = try #require(golden.attributes["optimizer"] as? String)
        var optimiser = try reference.make(name, parameters.map(\.1))
        let leaves = parameters.map(\.1.value)
        for step in 0..<steps {
            let value = try loss(batch(step))
            try expect("loss", step: step, Double(value.scalar))
            var gradients = value.gradients(for: leaves)
            if step == 0 {
                for ((name, _), gradient) in zip(parameters, gradients) where golden.compared.contains("grad0.\(name)")
                {
                    try expect("grad0.\(name)", gradient)
                }
            }
            if let clipping = reference.clipping {
                let (clipped, norm) = clipping(gradients)
                if let norm, has("grad_norm") { try expect("grad_norm", step: step, norm) }
                gradients = clipped
            }
            optimiser.step(gradients, learningRate: try reference.rate(step))
        }
        for (name, parameter) in parameters where golden.compared.contains("final.\(name)") {
            try expect("final.\(name)", parameter.value)
        }
    }

    /// Trains `parameters` by whole steps, of which only losses and final weights can be seen.
    func follow(_ parameters: [(String, Parameter)], by method: any TrainingStep) throws {
        for step in 0..<steps {
            let loss = try method.take(batch(step)[...], step: step, learningRate: try reference.rate(step))
            try expect("loss", step: step, Double(loss))
        }
        for (name, parameter) in parameters where golden.compared.contains("final.\(name)") {
            try expect("final.\(name)", parameter.value)
        }
    }

    /// Whatever the manifest compares must have been compared.
    func requireComplete() {
        let missing = golden.compared.filter { !compared.contains($0) }
        #expect(missing.isEmpty, "\(golden.name): not compared: \(missing)")
    }
}

extension GoldenCase {
    /// Tensors that have a tolerance.
    var compared: [String] { fields["compared"] as? [String] ?? [] }
}

/// Token ids with padding, as the reference has them, taken apart into packed batches.
struct PaddedText {
    private let rows: [[Int32]]

    init(_ run: ReferenceRun) throws {
        let ids = try run.classes("input_ids"), mask = try run.file.integers("attention_mask")
        let shape = try #require(run.file.entries["input_ids"]).shape
        rows = (0..<shape[0]).map { row in
            (0..<shape[1]).map { row * shape[1] + $0 }.filter { mask[$0] == 1 }.map { ids[$0] }
        }
    }

    func batch(_ selected: [Int]) -> PackedTokens {
        var batch = PackedTokens()
        for row in selected { batch.append(ids: rows[row], typeIDs: [Int32](repeating: 0, count: rows[row].count)) }
        return batch
    }
}
