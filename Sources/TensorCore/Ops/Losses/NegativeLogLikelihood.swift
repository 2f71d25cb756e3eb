/// `−w · log p[target]` of log-probabilities `[rows, classes]` or `[batch, classes, d1, …]`, one target for each position. Ignored
/// targets, class weights and the mean are those of `CrossEntropy`.
package struct NegativeLogLikelihood: DifferentiableOp {
    package static let name = "nll_loss"
    package let targets: [Int32]
    package let classWeights: [Float]?
    package let ignoreIndex: Int32?
    package let reduction: Reduction

    package init(
        targets: [Int32], classWeights: [Float]? = nil, ignoreIndex: Int32? = nil, reduction: Reduction = .mean
    ) {
        precondition(reduction != .batchMean, "nll_loss: there is no batch mean; use mean or sum")
        self.targets = targets
        self.classWeights = classWeights
        self.ignoreIndex = ignoreIndex
        self.reduction = reduction
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let layout = ClassLayout(Self.name, inputs[0].shape), classes = layout.classes
        precondition(
            layout.positions == targets.count && classWeights.map { $0.count == classes } ?? true,
            "nll_loss: log-probabilities \(inputs[0].shape), \(targets.count) targets, \(classWeights?.count ?? classes) weights"
        )
        let rows = layout.rows(inputs[0])
        let losses = Tensor(uninitialised: layout.shapeWithoutClasses)
        for (row, target) in targets.enumerated() {
            precondition(
                target == ignoreIndex || target >= 0 && Int(target) < classes,
                "nll_loss: target \(target) of \(classes) classes")
            losses.mutablePointer[row] =
                target == ignoreIndex ? 0 : -weight(target) * rows.pointer[row * classes + Int(target)]
        }
        return (reduction(losses, divisor: divisor), [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let layout = ClassLayout(Self.name, inputs[0].shape), classes = layout.classes
        let dx = Tensor(repeating: 0, [layout.positions, classes]), divisor = divisor
        for (row, target) in targets.enumerated() where target != ignoreIndex {
            dx.mutablePointer[row * classes + Int(target)] =
                -weight(target) * reduction.factor(gradient, row, divisor: divisor)
        }
        return [layout.restored(dx)]
    }

    private func weight(_ target: Int32) -> Float { classWeights?[Int(target)] ?? 1 }

    private var divisor: Double {
        reduction == .mean ? targets.reduce(0) { $1 == ignoreIndex ? $0 : $0 + Double(weight($1)) } : 1
    }
}
