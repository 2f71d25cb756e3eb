import Checkpoints
import Foundation
import State
import TensorCore
import Training

/// Where an attachment lives in the run's folder: `attachment.json`, `graph.onnx` for a graph, and `state.safetensors`, which each
/// written step replaces by renaming.
struct AttachmentFolder: Sendable {
    let url: URL

    private var descriptionFile: URL { url.appending(path: "attachment.json") }
    private var graphFile: URL { url.appending(path: "graph.onnx") }
    private var stateFile: URL { url.appending(path: "state.safetensors") }

    func write(_ description: AttachmentDescription, graph: Data?) throws {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            try graph?.write(to: graphFile)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try encoder.encode(description).write(to: descriptionFile, options: .atomic)
        } catch {
            throw WorkbenchError.wrapping(error, while: "writing an attached head", at: url)
        }
    }

    /// - Throws: `notFound` when the run is no attachment, or was detached; `corrupt`, `unsupported`.
    func read(run: String) throws -> (description: AttachmentDescription, graph: Data?) {
        guard let bytes = FileManager.default.contents(atPath: descriptionFile.path) else {
            throw Self.notAttached(run)
        }
        let description: AttachmentDescription
        do { description = try JSONDecoder().decode(AttachmentDescription.self, from: bytes) } catch {
            throw WorkbenchError(.corrupt, "The description of run '\(run)' cannot be read. Attach a new head.", cause: error)
        }
        guard description.format == 1 else {
            throw WorkbenchError(.unsupported, "Run '\(run)' was written by a newer version of Hidra. Update it.")
        }
        return (description, FileManager.default.contents(atPath: graphFile.path))
    }

    /// Takes the place of the state before, whole or not at all. Not synced to the disk: it survives the daemon, and not a power cut.
    func write(state: Data) throws {
        let next = url.appending(path: "state.next")
        do {
            try state.write(to: next)
            guard rename(next.path, stateFile.path) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        } catch {
            throw WorkbenchError.wrapping(error, while: "writing the state of an attached head", at: url)
        }
    }

    static func notAttached(_ run: String) -> WorkbenchError {
        WorkbenchError(
            .notFound, "Run '\(run)' is not an attached head that could go on. Attach a new one.", details: ["name": run])
    }

    func readState() throws -> AttachmentState { try AttachmentState(stateFile) }

    func remove() throws { try FileManager.default.removeItem(at: url) }
}

/// A state of `VerbTraining` as a safetensors file.
struct AttachmentState {
    let tensors: [String: Tensor]
    let optimiser: String
    let steps: Int, sequence: UInt64

    static func encode(_ training: VerbTraining, sequence: UInt64) throws -> Data {
        let (tensors, optimiser, steps) = training.state
        return try SafetensorsWriter.encode(
            tensors,
            metadata: ["format": "hidra-state-1", "optimiser": optimiser, "steps": String(steps), "sequence": String(sequence)])
    }

    /// - Throws: `invalidArgument` for a file that is none.
    init(_ url: URL) throws {
        do {
            let file = try Safetensors(url)
            guard file.metadata["format"] == "hidra-state-1", let optimiser = file.metadata["optimiser"],
                let steps = file.metadata["steps"].flatMap({ Int($0) }), steps >= 0,
                let sequence = file.metadata["sequence"].flatMap({ UInt64($0) })
            else {
                throw WorkbenchError(.invalidArgument, "That is no state of a head. Give what `save_state` returned.")
            }
            // Copies: the file may be gone while they are in use.
            tensors = try Dictionary(
                uniqueKeysWithValues: file.names.map { name in
                    let tensor = try file.tensor(name)
                    return (name, Tensor(tensor.values, tensor.shape))
                })
            (self.optimiser, self.steps, self.sequence) = (optimiser, steps, sequence)
        } catch let error as CheckpointError {
            throw WorkbenchError(.invalidArgument, "The state cannot be read: it \(error.message).", cause: error)
        }
    }
}
