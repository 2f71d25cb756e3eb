import Checkpoints
package import Foundation
import TensorCore

extension JointState {
    private static let key = "joint_training"

    /// As a safetensors file. The same state gives the same bytes.
    package func encoded() throws -> Data { try SafetensorsWriter.encode(tensors, metadata: [Self.key: facts]) }

    /// - Throws: `CheckpointError`: the file is damaged; `TrainingError.stateMismatch`: it is something else.
    package init(file url: URL) throws {
        let file = try Safetensors(url)
        guard let facts = file.metadata[Self.key] else {
            throw TrainingError(.stateMismatch, "\(url.path) is not the state of a joint training.")
        }
        self.init(
            tensors: Dictionary(uniqueKeysWithValues: try file.names.map { ($0, try file.tensor($0)) }), facts: facts)
    }

    /// Facts as JSON; infinite scores too.
    static func encode(_ facts: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(facts), as: UTF8.self)
    }

    func decode<Facts: Decodable>(_ type: Facts.Type) throws -> Facts {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            return try decoder.decode(type, from: Data(facts.utf8))
        } catch {
            throw Self.mismatch("its facts cannot be read: \(error)")
        }
    }

    static func mismatch(_ what: String) -> TrainingError {
        TrainingError(
            .stateMismatch, "The saved training state does not fit this session: \(what). Resume with the data and the settings it was started with.")
    }

    // MARK: Tensors by name

    /// Copies, so that later steps do not change them.
    mutating func store(_ tensors: [Tensor], _ prefix: String, _ names: [String]) {
        for (tensor, name) in zip(tensors, names) { self.tensors["\(prefix)/\(name)"] = Tensor(tensor.values, tensor.shape) }
    }

    mutating func store(_ optimiser: OptimiserState, _ prefix: String) {
        for (name, tensor) in optimiser.tensors { tensors["\(prefix)/\(name)"] = tensor }
    }

    /// Looks tensors of these shapes up.
    func find(_ like: [Tensor], _ prefix: String, _ names: [String]) throws -> [Tensor] {
        try zip(like, names).map { tensor, name in
            guard let found = tensors["\(prefix)/\(name)"] else { throw Self.mismatch("\"\(prefix)/\(name)\" is missing") }
            guard found.shape == tensor.shape else {
                throw Self.mismatch("\"\(prefix)/\(name)\" is \(found.shape), expected \(tensor.shape)")
            }
            return found
        }
    }

    func optimiser(_ name: String, steps: Int, _ prefix: String) -> OptimiserState {
        let start = "\(prefix)/"
        let own = tensors.filter { $0.key.hasPrefix(start) }.map { (String($0.key.dropFirst(start.count)), $0.value) }
        return OptimiserState(optimiser: name, steps: steps, tensors: Dictionary(uniqueKeysWithValues: own))
    }
}

extension Tensor {
    /// Takes another's numbers in place.
    func take(_ other: Tensor) { mutablePointer.update(from: other.contiguous().pointer, count: count) }
}
