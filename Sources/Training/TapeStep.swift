import Checkpoints
import TensorCore

/// The step of any network with any optimiser: forward, the tape's gradients, clipping, the optimiser.
final class TapeStep: TrainingStep {
    private let network: any Network
    private let features: FeatureTable
    private let targets: Targets
    private let objective: Objective
    private let settings: TrainingSettings
    private let clipping: [GradientClipping]
    private let leaves: [Tensor]
    private var optimiser: any Optimiser
    private var accumulation = GradientAccumulation()

    init(
        _ network: any Network, features: FeatureTable, targets: Targets, objective: Objective,
        settings: TrainingSettings, optimiser: any Optimiser
    ) {
        self.network = network
        self.features = features
        self.targets = targets
        self.objective = objective
        self.settings = settings
        self.optimiser = optimiser
        clipping =
            (settings.clipValue.map { [.value(largest: Float($0))] } ?? [])
            + (settings.clipNorm.map { [.norm(largest: $0)] } ?? [])
        leaves = network.parameters.map(\.value)
    }

    func take(_ rows: ArraySlice<Int>, step: Int, learningRate: Float) throws -> Float {
        var (loss, gradients) = try slopes(rows, step)
        for clip in clipping { gradients = clip(gradients).gradients }
        optimiser.step(gradients, learningRate: learningRate)
        return loss
    }

    var optimiserState: OptimiserState { optimiser.state }
    func restore(_ state: OptimiserState) throws { try optimiser.restore(state) }

    /// Mean loss and gradients of the step's rows, all of them finite.
    private func slopes(_ rows: ArraySlice<Int>, _ step: Int) throws -> (Float, [Tensor]) {
        var total = 0.0, gradients: [Tensor] = []
        for part in 0..<settings.accumulation {
            let start = rows.startIndex + part * settings.batchSize
            if start >= rows.endIndex { break }
            let batch = rows[start..<min(start + settings.batchSize, rows.endIndex)]
            let seed = settings.seed &+ UInt64(step &* settings.accumulation &+ part) &* 0x9e37_79b9
            let outputs = try network(features.batch(batch), dropoutSeed: seed)
            let loss = network.loss(outputs, targets.selecting(batch), or: objective)
            guard loss.scalar.isFinite else { throw Divergence.loss(loss.scalar, of: batch) }
            gradients = loss.gradients(for: leaves)
            if let bad = FiniteCheck.firstBad(gradients) {
                throw Divergence.gradient(parameter: bad.tensor, element: bad.element, value: bad.value)
            }
            if settings.accumulation == 1 { return (loss.scalar, gradients) }
            accumulation.add(gradients, rows: batch.count)
            total += Double(loss.scalar) * Double(batch.count)
        }
        return (Float(total / Double(rows.count)), accumulation.take())
    }
}
