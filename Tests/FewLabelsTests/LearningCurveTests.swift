import Testing
import Training

@testable import FewLabels

@Suite("Learning curves")
struct LearningCurveTests {
    private func curve(_ means: [Double], spread: Double = 0.001) -> LearningCurve {
        LearningCurve(
            metric: "accuracy",
            points: zip([0.1, 0.25, 0.5, 1], means).map { share, mean in
                LearningCurve.Point(share: share, rows: Int(share * 1_000), scores: [mean - spread, mean, mean + spread])
            })
    }

    @Test(
        "say whether more labels would help",
        arguments: [
            ([0.5, 0.6, 0.7, 0.8], 0.001, true), ([0.8, 0.85, 0.86, 0.861], 0.001, false), ([0.8, 0.81, 0.82, 0.83], 0.05, false),
            ([0.9, 0.9, 0.9, 0.88], 0.001, false),
        ])
    func answers(_ means: [Double], _ spread: Double, _ helps: Bool) {
        let curve = curve(means, spread: spread)
        #expect(curve.moreWouldHelp == helps, "\(curve.answer)")
        #expect(curve.answer.hasPrefix(helps ? "More labels would help:" : "More labels would hardly help"))
        #expect(curve.answer.contains("From 100 to 1000 rows"))
    }

    @Test("take of each class its share, at least one row, others for another seed")
    func rows() {
        let classes = Targets.classes((0..<100).map { $0 < 90 ? 0 : $0 < 99 ? 1 : 2 })
        let rows = LearningCurve.rows(classes, share: 0.1, seed: 1)
        #expect(rows.count { $0 < 90 } == 9 && rows.count { $0 >= 90 && $0 < 99 } == 1 && rows.contains(99))
        #expect(rows == LearningCurve.rows(classes, share: 0.1, seed: 1) && rows != LearningCurve.rows(classes, share: 0.1, seed: 2))
        #expect(LearningCurve.rows(classes, share: 1, seed: 1).count == 100)
    }

    @Test("have a mean and a sample's deviation")
    func point() {
        let point = LearningCurve.Point(share: 1, rows: 10, scores: [1, 2, 3])
        #expect(point.mean == 2 && point.deviation == 1)
    }
}
