package import Encoders
import Foundation
import Images
package import Latent
import Scheduling
package import State

/// What a training without labels came to.
package struct PretrainingOutcome: Sendable {
    package let encoder: EncoderRecord
    package let history: [Pretrainer.Epoch]
    package let bestEpoch: Int
    package let images: Int, validationImages: Int
    package let steps: Int
    package let seconds: Double
    package let imagesPerSecond: Double
    package let notes: [String]

    /// Of the epoch that was kept, on the validation images.
    package var figures: [String: Double] { history.first { $0.number == bestEpoch }?.validation ?? [:] }
}

extension Workbench {
    /// Trains an encoder without labels and registers it.
    ///
    /// - Throws: `WorkbenchError`; `CancellationError` when the calling task is cancelled. Nothing is registered then.
    package func pretrain(
        _ settings: Pretraining, name: String, images inputs: [EncoderInput], progress: @escaping ProgressHandler = { _ in }
    ) async throws -> PretrainingOutcome {
        let begin = ContinuousClock.now
        try BundleName.validate(name)
        do { _ = try settings.network() } catch let error as LatentError { throw WorkbenchError(error) }
        try await requireFree(name)
        let (images, notes, _) = try await decoded(inputs, side: settings.side, channels: settings.channels, progress)
        for note in notes { progress(JobProgress(.decoding, done: inputs.count, total: inputs.count, unit: "images", note: note)) }
        let staging = try registry.directory.stage()
        do {
            let output = try await compute.run(.training) {
                do { return try PretrainingTask(settings, images, staging: staging, progress: progress) } catch let error as LatentError {
                    throw WorkbenchError(error)
                }
            }
            progress(JobProgress(.saving, unit: "files"))
            let (record, _) = try await registerEncoder(
                staged: staging, name: name, source: "pretrain:\(settings.kind.rawValue)", revision: "", licence: "", files: output.files)
            return PretrainingOutcome(
                encoder: record, history: output.history, bestEpoch: output.bestEpoch, images: output.images,
                validationImages: output.validationImages, steps: output.steps, seconds: (ContinuousClock.now - begin) / .seconds(1),
                imagesPerSecond: output.imagesPerSecond, notes: notes)
        } catch {
            if FileManager.default.fileExists(atPath: staging.path) {
                do { try FileManager.default.removeItem(at: staging) } catch let cleanup {
                    progress(JobProgress(.saving, note: "\(staging.path) could not be removed: \(cleanup.localizedDescription)"))
                }
            }
            throw error
        }
    }

    /// Asked before a training; `registerEncoder` decides in the end.
    private func requireFree(_ name: String) async throws {
        let encoders = try await registry.encoders().map(\.name), heads = try await registry.heads().map(\.name)
        guard encoders.contains(name) || heads.contains(name) else { return }
        throw WorkbenchError(
            .alreadyExists,
            "There is already \(encoders.contains(name) ? "an encoder" : "a head") '\(name)'. Choose another name, or remove it with "
                + "`hidra rm \(name)`.", details: ["name": name])
    }

    private static let listedProblems = 20

    /// Images in the model's size, without those that cannot be read; what the user should know of that; and the rows that were read.
    func decoded(
        _ inputs: [EncoderInput], side: Int, channels: Int, _ progress: @escaping ProgressHandler = { _ in }
    ) async throws -> (images: PixelSet, notes: [String], rows: [Int]) {
        try await Workbench.offPool {
            var set = PixelSet(side: side, channels: channels), problems: [String] = [], rows: [Int] = []
            do { try set.require(room: inputs.count) } catch let error as LatentError { throw WorkbenchError(error) }
            for (row, input) in inputs.enumerated() {
                guard case .image(let file) = input else {
                    throw WorkbenchError(.invalidArgument, "The column holds texts; images are needed.")
                }
                do {
                    set.append(try RGBImage(decoding: file.read()))
                    rows.append(row)
                } catch let error as ImageError {
                    problems.append("\(file.name): \(error.message)")
                }
                if row % 64 == 63 || row == inputs.count - 1 {
                    progress(JobProgress(.decoding, done: row + 1, total: inputs.count, unit: "images"))
                }
            }
            var notes = Array(problems.prefix(Self.listedProblems))
            if !problems.isEmpty { notes.append("\(problems.count) of \(inputs.count) images could not be read and were left out.") }
            if let note = set.note { notes.append(note) }
            guard set.count > 0 || inputs.isEmpty else {
                throw WorkbenchError(.invalidData, "None of the images could be read. The first: \(problems.first ?? "").")
            }
            return (set, notes, rows)
        }
    }
}
