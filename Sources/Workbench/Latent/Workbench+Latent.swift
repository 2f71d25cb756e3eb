package import Encoders
import Foundation
import Images
package import Latent
import Scheduling
import State

/// What a client asks in a latent space, before its images are decoded.
package struct LatentRequest: Sendable {
    package var encoder: String
    package var verb: LatentVerb
    package var inputs: [EncoderInput]
    /// One for each input, or none.
    package var labels: [String]
    package var codes: [Float]
    package var codeWidth: Int
    package var fill: @Sendable (inout LatentTask) -> Void

    /// - Parameter fill: sets what else the task has.
    package init(
        encoder: String, verb: LatentVerb, inputs: [EncoderInput] = [], labels: [String] = [], codes: [Float] = [], codeWidth: Int = 0,
        fill: @escaping @Sendable (inout LatentTask) -> Void = { _ in }
    ) {
        (self.encoder, self.verb, self.inputs, self.labels) = (encoder, verb, inputs, labels)
        (self.codes, self.codeWidth, self.fill) = (codes, codeWidth, fill)
    }
}

extension Workbench {
    /// Does a verb with an encoder that was trained here.
    ///
    /// - Throws: `WorkbenchError`: `notFound`, `unsupported` for an encoder without a decoder, `invalidArgument` for a code of another width.
    package func latent(_ request: LatentRequest) async throws -> LatentOutcome {
        // Its files are verified when it is loaded.
        let loaded = try await encoders.encoder(named: request.encoder), folder = registry.folder(of: loaded.record)
        do {
            let model = try await Workbench.offPool { try LatentModel(folder: folder) }
            let configuration = model.configuration
            let (images, notes, rows) = try await decoded(request.inputs, side: configuration.side, channels: configuration.channels)
            var task = LatentTask(request.verb, images: images)
            task.names = rows.map { row in
                if case .image(let file) = request.inputs[row] { file.name } else { "row \(row + 1)" }
            }
            task.labels = request.labels.isEmpty ? [] : rows.map { request.labels[$0] }
            (task.codes, task.codeWidth) = (request.codes, request.codeWidth)
            request.fill(&task)
            let final = task
            var outcome = try await compute.perform(.bulk) {
                try LatentStudio(model, directions: DirectionFile(folder: folder)).run(final)
            }
            // The note on resized images is in both.
            outcome.notes = notes + outcome.notes.filter { !notes.contains($0) }
            return outcome
        } catch let error as LatentError {
            throw WorkbenchError(error)
        }
    }
}
