import CKernels
import Checkpoints
import TensorCore

/// The step of a linear layer under softmax cross-entropy and AdamW, fused.
///
/// Each thread has outputs of its own, whose weights and moments stay in its core's cache. Rows are read where they lie in the
/// table, and a tile of the weights' gradient becomes their change while it is in registers. Three passes, because the softmax
/// needs all outputs of a row: scores, the loss and its slopes, weights. Parameters and moments stay where the optimiser has
/// them. Nothing is allocated after `init`, and no number depends on how many threads there are.
final class LinearStep: TrainingStep {
    private let features: FeatureTable
    private let classes: [Int32]
    private let objective: Objective
    private var optimiser: AdamW
    /// Where the optimiser has the two parameters.
    private let weight: Int, bias: Int
    private let outputs: Int
    /// Rows that there is room for, a multiple of 16.
    private let room: Int
    /// The batch's rows and targets, and `[outputs, room]` scores or their slopes.
    private let rows: UnsafeMutablePointer<UnsafePointer<Float>?>
    private let targets: UnsafeMutablePointer<Int32>
    private let losses: UnsafeMutablePointer<Float>
    private let biasSlopes: UnsafeMutablePointer<Float>
    private let scores: Tensor
    private let classWeights: Tensor?

    /// nil when something asks for the tape: another network, task or optimiser, clipped or accumulated gradients, or numbers so
    /// large that a gradient could be infinite while the loss is not, which would not be noticed here.
    init?(
        _ network: any Network, features: FeatureTable, targets: Targets, objective: Objective,
        settings: TrainingSettings, optimiser: any Optimiser
    ) {
        guard let layer = network.linearLayer, case .classes(let classes) = targets,
            let optimiser = optimiser as? AdamW, !optimiser.amsgrad,
            settings.clipNorm == nil, settings.clipValue == nil, settings.accumulation == 1,
            let weight = optimiser.parameters.firstIndex(where: { $0 === layer.weight }),
            let bias = optimiser.parameters.firstIndex(where: { $0 === layer.bias }),
            Self.keepsGradientsFinite(features, objective.classWeights)
        else { return nil }
        outputs = layer.bias.value.count
        let outputs = outputs
        precondition(
            layer.weight.value.shape == [outputs, features.width]
                && objective.classWeights.map { $0.count == outputs } ?? true
                && classes.allSatisfy { $0 >= 0 && Int($0) < outputs },
            "linear step: features \(features.values.shape), weight \(layer.weight.value.shape), class weights or targets"
        )
        self.features = features
        self.classes = classes
        self.objective = objective
        self.optimiser = optimiser
        (self.weight, self.bias) = (weight, bias)
        room = (min(settings.batchSize, features.rows) + 15) / 16 * 16
        rows = .allocate(capacity: room)
        self.targets = .allocate(capacity: room)
        losses = .allocate(capacity: room)
        biasSlopes = .allocate(capacity: outputs)
        rows.initialize(repeating: nil, count: room)
        self.targets.initialize(repeating: 0, count: room)
        losses.initialize(repeating: 0, count: room)
        biasSlopes.initialize(repeating: 0, count: outputs)
        scores = Tensor(repeating: 0, [outputs, room])
        classWeights = objective.classWeights.map { Tensor($0, [outputs]) }
    }

    deinit {
        rows.deallocate()
        targets.deallocate()
        losses.deallocate()
        biasSlopes.deallocate()
    }

    /// Whether no sum of slopes times features can overflow: no feature is beyond 2e19 then, no slope beyond 1e13.
    private static func keepsGradientsFinite(_ features: FeatureTable, _ classWeights: [Float]?) -> Bool {
        let values = features.values
        return ck_dot_f32(values.count, values.pointer, values.pointer).isFinite
            && classWeights?.allSatisfy { $0 == 0 || (1e-6...1e6).contains($0) } ?? true
    }

