import Encoders
import Foundation
package import Latent
import State
import TensorCore

/// The compute task that trains an encoder without labels, in slices of some milliseconds, and writes its folder.
struct PretrainingTask: ComputeTask {
    struct Output: Sendable {
        var files: [BundleFile]
        var history: [Pretrainer.Epoch]
        var bestEpoch: Int
        var images: Int, validationImages: Int
        var steps: Int
        /// Spent computing, without the time others had the thread.
        var seconds: Double
        var imagesPerSecond: Double
    }

    private let staging: URL
    private let progress: ProgressHandler
    private let trainer: Pretrainer
    private var busy = Duration.zero

    init(_ settings: Pretraining, _ images: PixelSet, staging: URL, progress: @escaping ProgressHandler) throws {
        (self.staging, self.progress) = (staging, progress)
        trainer = try Pretrainer(settings, images)
    }

    mutating func step() throws -> Output? {
        let start = ContinuousClock.now
        do {
            while !trainer.isFinished, ContinuousClock.now - start < HeadTraining.slice { try trainer.advance() }
        } catch let error as LatentError {
            throw WorkbenchError(error)
        }
        busy += ContinuousClock.now - start
        var metrics = trainer.lastTerms
        metrics["epoch"] = Double(trainer.epoch)
        for (name, value) in trainer.history.last?.validation ?? [:] { metrics["validation_\(name)"] = value }
        progress(
            JobProgress(
                .training, done: trainer.isFinished ? trainer.totalSteps : trainer.step, total: trainer.totalSteps, unit: "steps",
                metrics: metrics))
        return trainer.isFinished ? try finish() : nil
    }

    private func finish() throws -> Output {
        let files = try trainer.files()
        var written: [BundleFile] = []
        for (name, data) in files.sorted(by: { $0.key < $1.key }) {
            try data.write(to: staging.appending(path: name))
            written.append(BundleFile(path: name, bytes: data.count, sha256: SHA256Digest(of: data).hex))
        }
        let seconds = busy / .seconds(1)
        return Output(
            files: written, history: trainer.history, bestEpoch: trainer.bestEpoch, images: trainer.trainedImages,
            validationImages: trainer.validationImages, steps: trainer.step, seconds: seconds,
            imagesPerSecond: seconds > 0 ? Double(trainer.step * trainer.imagesPerStep) / seconds : 0)
    }
}

extension WorkbenchError {
    package init(_ error: LatentError) {
        let code: Code =
            switch error.code {
            case .invalidArgument, .notFinite, .collapsed: .invalidArgument
            case .invalidData: .invalidData
            case .notFound: .notFound
            case .limitExceeded: .limitExceeded
            case .unsupported: .unsupported
            case .corrupt: .corrupt
            }
        var details = error.details
        if [.notFinite, .collapsed].contains(error.code) { details["reason"] = error.code.rawValue }
        self.init(code, error.message, details: details, cause: error)
    }
}
