package import Checkpoints
package import Foundation
import ONNX
import SwiftProtobuf
package import TensorCore

/// A graph as a trainable head: its float weights are parameters, everything between them and the outputs is differentiated.
package final class GraphNetwork {
    private let program: GraphProgram
    /// In the order of the model's initialisers, the declared ones last.
    package let parameters: [Parameter]
    private let trainable: [String: Int]
    /// Running statistics and other float32 values that training moves in place without a gradient, by name.
    private let statistics: [String: Tensor]
    package var buffers: [Tensor] { statistics.sorted { $0.key < $1.key }.map(\.value) }

    /// - Parameter seed: of weights that are declared and not given.
    /// - Throws: `GraphError`: the first thing that keeps the graph from being trained.
    package init(_ model: GraphModel, seed: UInt64) throws {
        let model = GraphModel(ExportedWeights(model.proto).model, limits: model.limits)
        program = try GraphProgram(model, seed: seed)
        if let problem = model.check().problems.first(where: { $0.code != .dependsOnData }) {
            throw GraphError(problem.code, problem.message, node: problem.node, op: problem.op)
        }
        let names = TrainableWeights(program.plan, model: model).names
        var parameters: [Parameter] = [], trainable: [String: Int] = [:], statistics: [String: Tensor] = [:]
        for constant in program.plan.constants {
            guard let tensor = program.constants[constant.slot]?.tensor else { continue }
            if names.contains(constant.name) {
                let parameter = Parameter(name: constant.name, value: tensor.tracked)
                parameters.append(parameter)
                trainable[constant.name] = constant.slot
                program.constants[constant.slot] = GraphValue(parameter.value)
            } else if tensor.values.allSatisfy(\.isFinite) {
                // What is infinite, such as the filling of a mask, is no statistic: nothing may move it, and no check may stumble on it.
                let buffer = Tensor(tensor.values, tensor.shape)
                statistics[constant.name] = buffer
                program.constants[constant.slot] = GraphValue(buffer)
            }
        }
        self.parameters = parameters
        self.trainable = trainable
        self.statistics = statistics
        guard !parameters.isEmpty else {
            throw GraphError(.badValue, "the graph has no weights to train: no float32 initialiser is used as data")
        }
    }

    package var inputNames: [String] { program.inputNames }
    package var outputNames: [String] { program.outputNames }

    /// The outputs of the graph, with their history.
    ///
    /// - Parameter dropoutSeed: given in training, where dropout is active whatever the graph says and batch normalisation uses and
    ///   moves its statistics; the same seed drops the same elements. nil in evaluation: no dropout, running statistics.
    package func callAsFunction(
        _ inputs: [String: GraphValue], dropoutSeed: UInt64?
    ) throws -> [(name: String, value: GraphValue)] {
        let run = GraphRun(
            limits: program.model.limits, mode: dropoutSeed.map { .training(seed: $0) } ?? .evaluation)
        let outputs = try program.execute(inputs: inputs, run)
        for (name, moved) in run.statistics {
            guard let buffer = statistics[name] else { continue }
            let dense = moved.contiguous()
            buffer.mutablePointer.update(from: dense.pointer, count: buffer.count)
        }
        return outputs
    }

    /// Features `[rows, width]`, or any float32 input, of a graph with one input → its first output.
    package func callAsFunction(_ x: Tensor, dropoutSeed: UInt64?) throws -> Tensor {
        guard let name = program.inputNames.first, program.inputNames.count == 1 else {
            throw GraphError(
                .unknownName,
                "the graph has the inputs \(program.inputNames.joined(separator: ", ")); give each by its name")
        }
        let outputs = try self([name: GraphValue(x)], dropoutSeed: dropoutSeed)
        guard let output = outputs.first, let tensor = output.value.tensor else {
            throw GraphError(.typeMismatch, "the graph's first output is not float32")
        }
        return tensor
    }

    /// The model with the present weights in place of those it came with. Declared weights become initialisers.
    package func export() throws -> Data {
        var proto = program.model.proto
        var current = Dictionary(uniqueKeysWithValues: program.plan.constants.map { ($0.name, $0.slot) })
            .filter { trainable[$0.key] != nil || statistics[$0.key] != nil }
        for index in proto.graph.initializer.indices {
            let name = proto.graph.initializer[index].name
            guard let slot = current.removeValue(forKey: name), let value = program.constants[slot] else { continue }
            proto.graph.initializer[index] = TensorProto(value.detached, name: name)
        }
        for (name, slot) in current.sorted(by: { $0.key < $1.key }) {
            guard let value = program.constants[slot] else { continue }
            proto.graph.initializer.append(TensorProto(value.detached, name: name))
            proto.graph.input.removeAll { $0.name == name }
            proto.metadataProps.removeAll { $0.key == DeclaredInitialiser.prefix + name }
        }
        return try proto.serializedData()
    }
}
