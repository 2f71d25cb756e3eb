import TensorCore
import Testing
import Training

@testable import FewLabels
@testable import Heads

@Suite("Calibration")
struct CalibrationTests {
    /// `[12, 3]` and its classes; a quarter of the best outputs is wrong.
    private static let outputs: [Float] = (0..<36).map { Float($0 * 7919 % 31) / 5 - 3 }
    private static let classes: [Int32] = [0, 1, 0, 2, 2, 0, 1, 1, 1, 1, 0, 0]

    @Test("the temperature is scipy's: the least negative log-likelihood, with the prior counted once")
    func reference() throws {
        // scipy 1.x, minimize_scalar over u of Σ −log softmax(z eᵘ)[y] + u² / 2; T = e⁻ᵘ.
        let fitted = try #require(Calibration(fitting: Tensor(Self.outputs, [12, 3]), .classes(Self.classes)))
        #expect(abs(fitted.temperature - 2.337_054_267) < 1e-6)
        #expect(abs(fitted.errorBefore - 0.190_686_127) < 1e-6 && abs(fitted.errorAfter - 0.223_981_657) < 1e-6)
        #expect(fitted.rows == 12 && fitted.thresholds == nil)
        let flags = (0..<36).map { Float($0 * 5 % 7 < 3 ? 1 : 0) }
        let independent = try #require(Calibration(fitting: Tensor(Self.outputs, [12, 3]), .labels(flags, count: 3)))
        #expect(abs(independent.temperature - 5.796_305_609) < 1e-6)
    }

    @Test("outputs that are k times too large are divided by k, and the error goes")
    func recovers() throws {
        var random = Random(seed: 3)
        let rows = 4_000, width = 5
        var scores: [Float] = [], classes: [Int32] = []
        for _ in 0..<rows {
            let own = (0..<width).map { _ in random.uniform() * 4 - 2 }
            let weights = Softmax()(Tensor(own, [1, width])).values
            var rest = random.uniform(), label = 0
            while label < width - 1, rest >= weights[label] {
                rest -= weights[label]
                label += 1
            }
            classes.append(Int32(label))
            scores += own.map { $0 * 3 }
        }
        let fitted = try #require(Calibration(fitting: Tensor(scores, [rows, width]), .classes(classes)))
        #expect(abs(fitted.temperature - 3) < 0.2, "\(fitted.temperature)")
        #expect(fitted.errorAfter < 0.03 && fitted.errorBefore > 0.15)
    }

    @Test("a head that is right on a few rows does not become certain of everything")
    func prior() throws {
        let outputs = Tensor((0..<24).map { $0 % 2 == $0 / 2 % 2 ? 1 : 0 }, [12, 2])
        let fitted = try #require(Calibration(fitting: outputs, .classes((0..<12).map { Int32($0 % 2) })))
        #expect(fitted.temperature > 0.15 && fitted.temperature < 1)
        #expect(Calibration(fitting: Tensor(repeating: 0, [9, 2]), .classes([Int32](repeating: 0, count: 9))) == nil, "too few rows")
        #expect(Calibration(fitting: Tensor(repeating: 0, [20, 1]), .values([Float](repeating: 0, count: 20))) == nil)
    }

    @Test("the calibration error is the mean distance of confidence and share right, by bins")
    func error() {
        // Two bins: 0.9 with half right, 0.6 with all right.
        let rows = [(0.9, true), (0.9, false), (0.6, true), (0.6, true)]
        #expect(abs(Calibration.error(rows.map { (confidence: $0.0, isRight: $0.1) }) - (0.4 + 0.4) / 2) < 1e-12)
        #expect(Calibration.error([]) == 0)
    }

    @Test("thresholds have the highest F1, between two probabilities; few rows keep one half")
    func thresholds() {
        // A label that is rare and timid: all its rows lie between 0.2 and 0.4, the others below 0.15.
        let rows = (0..<10).map { (chance: 0.2 + Double($0) / 50, holds: true) } + (0..<30).map { (chance: Double($0) / 210, holds: false) }
        let threshold = Calibration.threshold(rows)
        #expect(threshold > 0.138 && threshold < 0.2, "\(threshold)")
        #expect(Calibration.threshold(Array(rows.prefix(4)) + rows.suffix(30)) == 0.5)
    }

    @Test("predictions are calibrated: the order stays, probabilities and thresholds change")
    func predictions() {
        let outputs = Tensor([2, 0, -1, 0.5, 0.4, 0] as [Float], [2, 3])
        var encoding = LabelEncoding(task: .classify, labels: ["a", "b", "c"])
        let plain = encoding.predictions(outputs, top: 3)
        encoding.calibration = Calibration(temperature: 2)
        let calibrated = encoding.predictions(outputs, top: 3)
        for (before, after) in zip(plain, calibrated) {
            guard case .labels(let before) = before, case .labels(let after) = after else { return #expect(Bool(false)) }
            #expect(before.map(\.label) == after.map(\.label) && before[0].score > after[0].score)
        }
        let halved = Softmax()(Tensor([1, 0, -0.5] as [Float], [1, 3])).values
        guard case .labels(let scores) = calibrated[0] else { return #expect(Bool(false)) }
        #expect(zip(scores, halved).allSatisfy { abs($0.score - Double($1)) < 1e-6 })

        var several = LabelEncoding(task: .multilabel, labels: ["a", "b", "c"])
        several.calibration = Calibration(temperature: 1, thresholds: [0.9, 0.45, 0.2])
        let chosen = several.predictions(outputs).map { prediction -> Set<String> in
            guard case .labels(let scores) = prediction else { return [] }
            return Set(scores.map(\.label))
        }
        // Sigmoids: 0.88, 0.5, 0.27 and 0.62, 0.6, 0.5.
        #expect(chosen == [["b", "c"], ["b", "c"]])
    }
}
