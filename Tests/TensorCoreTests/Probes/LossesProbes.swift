@testable import TensorCore

private func pair(_ shape: Shape) -> [Tensor] { [numbers(shape, 1), numbers(shape, 2)] }

/// Differences no nearer than 0.1 to the kinks at 0, ±0.5 and ±1.
private var offKinks: [Tensor] {
    [Tensor([0.3, -0.25, 0.75, -0.8, 1.4, -1.7], [2, 3]), Tensor(repeating: 0, [2, 3])]
}

extension Probes {
    static let losses: [String: @Sendable () -> [Probe]] = [
        classLosses, regressionLosses, similarityLosses, sequenceLosses,
    ]
    .reduce(into: [:]) { all, part in all.merge(part) { _, _ in fatalError("two lists of probes for one loss") } }

    private static let classLosses: [String: @Sendable () -> [Probe]] = [
        CrossEntropy.name: {
            let logits = numbers([3, 5], 1, scale: 2), weights: [Float] = [1, 0.5, 2, 1, 3]
            return [
                Probe(CrossEntropy(targets: [0, 4, 2]), [logits]),
                Probe(CrossEntropy(targets: [0, 4, 2], classWeights: weights, smoothing: 0.2), [logits]),
                Probe(
                    CrossEntropy(targets: [0, -1, 2], classWeights: weights, ignoreIndex: -1, reduction: .none),
                    [logits]),
                Probe(CrossEntropy(targets: [0, 4, 4], smoothing: 0.1, ignoreIndex: 0, reduction: .sum), [logits]),
                Probe(CrossEntropy(targets: [0, 2, 1, 2, 0, 1]), [numbers([2, 3, 3], 1, scale: 2)]),
                Probe(CrossEntropy(targets: [3]), [numbers([5], 1)]),
            ]
        },
        SoftCrossEntropy.name: {
            let inputs = [numbers([3, 4], 1, scale: 2), numbers([3, 4], 2, scale: 0.2, shift: 0.25)]
            return [
                Probe(SoftCrossEntropy(), inputs),
                Probe(SoftCrossEntropy(classWeights: [1, 0.5, 2, 3], smoothing: 0.2, reduction: .none), inputs),
                Probe(
                    SoftCrossEntropy(reduction: .sum),
                    [numbers([2, 3, 2], 1, scale: 2), numbers([2, 3, 2], 2, scale: 0.2, shift: 0.3)]),
            ]
        },
        NegativeLogLikelihood.name: {
            return [
                Probe(NegativeLogLikelihood(targets: [0, 4, 2]), [numbers([3, 5], 1)]),
                Probe(
                    NegativeLogLikelihood(
                        targets: [0, 2, 1, 0], classWeights: [1, 2, 0.5], ignoreIndex: 1, reduction: .none),
                    [numbers([2, 3, 2], 1)]),
            ]
        },
        BinaryCrossEntropy.name: {
            let targets: [Float] = [1, 0, 0.3, 1, 1, 0], logits = numbers([2, 3], 1, scale: 2)
            return [
                Probe(BinaryCrossEntropy(targets: targets, positiveWeights: [2, 1, 0.5]), [logits]),
                Probe(
                    BinaryCrossEntropy(
                        targets: targets, positiveWeights: nil, weights: Tensor([0.5, 2], [2, 1]), reduction: .none),
                    [logits]),
            ]
        },
        KullbackLeibler.name: {
            let probabilities = [numbers([3, 4], 1), numbers([3, 4], 2, scale: 0.2, shift: 0.5)]
            return [
                Probe(KullbackLeibler(), probabilities), Probe(KullbackLeibler(reduction: .none), probabilities),
                Probe(KullbackLeibler(targetIsLogarithm: true, reduction: .mean), pair([3, 4])),
            ]
        },
        Distillation.name: { return [Probe(Distillation(temperature: 2), pair([3, 5]))] },
    ]

    private static let regressionLosses: [String: @Sendable () -> [Probe]] = [
        MeanSquaredError.name: {
            return Reduction.allCases.map { Probe(MeanSquaredError(reduction: $0), pair([3, 4])) }
        },
        MeanAbsoluteError.name: {
            return Reduction.allCases.map { Probe(MeanAbsoluteError(reduction: $0), offKinks) }
        },
        HuberLoss.name: {
            return [Probe(HuberLoss(), offKinks), Probe(HuberLoss(delta: 0.5, reduction: .none), offKinks)]
        },
        SmoothAbsoluteError.name: {
            return [
                Probe(SmoothAbsoluteError(), offKinks),
                Probe(SmoothAbsoluteError(beta: 0.5, reduction: .none), offKinks),
                Probe(SmoothAbsoluteError(beta: 0, reduction: .sum), offKinks),
            ]
        },
        GaussianDivergence.name: {
            return [
                Probe(GaussianDivergence(), pair([3, 4])),
                Probe(GaussianDivergence(reduction: .none), pair([2, 3, 2])),
            ]
        },
        GaussianLikelihood.name: {
            let deviations = pair([3, 4])
            return [
                Probe(GaussianLikelihood(), deviations + [numbers([3, 4], 3, scale: 0.5, shift: 1.5)]),
                Probe(
                    GaussianLikelihood(full: true, reduction: .none),
                    deviations + [numbers([3, 1], 3, scale: 0.5, shift: 1.5)]),
            ]
        },
    ]

