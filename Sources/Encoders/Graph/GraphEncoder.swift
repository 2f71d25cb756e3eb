import Checkpoints
package import Foundation
import Graphs
import Images
import Synchronization
package import TensorCore
import Tokenizers

/// Any frozen encoder given as an ONNX graph, with a tokenizer or an image preprocessor beside it: the architectures that have no
/// native implementation. Its taps are the graph's own tensors, by their names.
package final class GraphEncoder: FeatureEncoder, @unchecked Sendable {
    // `@unchecked`: the program's constants are written while it is made; a run reads them and keeps its values to itself.
    package let architecture = "onnx"
    package let modality: Modality
    package let taps: [Tap]
    package let parameterCount: Int
    private let program: GraphProgram
    private let input: GraphInput

    /// Where the graph may lie in the folder.
    package static let files = ["model.onnx", "onnx/model.onnx"]

    /// - Throws: `CheckpointError`, `GraphError`, `TokenizerError`, `ImageError`: the folder is incomplete, damaged or not supported.
    package init(folder: URL) throws {
        guard
            let file = Self.files.first(where: {
                FileManager.default.fileExists(atPath: folder.appending(path: $0).path)
            })
        else {
            throw CheckpointError(.unreadable, "model.onnx is missing", file: folder.path)
        }
        let model = try GraphModel(data: Data(contentsOf: folder.appending(path: file), options: .mappedIfSafe))
        let report = model.check()
        program = try GraphProgram(model)
        let input = try GraphInput(folder: folder, ports: report.inputs)
        self.input = input
        modality = input.modality
        parameterCount = report.parameters
        taps = try Self.taps(program, input, outputs: report.outputs.map(\.name))
    }

    package var maxTokens: Int { input.maxTokens }
    package var poolingName: String { input.pooling.name }
    package var preprocessing: String { input.preprocessingName }
    package func releasePages() {}

    package func prepare(_ input: EncoderInput) throws -> PreparedInput {
        let content = try self.input.prepare(input)
        let positions =
            switch content {
            case .tokens(let text): Double(text.count)
            // Convolutional weights are used some 150 times an image.
            case .pixels: 150.0
            }
        return PreparedInput(content, flops: 2 * Double(parameterCount) * positions)
    }

    /// Each input goes through the graph alone, several at a time on the worker threads: nothing is padded, and no input can change
    /// another's vector.
    package func features(_ inputs: [PreparedInput], taps wanted: [Int]) throws -> [Tensor] {
        try run(inputs, wanted, rows: inputs.map { _ in 1 }) { input.pool($0) }
    }

    /// As `features`, each input alone: the rows of its `[1, tokens, width]`.
    package func states(_ inputs: [PreparedInput], tap: Int) throws -> Tensor {
        try run(inputs, [tap], rows: inputs.map(\.tokens)) { $0.rank == 3 ? $0 : nil }[0]
    }

    /// - Parameters:
    ///   - rows: rows of each result that each input makes.
    ///   - body: makes them of a tap's tensor; nil when it has not the shape for that.
    private func run(
        _ inputs: [PreparedInput], _ wanted: [Int], rows: [Int], _ body: (Tensor) -> Tensor?
    ) throws -> [Tensor] {
        let wanted = wanted.map { taps[$0] }
        let starts = rows.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        let results = wanted.map { Tensor(uninitialised: [starts[rows.count], $0.width]) }
        let outputs = results.map(\.mutablePointer), failure = Mutex<(any Error)?>(nil)
        WorkerPool.shared.parallel(inputs.count) { index in
            do {
                let values = try program.values(Set(wanted.map(\.name)), inputs: input.values(inputs[index].content))
                for (tap, output) in zip(wanted, outputs) {
                    guard let state = values[tap.name]?.tensor, let made = body(state), made.count == rows[index] * tap.width
                    else {
                        throw CheckpointError(
                            .shapeMismatch, "\"\(tap.name)\" is not of the shape it had when the encoder was loaded")
                    }
                    let dense = made.contiguous()
                    (output + starts[index] * tap.width).update(from: dense.pointer, count: dense.count)
                    withExtendedLifetime(dense) {}
                }
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure }
        return results
    }

    /// The tensors that can be pooled to one vector of a fixed width, in the graph's order; the graph's first such output is the top.
    private static func taps(_ program: GraphProgram, _ input: GraphInput, outputs: [String]) throws -> [Tap] {
        let probes = try input.probes.map { try program.trace(inputs: input.values($0)) }
        guard let first = probes.first else { return [] }
        var widths: [String: Int] = [:], order: [String] = [], withStates: Set<String> = []
        for result in first where result.type == .float32 {
            guard let width = input.width(result.shape, of: 0), widths[result.name] == nil else { continue }
            widths[result.name] = width
            if input.modality == .text, result.shape.count == 3 { withStates.insert(result.name) }
            order.append(result.name)
        }
        for (index, probe) in probes.enumerated().dropFirst() {
            var seen: Set<String> = []
            for result in probe where input.width(result.shape, of: index) == widths[result.name] {
                seen.insert(result.name)
            }
            order.removeAll { !seen.contains($0) }
        }
        guard let top = outputs.first(where: order.contains) else {
            throw CheckpointError(
                .invalidConfiguration,
                "model.onnx has no float32 output [batch, tokens, width], [batch, width] or [batch, channels, height, width]; its outputs are "
                    + outputs.joined(separator: ", "))
        }
        order.removeAll { $0 == top }
        return (order + [top]).map { Tap(name: $0, width: widths[$0] ?? 0, hasStates: withStates.contains($0)) }
    }
}