    func take(_ batch: ArraySlice<Int>, step: Int, learningRate: Float) throws -> Float {
        let table = features.values.pointer, width = features.width, count = batch.count
        var divisor = classWeights == nil ? Double(count) : 0, index = 0
        for row in batch {
            rows[index] = table + row * width
            targets[index] = classes[row]
            if let classWeights { divisor += Double(classWeights.pointer[Int(classes[row])]) }
            index += 1
        }
        let threads = WorkerPool.shared.threads
        let parts = max(1, min(threads, outputs, count * width * outputs / 150_000))
        WorkerPool.shared.parallel(parts, Pass(step: self, kind: .scores, parts: parts, rows: count))
        let columns = max(1, min(threads, count / 16))
        let slopes = Pass.Kind.slopes(scale: Float(1 / divisor))
        WorkerPool.shared.parallel(columns, Pass(step: self, kind: slopes, parts: columns, rows: count))
        var total = 0.0
        for index in 0..<count { total += Double(losses[index]) }
        let loss = Float(total / divisor)
        guard loss.isFinite else { throw Divergence.loss(loss, of: batch) }
        optimiser.memory.steps += 1
        let change = Pass.Kind.weights(
            weight: optimiser.factors(weight, learningRate), bias: optimiser.factors(bias, learningRate))
        WorkerPool.shared.parallel(parts, Pass(step: self, kind: change, parts: parts, rows: count))
        return loss
    }

    /// One of the passes of a step.
    private struct Pass: PartedWork {
        enum Kind {
            case scores
            /// `scale`: what the mean multiplies each row's slopes by.
            case slopes(scale: Float)
            case weights(weight: ck_adamw, bias: ck_adamw)
        }

        unowned(unsafe) let step: LinearStep
        let kind: Kind
        let parts: Int
        let rows: Int

        func run(_ part: Int) {
            switch kind {
            case .scores: step.score(range(step.outputs, part), rows)
            case .slopes(let scale):
                let columns = range((rows + 15) / 16, part)
                step.differentiate(columns.lowerBound * 16..<min(columns.upperBound * 16, rows), scale)
            case .weights(let weight, let bias): step.change(range(step.outputs, part), rows, weight, bias)
            }
        }

        private func range(_ count: Int, _ part: Int) -> Range<Int> {
            count * part / parts..<count * (part + 1) / parts
        }
    }

    /// Scores of the outputs `own`.
    private func score(_ own: Range<Int>, _ count: Int) {
        var x = ck_rows(count: count, width: features.width, row: rows)
        ck_row_scores_f32(
            &x, own.count, optimiser.memory.value(weight) + own.lowerBound * features.width,
            optimiser.memory.value(bias) + own.lowerBound, scores.mutablePointer + own.lowerBound * room, room)
    }

    /// Losses of the rows `own` of the batch, and slopes in their scores' place.
    private func differentiate(_ own: Range<Int>, _ scale: Float) {
        var loss = ck_cross_entropy(
            classes: outputs, class_weights: classWeights?.pointer,
            weight_sum: objective.classWeights?.reduce(0, +) ?? Float(outputs), smoothing: objective.smoothing, scale: scale)
        ck_cross_entropy_columns_f32(
            &loss, own.count, targets + own.lowerBound, scores.mutablePointer + own.lowerBound, room, losses + own.lowerBound)
    }

    /// Changes weights and biases of the outputs `own`.
    private func change(_ own: Range<Int>, _ count: Int, _ factors: ck_adamw, _ biasFactors: ck_adamw) {
        let memory = optimiser.memory, first = own.lowerBound, start = first * features.width
        var x = ck_rows(count: count, width: features.width, row: rows), factors = factors, biasFactors = biasFactors
        ck_row_adamw_f32(
            &x, &factors, own.count, scores.pointer + first * room, room, memory.value(weight) + start,
            memory.slot(0, weight) + start, memory.slot(1, weight) + start)
        let slopes = biasSlopes + first
        for output in own {
            biasSlopes[output] = ck_sum_f32(count, scores.pointer + output * room)
        }
        ck_adamw_f32(
            &biasFactors, own.count, memory.value(bias) + first, slopes, memory.slot(0, bias) + first,
            memory.slot(1, bias) + first)
    }
}
