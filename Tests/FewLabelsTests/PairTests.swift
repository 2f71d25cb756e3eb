import Checkpoints
import Encoders
import Foundation
import TensorCore
import TestSupport
import Testing
import Training
import Tuning

@testable import FewLabels

@Suite("Pairs of rows")
struct PairTests {
    private static let classes: [Int32] = [0, 1, 0, 2, 1, 0, 2, 3]

    @Test("are of the same class and of different ones by turns; each round takes every row")
    func stream() {
        var stream = PairStream(Self.classes, seed: 1)
        for _ in 0..<50 {
            var firsts: [Int] = []
            for _ in Self.classes {
                let same = stream.next(), other = stream.next()
                #expect(same.isSame && Self.classes[same.first] == Self.classes[same.second])
                #expect(same.first != same.second || same.first == 7, "only a row without others pairs with itself")
                #expect(!other.isSame && Self.classes[other.first] != Self.classes[other.second] && other.first == same.first)
                firsts.append(same.first)
            }
            #expect(firsts.sorted() == Array(Self.classes.indices))
        }
    }

    @Test("reach every partner there is, about as often")
    func uniform() {
        var stream = PairStream(Self.classes, seed: 2), counts: [Int: Int] = [:]
        for _ in 0..<40_000 {
            let pair = stream.next()
            if pair.first == 0, !pair.isSame { counts[pair.second, default: 0] += 1 }
        }
        let total = counts.values.reduce(0, +)
        #expect(Set(counts.keys) == [1, 3, 4, 6, 7])
        #expect(counts.values.allSatisfy { abs(Double($0) / Double(total) - 0.2) < 0.04 }, "\(counts)")
    }

    @Test("bring rows of a class nearer each other than others; the same seed gives the same layers")
    func tuning() throws {
        let folder = try TemporaryFolder(), url = folder.url.appending(path: "tiny")
        try TinyEncoder.write(to: url)
        let encoder = try TextEncoder(folder: url)
        // The class is a letter in the middle: an encoder that knows nothing of it has to learn it.
        let texts = (0..<32).map { row in
            encoder.tokenize("\("xyzw".map(String.init)[row / 4 % 4]) \(["a", "b", "c", "d"][row % 4]) \("mnop".map(String.init)[row / 8 % 4])")
        }
        let classes = (0..<32).map { Int32($0 % 4) }
        func tuned() throws -> (TextBody, first: Float, last: Float) {
            let body = try TextBody(encoder, tuning: FineTuning(depth: .top(1)), seed: 0, inputs: [.texts(texts)])
            var settings = ContrastiveTuning.Settings()
            (settings.iterations, settings.learningRate) = (20, 2e-3)
            let tuning = ContrastiveTuning(body, classes: classes, settings: settings)
            #expect(tuning.totalSteps == 80)
            var losses: [Float] = []
            while !tuning.isFinished { losses.append(try tuning.advance()) }
            return (body, losses.prefix(10).reduce(0, +) / 10, losses.suffix(10).reduce(0, +) / 10)
        }
        let (body, first, last) = try tuned()
        #expect(last < first / 2, "\(first) → \(last)")
        let again = try tuned().0
        #expect(zip(body.parameters, again.parameters).allSatisfy { $0.parameter.value.values == $1.parameter.value.values })
        let points = L2Normalisation()(try body.evaluate([JointRows(dataset: 0, rows: Array(0..<32))])).contiguous()
        func similarity(_ a: Int, _ b: Int) -> Float { (0..<32).reduce(0) { $0 + points.pointer[a * 32 + $1] * points.pointer[b * 32 + $1] } }
        let same = (0..<28).map { similarity($0, $0 + 4) }.reduce(0, +) / 28, other = (0..<28).map { similarity($0, $0 + 1) }.reduce(0, +) / 28
        #expect(same > other + 0.3, "\(same), \(other)")
    }
}