    private static let similarityLosses: [String: @Sendable () -> [Probe]] = [
        CosineSimilarity.name: {
            return [
                Probe(CosineSimilarity(), pair([3, 5])), Probe(CosineSimilarity(axis: 1), pair([2, 4, 3])),
                Probe(CosineSimilarity(axis: 0), [numbers([4, 1], 1), numbers([4, 3], 2)]),
            ]
        },
        CosineEmbeddingLoss.name: {
            // Cosines are -0.4 to 0.4 here: both sides of the margins, none near.
            return [
                Probe(CosineEmbeddingLoss(targets: [1, -1, 1], margin: -0.9), pair([3, 5])),
                Probe(CosineEmbeddingLoss(targets: [1, -1, -1], margin: 0.95, reduction: .none), pair([3, 5])),
            ]
        },
        TripletMarginLoss.name: {
            let triple = [numbers([3, 5], 1), numbers([3, 5], 2), numbers([3, 5], 3)]
            let apart = [
                numbers([3, 5], 1, scale: 0.2), numbers([3, 5], 2, scale: 0.2, shift: 1),
                numbers([3, 5], 3, scale: 0.2, shift: 2.5),
            ]
            return [
                Probe(TripletMarginLoss(margin: 5), triple),
                Probe(TripletMarginLoss(margin: 5, p: 3, reduction: .none), triple),
                Probe(TripletMarginLoss(margin: 9, p: 1, reduction: .sum), apart),
                Probe(TripletMarginLoss(margin: 5, swap: true), apart),
            ]
        },
        MarginRankingLoss.name: {
            let scores = [Tensor([0.5, -1, 2, 0], [4]), Tensor([1, 1, -1, 0.5], [4])]
            return [
                Probe(MarginRankingLoss(targets: [1, -1, 1, -1], margin: 0.9), scores),
                Probe(MarginRankingLoss(targets: [1, -1, 1, -1], reduction: .none), scores),
            ]
        },
        MultipleNegativesRanking.name: {
            return [
                Probe(MultipleNegativesRanking(scale: 3), pair([3, 4])),
                Probe(MultipleNegativesRanking(scale: 3, symmetric: true), pair([3, 4]) + [numbers([2, 4], 3)]),
                Probe(MultipleNegativesRanking(scale: 1, similarity: .dot), pair([3, 4]) + [numbers([3, 4], 3)]),
            ]
        },
        SupervisedContrastive.name: {
            return [Probe(SupervisedContrastive(labels: [0, 1, 0, 2, 1], temperature: 0.5), [numbers([5, 4], 1)])]
        },
    ]

    private static let sequenceLosses: [String: @Sendable () -> [Probe]] = [
        CTCLoss.name: {
            let logits = numbers([6, 2, 4], 1)
            return [
                Probe(CTCLoss(targets: [[1, 1, 3], [2]], inputLengths: [6, 4]), [logits]),
                Probe(CTCLoss(targets: [[], [0, 2]], inputLengths: [3, 6], blank: 3, reduction: .none), [logits]),
                Probe(
                    CTCLoss(targets: [[1, 1, 1], [2]], inputLengths: [3, 6], zeroInfinity: true, reduction: .sum),
                    [logits]),
            ]
        },
        LinearChainCRF.name: {
            let scores = [numbers([2, 4, 3], 1), numbers([3], 2), numbers([3], 3), numbers([3, 3], 4)]
            let tags: [Int32] = [0, 2, 1, 1, 2, 0, 0, 0], mask = [true, true, true, true, true, true, false, false]
            return [
                Probe(LinearChainCRF(tags: tags, mask: mask), scores),
                Probe(LinearChainCRF(tags: tags, mask: mask, over: .position), scores),
                Probe(
                    LinearChainCRF(
                        tags: tags, mask: [Bool](repeating: false, count: 3) + [Bool](repeating: true, count: 5),
                        reduction: .none),
                    scores),
            ]
        },
    ]
}
