import Foundation
import Testing

@testable import TensorCore

@Suite("Losses at the edges")
struct LossTests {
    @Test(
        "a NaN among the inputs reaches the loss and its gradient",
        arguments: [
            "cross_entropy", "bce", "mse", "l1", "huber", "smooth_l1", "kl", "cosine", "triplet", "ranking",
            "negatives", "ctc", "crf",
        ])
    func notANumber(_ name: String) {
        let bad = numbers([3, 4], 1)
        bad.mutablePointer[5] = .nan
        let x = bad.tracked, other = numbers([3, 4], 2)
        let loss: Tensor
        switch name {
        case "cross_entropy": loss = CrossEntropy(targets: [0, 1, 2])(x)
        case "bce": loss = BinaryCrossEntropy(targets: [Float](repeating: 1, count: 12))(x)
        case "mse": loss = MeanSquaredError()(x, other)
        case "l1": loss = MeanAbsoluteError()(x, other)
        case "huber": loss = HuberLoss()(x, other)
        case "smooth_l1": loss = SmoothAbsoluteError()(x, other)
        case "kl": loss = KullbackLeibler(targetIsLogarithm: true)(x, other)
        case "cosine": loss = CosineEmbeddingLoss(targets: [1, -1, 1])(x, other)
        case "triplet": loss = TripletMarginLoss()(x, other, numbers([3, 4], 3))
        case "ranking": loss = MarginRankingLoss(targets: [Float](repeating: 1, count: 12))(x, other)
        case "negatives": loss = MultipleNegativesRanking()(x, other)
        case "ctc": loss = CTCLoss(targets: [[1]], inputLengths: [3])(Reshape([3, 1, 4])(x))
        default:
            loss = LinearChainCRF(tags: [0, 1, 2], mask: [true, true, true])(
                Reshape([1, 3, 4])(x), numbers([4], 4), numbers([4], 5), numbers([4, 4], 6))
        }
        #expect(loss.scalar.isNaN, "\(loss.scalar)")
        // The slope of these two does not depend on the input's value.
        if ["kl", "ranking"].contains(name) { return }
        #expect(loss.gradients(for: [x])[0].values.contains { $0.isNaN })
    }

    @Test("an alignment that cannot be is infinite, or nothing on request")
    func impossibleAlignment() {
        let logits = numbers([2, 1, 3], 1).tracked
        let infinite = CTCLoss(targets: [[1, 1]], inputLengths: [2])(logits)
        #expect(infinite.scalar == .infinity)
        let nothing = CTCLoss(targets: [[1, 1]], inputLengths: [2], zeroInfinity: true)(logits)
        #expect(nothing.scalar == 0)
        #expect(nothing.gradients(for: [logits])[0].values == [Float](repeating: 0, count: 6))
    }

    @Test("no steps at all align with an empty target only")
    func noSteps() {
        let logits = numbers([2, 2, 3], 1)
        #expect(CTCLoss(targets: [[], [1]], inputLengths: [0, 0], reduction: .none)(logits).values == [0, .infinity])
    }

    @Test("a mean over no targets is not a number, a sum is zero")
    func allIgnored() {
        let logits = numbers([2, 3], 1).tracked
        #expect(CrossEntropy(targets: [7, 7], ignoreIndex: 7)(logits).scalar.isNaN)
        let sum = CrossEntropy(targets: [7, 7], ignoreIndex: 7, reduction: .sum)(logits)
        #expect(sum.scalar == 0)
        #expect(sum.gradients(for: [logits])[0].values == [Float](repeating: 0, count: 6))
    }

    @Test("losses of nothing are empty")
    func empty() {
        let nothing = Tensor(uninitialised: [0, 4])
        #expect(CrossEntropy(targets: [], reduction: .none)(nothing).shape == [0])
        #expect(CrossEntropy(targets: [], reduction: .sum)(nothing).scalar == 0)
        #expect(MeanSquaredError(reduction: .sum)(nothing, nothing).scalar == 0)
        #expect(MeanSquaredError()(nothing, nothing).scalar.isNaN)
        #expect(CTCLoss(targets: [], inputLengths: [], reduction: .sum)(Tensor(uninitialised: [3, 0, 4])).scalar == 0)
    }

    @Test("the best path is the best of all, and beats the given one")
    func viterbi() {
        let emissions = numbers([1, 4, 3], 1, scale: 2), start = numbers([3], 2), end = numbers([3], 3)
        let transitions = numbers([3, 3], 4), mask = [Bool](repeating: true, count: 4)
        let found = LinearChainCRF.decode(
            emissions: emissions, start: start, end: end, transitions: transitions, mask: mask)[0]
        let chain = CRFChain([emissions, start, end, transitions], mask: mask)
        var best = -Double.infinity, total = 0.0
        for code in 0..<81 {
            let path = [code / 27, code / 9 % 3, code / 3 % 3, code % 3]
            let score = chain.score(0, [0, 1, 2, 3], path)
            best = max(best, score)
            let loss = LinearChainCRF(tags: path.map(Int32.init), mask: mask)(emissions, start, end, transitions)
            total += exp(-Double(loss.scalar))
        }
        #expect(abs(Double(found.score) - best) < 1e-5, "\(found.score), best \(best)")
        #expect(abs(chain.score(0, [0, 1, 2, 3], found.tags) - best) < 1e-9)
        #expect(abs(total - 1) < 1e-4, "probabilities of all paths sum to \(total)")
    }
}
