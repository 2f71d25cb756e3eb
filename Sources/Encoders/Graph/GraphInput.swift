import Checkpoints
import Foundation
import Graphs
import Images
import TensorCore
import Tokenizers

/// How texts or images become the inputs of an encoder's graph, and its tensors one vector.
struct GraphInput: Sendable {
    private enum Source: Sendable {
        case text(Tokenizer, lowercases: Bool)
        case image(ImagePreprocessing, name: String)
    }

    private let source: Source
    private let ports: [GraphReport.Port]
    let maxTokens: Int
    let pooling: Pooling
    let preprocessingName: String

    private static let textInputs: Set = ["input_ids", "attention_mask", "token_type_ids"]
    /// Where nothing says how long a text may be.
    private static let defaultMaxTokens = 512

    /// - Throws: `CheckpointError` when the graph's inputs are not those of a text or an image encoder.
    init(folder: URL, ports: [GraphReport.Port]) throws {
        func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: folder.appending(path: file).path) }
        self.ports = ports
        let names = ports.map(\.name)
        if has("tokenizer.json") {
            guard names.contains("input_ids"), Set(names).isSubset(of: Self.textInputs),
                ports.allSatisfy({ $0.type == .int64 || $0.type == .int32 })
            else {
                throw CheckpointError(
                    .invalidConfiguration,
                    "model.onnx takes \(names.joined(separator: ", ")); a text encoder takes integers input_ids, and may take "
                        + "attention_mask and token_type_ids", file: folder.path)
            }
            let limits = try SentenceLimits(folder: folder)
            source = .text(try Tokenizer.load(folder.appending(path: "tokenizer.json")), lowercases: limits.lowercases)
            maxTokens = limits.maxTokens ?? Self.defaultMaxTokens
            pooling = try Pooling(folder: folder)
            preprocessingName = String(maxTokens)
        } else if has("preprocessor_config.json") {
            guard let port = ports.first, ports.count == 1, port.type == .float32 else {
                throw CheckpointError(
                    .invalidConfiguration,
                    "model.onnx takes \(names.joined(separator: ", ")); an image encoder takes one float32 input "
                        + "[batch, 3, height, width]", file: folder.path)
            }
            let preprocessing = try ImagePreprocessing(
                processor: Data(contentsOf: folder.appending(path: "preprocessor_config.json")))
            source = .image(preprocessing, name: port.name)
            maxTokens = 0
            pooling = Pooling(mode: .mean, normalise: false)
            preprocessingName = preprocessing.description
        } else {
            throw CheckpointError(
                .unreadable, "beside model.onnx there is neither tokenizer.json nor preprocessor_config.json",
                file: folder.path)
        }
    }

    var modality: Modality {
        switch source {
        case .text: .text
        case .image: .image
        }
    }

    func prepare(_ input: EncoderInput) throws -> PreparedInput.Content {
        switch (source, input) {
        case (.text(let tokenizer, let lowercases), .text(let text)):
            let encoding = tokenizer.encode(lowercases ? text.lowercased() : text, maxLength: maxTokens)
            return .tokens(TokenizedText(ids: encoding.ids, typeIDs: encoding.typeIDs, truncated: encoding.truncated))
        case (.image(let preprocessing, _), .image(let file)):
            return .pixels(preprocessing.channelsFirst(try RGBImage(decoding: file.read())))
        default: throw ModalityError(expected: modality, got: input.modality)
        }
    }

    /// The graph's inputs for one prepared input, as a batch of one.
    func values(_ content: PreparedInput.Content) throws -> [String: GraphValue] {
        switch (source, content) {
        case (.image(let preprocessing, let name), .pixels(let pixels)):
            let size = preprocessing.outputSize
            return [name: GraphValue(Tensor(pixels, [1, 3, size.height, size.width]))]
        case (.text, .tokens(let text)):
            var values: [String: GraphValue] = [:]
            for port in ports {
                let numbers: [Int64] =
                    switch port.name {
                    case "input_ids": text.ids.map(Int64.init)
                    case "token_type_ids": text.typeIDs.map(Int64.init)
                    default: [Int64](repeating: 1, count: text.count)
                    }
                let bytes =
                    port.type == .int32
                    ? numbers.map { Int32(truncatingIfNeeded: $0).littleEndian }.withUnsafeBytes { Data($0) }
                    : numbers.map(\.littleEndian).withUnsafeBytes { Data($0) }
                values[port.name] = try GraphValue(type: port.type ?? .int64, shape: [1, text.count], bytes: bytes)
            }
            return values
        default: preconditionFailure("an input prepared by another encoder")
        }
    }

    /// Inputs that show which tensors follow the input's length. The last is as long as a text may be: a graph that cannot take it is
    /// found out when it is loaded.
    var probes: [PreparedInput.Content] {
        switch source {
        case .text:
            return Set([3, 5, maxTokens]).sorted().map { length in
                .tokens(
                    TokenizedText(
                        ids: [Int32](repeating: 1, count: length), typeIDs: [Int32](repeating: 0, count: length),
                        truncated: 0))
            }
        case .image(let preprocessing, _):
            return [
                .pixels(
                    [Float](repeating: 0, count: 3 * preprocessing.outputSize.height * preprocessing.outputSize.width))
            ]
        }
    }

    /// Width of the vector that `pool` makes of a tensor of this shape in the probe `index`; nil when it makes none.
    func width(_ shape: [Int], of index: Int) -> Int? {
        guard shape.count >= 2, shape[0] == 1, shape.allSatisfy({ $0 > 0 }) else { return nil }
        switch (modality, shape.count) {
        case (_, 2): return shape[1]
        case (.text, 3):
            guard case .tokens(let text) = probes[index] else { return nil }
            return shape[1] == text.count ? shape[2] : nil
        case (.image, 3): return shape[2]
        case (.image, 4): return shape[1]
        default: return nil
        }
    }

    /// One vector of a tensor: the mean, or the first, of a text's tokens; the mean over an image's positions.
    func pool(_ state: Tensor) -> Tensor? {
        switch (modality, state.rank) {
        case (_, 2): return state
        case (_, 3):
            let tokens = state.reshapedView([state.shape[1], state.shape[2]])
            return pooling(tokens, SequenceOffsets(lengths: [state.shape[1]]))
        case (.image, 4):
            let positions = state.reshapedView([state.shape[1], state.shape[2] * state.shape[3]]).permutedView([1, 0])
                .contiguous()
            return MeanPooling(SequenceOffsets(lengths: [positions.shape[0]]))(positions)
        default: return nil
        }
    }
}
