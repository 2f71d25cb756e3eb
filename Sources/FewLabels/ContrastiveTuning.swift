import Checkpoints
import TensorCore
package import Training

/// Tunes an encoder's top layers so that rows of the same class come near each other and others apart: the first half of SetFit
/// (Tunstall et al. 2022). The loss of a pair is `(cos(u, v) − s)²`, s being 1 for the same class and 0 otherwise; AdamW with a tenth of
/// the steps to warm up, then straight to 0; gradients clipped to a norm of 1, as sentence-transformers does.
package final class ContrastiveTuning {
    package struct Settings: Sendable {
        /// Pairs of each kind for each row, in all epochs together.
        package var iterations = 20
        package var batchSize = 16
        package var learningRate = 2e-5
        package var weightDecay = 0.01
        package var seed: UInt64 = 0

        package init() {}
    }

    private let body: any TrainableBody
    private let settings: Settings
    private var pairs: PairStream
    private var optimiser: AdamW
    private let leaves: [Tensor]
    private let schedule: Schedule
    private static let clipping = GradientClipping.norm(largest: 1)
    package let totalSteps: Int
    package private(set) var step = 0
    package var isFinished: Bool { step == totalSteps }

    /// - Parameter body: its data set 0 are the rows that `classes` are of.
    package init(_ body: any TrainableBody, classes: [Int32], settings: Settings) {
        self.body = body
        self.settings = settings
        pairs = PairStream(classes, seed: settings.seed)
        let parameters = body.parameters.map(\.parameter)
        leaves = parameters.map(\.value)
        optimiser = AdamW(parameters, weightDecay: Float(settings.weightDecay))
        // Shifts and scales do not decay.
        optimiser.assign(ParameterGroup(weightDecay: 0)) { $0.name.hasSuffix("bias") || $0.name.contains("LayerNorm") }
        let count = 2 * settings.iterations * classes.count
        totalSteps = max(1, (count + settings.batchSize - 1) / settings.batchSize)
        schedule = .linear(warmup: totalSteps / 10, total: totalSteps)
    }

    /// A step. Its loss.
    ///
    /// - Throws: `TrainingError.notFinite`.
    @discardableResult
    package func advance() throws -> Float {
        let batch = (0..<settings.batchSize).map { _ in pairs.next() }
        // Each row once, in whatever pairs it is: a third of the encoder's work is saved.
        var places: [Int: Int32] = [:], rows: [Int] = []
        func place(_ row: Int) -> Int32 {
            if let known = places[row] { return known }
            let new = Int32(rows.count)
            places[row] = new
            rows.append(row)
            return new
        }
        let first = batch.map { place($0.first) }, second = batch.map { place($0.second) }
        let features = try body.features([JointRows(dataset: 0, rows: rows)], dropoutSeed: nil)
        let cosines = CosineSimilarity()(Embedding(first)(features), Embedding(second)(features))
        let loss = MeanSquaredError()(cosines, Tensor(batch.map { $0.isSame ? 1 : 0 }, [batch.count]))
        guard loss.scalar.isFinite else { throw stop("the loss is \(loss.scalar)", tensor: "loss") }
        let gradients = loss.gradients(for: leaves)
        let (clipped, norm) = Self.clipping(gradients)
        guard norm?.isFinite ?? true else { throw stop("the gradients' norm is \(norm ?? .nan)", tensor: "gradients") }
        step += 1
        optimiser.step(clipped, learningRate: schedule.rate(step, base: settings.learningRate))
        return loss.scalar
    }

    private func stop(_ what: String, tensor: String) -> TrainingError {
        TrainingError(
            .notFinite, "Tuning on pairs diverged at step \(step + 1): \(what). Try a lower learning rate than \(settings.learningRate).",
            step: step + 1, tensor: tensor)
    }
}
