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
    /// What holds the memory that the batch points into.
    private var optimiser: AdamW
    private let classWeights: Tensor?
    /// Where the optimiser has the two parameters.
    private let weight: Int, bias: Int
    private let batch: LinearBatch

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
        let outputs = layer.bias.value.count
        precondition(
            layer.weight.value.shape == [outputs, features.width]
                && objective.classWeights.map { $0.count == outputs } ?? true
                && classes.allSatisfy { $0 >= 0 && Int($0) < outputs },
            "linear step: features \(features.values.shape), weight \(layer.weight.value.shape), class weights or targets"
        )
        self.features = features
        self.classes = classes
        self.optimiser = optimiser
        (self.weight, self.bias) = (weight, bias)
        classWeights = objective.classWeights.map { Tensor($0, [outputs]) }
        var loss = ck_cross_entropy()
        loss.classes = outputs
        loss.class_weights = classWeights?.pointer
        loss.weight_sum = objective.classWeights?.reduce(0, +) ?? Float(outputs)
        loss.smoothing = objective.smoothing
        batch = LinearBatch(
            rows: min(settings.batchSize, features.rows), width: features.width, loss: loss,
            weight: LinearBatch.Learnt(optimiser.memory, weight), bias: LinearBatch.Learnt(optimiser.memory, bias))
    }

    deinit { batch.deallocate() }

    /// Whether no sum of slopes times features can overflow: no feature is beyond 2e19 then, no slope beyond 1e13.
    private static func keepsGradientsFinite(_ features: FeatureTable, _ classWeights: [Float]?) -> Bool {
        let values = features.values
        return ck_dot_f32(values.count, values.pointer, values.pointer).isFinite
            && classWeights?.allSatisfy { $0 == 0 || (1e-6...1e6).contains($0) } ?? true
    }

    func take(_ rows: ArraySlice<Int>, step: Int, learningRate: Float) throws -> Float {
        let table = features.values.pointer, width = features.width, count = rows.count
        var divisor = classWeights == nil ? Double(count) : 0, index = 0
        for row in rows {
            batch.rows[index] = table + row * width
            batch.targets[index] = classes[row]
            if let classWeights { divisor += Double(classWeights.pointer[Int(classes[row])]) }
            index += 1
        }
        let outputs = batch.loss.classes, threads = WorkerPool.shared.threads
        let parts = max(1, min(threads, outputs, count * width * outputs / 150_000))
        let columns = max(1, min(threads, count / 16))
        run(.scores, count, parts)
        run(.slopes(scale: Float(1 / divisor)), count, columns)
        var total = 0.0
        for index in 0..<count { total += Double(batch.losses[index]) }
        let loss = Float(total / divisor)
        guard loss.isFinite else { throw Divergence.loss(loss, of: rows) }
        optimiser.memory.steps += 1
        run(.change(optimiser.factors(weight, learningRate), bias: optimiser.factors(bias, learningRate)), count, parts)
        return loss
    }

    var optimiserState: OptimiserState { optimiser.state }

    /// In place: the batch points to the moments.
    func restore(_ state: OptimiserState) throws {
        var other = optimiser
        try other.restore(state)
        for (own, saved) in zip(optimiser.memory.slots, other.memory.slots) {
            for (tensor, value) in zip(own, saved) { tensor.take(value) }
        }
        optimiser.memory.steps = state.steps
    }

    private func run(_ kind: LinearPass.Kind, _ rows: Int, _ parts: Int) {
        WorkerPool.shared.parallel(parts, LinearPass(batch: batch, kind: kind, rows: rows, parts: parts))
    }
}

/// A batch of a linear layer: pointers alone, because to count references to what two threads share would cost them more than
/// what they compute.
private struct LinearBatch {
    /// A parameter with its moments.
    struct Learnt {
        let value: UnsafeMutablePointer<Float>, first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>

        init(_ memory: OptimiserMemory, _ index: Int) {
            (value, first, second) = (memory.value(index), memory.slot(0, index), memory.slot(1, index))
        }
    }

    let width: Int
    /// Columns of the scores, a multiple of 16.
    let stride: Int
    let loss: ck_cross_entropy
    /// `[outputs, width]` and `[outputs]`
    let weight: Learnt, bias: Learnt
    /// Rows of the table and their targets.
    let rows: UnsafeMutablePointer<UnsafePointer<Float>?>
    let targets: UnsafeMutablePointer<Int32>
    let losses: UnsafeMutablePointer<Float>
    /// `[outputs, stride]`: scores, then the loss's slopes; and the sums of the slopes.
    let scores: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>

    init(rows count: Int, width: Int, loss: ck_cross_entropy, weight: Learnt, bias: Learnt) {
        (self.width, self.loss, self.weight, self.bias) = (width, loss, weight, bias)
        stride = (count + 15) / 16 * 16
        rows = .allocate(capacity: stride)
        targets = .allocate(capacity: stride)
        losses = .allocate(capacity: stride)
        scores = .allocate(capacity: loss.classes * stride)
        sums = .allocate(capacity: loss.classes)
        rows.initialize(repeating: nil, count: stride)
        targets.initialize(repeating: 0, count: stride)
        losses.initialize(repeating: 0, count: stride)
        scores.initialize(repeating: 0, count: loss.classes * stride)
        sums.initialize(repeating: 0, count: loss.classes)
    }

    func deallocate() {
        rows.deallocate()
        targets.deallocate()
        losses.deallocate()
        scores.deallocate()
        sums.deallocate()
    }
}

/// One of the passes of a step over the first `rows` of a batch.
private struct LinearPass: PartedWork {
    enum Kind {
        /// Scores of a part of the outputs.
        case scores
        /// Losses of a part of the rows, and in their scores' place the slopes times `scale`.
        case slopes(scale: Float)
        /// The change of a part of the outputs' weights and biases.
        case change(ck_adamw, bias: ck_adamw)
    }

    let batch: LinearBatch
    let kind: Kind
    let rows: Int
    let parts: Int

    func run(_ part: Int) {
        var x = ck_rows(count: rows, width: batch.width, row: batch.rows)
        let own = range(batch.loss.classes, part), first = own.lowerBound
        let weights = first * batch.width, scores = batch.scores + first * batch.stride
        switch kind {
        case .scores:
            ck_row_scores_f32(
                &x, own.count, batch.weight.value + weights, batch.bias.value + first, scores, batch.stride)
        case .slopes(let scale):
            let columns = range((rows + 15) / 16, part), row = columns.lowerBound * 16
            var loss = batch.loss
            loss.scale = scale
            ck_cross_entropy_columns_f32(
                &loss, min(columns.upperBound * 16, rows) - row, batch.targets + row, batch.scores + row, batch.stride,
                batch.losses + row)
        case .change(var factors, var biasFactors):
            ck_row_adamw_f32(
                &x, &factors, own.count, scores, batch.stride, batch.weight.value + weights,
                batch.weight.first + weights, batch.weight.second + weights)
            for output in own { batch.sums[output] = ck_sum_f32(rows, batch.scores + output * batch.stride) }
            ck_adamw_f32(
                &biasFactors, own.count, batch.bias.value + first, batch.sums + first, batch.bias.first + first,
                batch.bias.second + first)
        }
    }

    private func range(_ count: Int, _ part: Int) -> Range<Int> {
        count * part / parts..<count * (part + 1) / parts
    }
}
