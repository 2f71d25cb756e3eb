import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let losses: [String: GoldenBuilder] = [classLosses, regressionLosses, similarityLosses, sequenceLosses]
        .reduce(
            into: [:]
        ) { all, part in
            all.merge(part) { _, _ in fatalError("two golden builders for one loss") }
        }

    private static let classLosses: [String: GoldenBuilder] = [
        "cross_entropy": one { inputs in
            let logits = try inputs.classesSecond("logits"), reduction = try inputs.reduction()
            let weights = try inputs.optional("class_weights")?.values
            let smoothing: Float = inputs.attribute("label_smoothing") ?? 0
            if inputs.has("target_probs") {
                return SoftCrossEntropy(classWeights: weights, smoothing: smoothing, reduction: reduction)(
                    logits, try inputs.classesSecond("target_probs"))
            }
            return CrossEntropy(
                targets: try inputs.classes("target"), classWeights: weights, smoothing: smoothing,
                ignoreIndex: (inputs.attribute("ignore_index") as Int?).map(Int32.init), reduction: reduction)(logits)
        },
        "nll_loss": one {
            NegativeLogLikelihood(
                targets: try $0.classes("target"), classWeights: try $0.optional("class_weights")?.values,
                ignoreIndex: ($0.attribute("ignore_index") as Int?).map(Int32.init), reduction: try $0.reduction())(
                    try $0.tensor("log_probs"))
        },
        "bce_with_logits": one {
            BinaryCrossEntropy(
                targets: try $0.tensor("target").values, positiveWeights: try $0.optional("pos_weight"),
                weights: try $0.optional("weight"), reduction: try $0.reduction())(try $0.tensor("logits"))
        },
        "kl_div": one {
            KullbackLeibler(targetIsLogarithm: $0.attribute("log_target") ?? false, reduction: try $0.reduction())(
                try $0.tensor("log_probs"), try $0.tensor("target"))
        },
        "distillation": one {
            Distillation(temperature: try $0.attribute("temperature"))(
                try $0.tensor("student"), try $0.tensor("teacher"))
        },
    ]

    private static let regressionLosses: [String: GoldenBuilder] = [
        "mse": one { MeanSquaredError(reduction: try $0.reduction())(try $0.tensor("x"), try $0.tensor("target")) },
        "l1": one { MeanAbsoluteError(reduction: try $0.reduction())(try $0.tensor("x"), try $0.tensor("target")) },
        "huber": one {
            HuberLoss(delta: try $0.attribute("delta"), reduction: try $0.reduction())(
                try $0.tensor("x"), try $0.tensor("target"))
        },
        "smooth_l1": one {
            SmoothAbsoluteError(beta: try $0.attribute("beta"), reduction: try $0.reduction())(
                try $0.tensor("x"), try $0.tensor("target"))
        },
        "gaussian_kl": one {
            GaussianDivergence(reduction: try $0.reduction())(try $0.tensor("mu"), try $0.tensor("logvar"))
        },
        "gaussian_nll": one {
            GaussianLikelihood(
                eps: try $0.attribute("eps"), full: $0.attribute("full") ?? false, reduction: try $0.reduction())(
                    try $0.tensor("x"), try $0.tensor("target"), try $0.tensor("var"))
        },
    ]

    private static let similarityLosses: [String: GoldenBuilder] = [
        "cosine_similarity": one {
            CosineSimilarity(axis: try $0.attribute("dim"), eps: try $0.attribute("eps"))(
                try $0.tensor("a"), try $0.tensor("b"))
        },
        "cosine_embedding": one {
            CosineEmbeddingLoss(
                targets: try $0.tensor("target").values, margin: try $0.attribute("margin"),
                reduction: try $0.reduction())(
                    try $0.tensor("a"), try $0.tensor("b"))
        },
        "triplet_margin": one {
            TripletMarginLoss(
                margin: try $0.attribute("margin"), p: try $0.attribute("p"), swap: try $0.attribute("swap"),
                eps: try $0.attribute("eps"), reduction: try $0.reduction())(
                    try $0.tensor("anchor"), try $0.tensor("positive"), try $0.tensor("negative"))
        },
        "margin_ranking": one {
            MarginRankingLoss(
                targets: try $0.tensor("target").values, margin: try $0.attribute("margin"),
                reduction: try $0.reduction())(
                    try $0.tensor("a"), try $0.tensor("b"))
        },
        "multiple_negatives_ranking": one { inputs in
            let name: String = try inputs.attribute("similarity")
            guard let similarity = MultipleNegativesRanking.Similarity(rawValue: name) else {
                throw GoldenInputs.Missing(what: "known similarity: \(name)")
            }
            let op = MultipleNegativesRanking(
                scale: try inputs.attribute("scale"), symmetric: try inputs.attribute("symmetric"),
                similarity: similarity)
            let pair = [try inputs.tensor("anchor"), try inputs.tensor("positive")]
            return op.apply(pair + [try inputs.optional("negative")].compactMap { $0 })
        },
        "supervised_contrastive": one {
            SupervisedContrastive(labels: try $0.classes("labels"), temperature: try $0.attribute("temperature"))(
                try $0.tensor("x"))
        },
    ]
}

extension GoldenInputs {
    /// A case without the attribute means the mean.
    func reduction() throws -> Reduction {
        guard let name: String = attribute("reduction") else { return .mean }
        guard let reduction = Reduction(rawValue: name) else { throw Missing(what: "known reduction: \(name)") }
        return reduction
    }

    /// Scores with the axis `class_axis` moved to where the ops have it: the second, or the only one.
    func classesSecond(_ name: String) throws -> Tensor {
        let scores = try tensor(name), rank = scores.rank
        guard let axis: Int = attribute("class_axis"), rank > 1 else { return scores }
        let source = axis < 0 ? rank + axis : axis
        if source == 1 { return scores }
        var order = (0..<rank).filter { $0 != source }
        order.insert(source, at: 1)
        return Permute(order)(scores)
    }

    func classes(_ name: String) throws -> [Int32] { try integers(name).map(Int32.init) }
}
