import Encoders
import Foundation
import State
import Testing
import TestSupport

@testable import Heads
@testable import Workbench

@Suite("Data checks")
struct DataCheckTests {
    private func finding(_ report: DataReport, _ kind: DataFinding.Kind) -> DataFinding? { report.findings.first { $0.kind == kind } }

    /// 400 rows of four labels that a tiny encoder tells apart, all different.
    private static let clean = rows(400)
    private static var texts: [String] {
        clean.inputs.map { if case .text(let text) = $0 { text } else { "" } } }

    @Test("clean rows have no findings, with an encoder or without")
    func clean() async throws {
        let bench = try await Bench()
        for encoder in [nil, "tiny"] {
            var request = DataCheckRequest(texts: [Self.texts], labels: Self.clean.labels, encoder: encoder)
            // The tiny encoder's vectors are much alike.
            request.near = 1
            let report = try await bench.workbench.check(request)
            #expect(report.findings.filter { $0.kind.severity != .information }.map(\.text) == [])
            #expect(report.rows == 400 && report.labels == 4 && report.notes.isEmpty == (encoder != nil))
        }
        try await bench.workbench.close()
    }

    @Test("every planted fault of the rows themselves is found, with its row, and none that is not there")
    func planted() async throws {
        let bench = try await Bench()
        var texts = Self.texts, labels = Self.clean.labels
        // Row 401: row 1 in other case and spacing, same label. Row 402: row 2 with another label. 403: empty. 404: no label. 405: rare label.
        texts += ["  " + texts[0].uppercased(), texts[1], " \t", "ee new", "ff newer"]
        labels += [labels[0], "d", "a", "", "rare"]
        let test = ["gg unseen text", texts[2], texts[3]], testLabels = ["never", labels[2], "a"]
        let request = DataCheckRequest(texts: [texts], labels: labels, testTexts: [test], testLabels: testLabels)
        let report = try await bench.workbench.check(request)
        let expected: [(DataFinding.Kind, Int, RowPlace?, RowPlace?)] = [
            (.duplicate, 1, RowPlace(row: 401), RowPlace(row: 1)), (.conflictingDuplicate, 1, RowPlace(row: 402), RowPlace(row: 2)),
            (.emptyInput, 1, RowPlace(row: 403), nil), (.emptyLabel, 1, RowPlace(row: 404), nil),
            (.leakage, 1, RowPlace(row: 2, isTest: true), RowPlace(row: 3)),
            (.conflictingLeakage, 1, RowPlace(row: 3, isTest: true), RowPlace(row: 4)), (.rareLabel, 1, nil, nil),
            (.unseenLabel, 1, nil, nil), (.imbalance, 5, nil, nil),
        ]
        for (kind, count, row, other) in expected {
            let found = try #require(finding(report, kind), "\(kind) was not found")
            #expect(found.count == count && found.examples.first?.row == row && found.examples.first?.other == other, "\(kind): \(found)")
        }
        #expect(Set(report.findings.map(\.kind)) == Set(expected.map(\.0)))
        #expect(finding(report, .rareLabel)?.examples.first?.label == "rare")
        #expect(finding(report, .unseenLabel)?.examples.first?.label == "never")
        // The gravest first.
        #expect(report.findings.first?.kind.severity == .error && report.findings.last?.kind.severity == .information)
        try await bench.workbench.close()
    }

    /// Not every one: a row counts for another class only from that class's mean probability on, so that some always escape.
    @Test("wrong labels are found from held-out probabilities, five of six planted ones, the right one suggested, and none is invented")
    func labelErrors() async throws {
        let bench = try await Bench()
        var labels = Self.clean.labels
        let wrong = [10, 57, 123, 200, 301, 390]
        let truth = wrong.map { labels[$0] }
        for row in wrong { labels[row] = labels[row] == "a" ? "c" : "a" }
        var request = DataCheckRequest(texts: [Self.texts], labels: labels, encoder: "tiny")
        request.near = 1
        request.examples = 50
        let report = try await bench.workbench.check(request)
        let found = try #require(finding(report, .labelError))
        let places = found.examples.map { ($0.row?.row ?? 0) - 1 }
        for (place, example) in zip(places, found.examples) {
            let planted = try #require(wrong.firstIndex(of: place), "row \(place + 1) is right")
            #expect(example.suggestion == truth[planted] && example.value < 0.5)
        }
        #expect(found.count >= 5, "\(found.count) of \(wrong.count) found")
        // The same rows and seed, the same answer.
        let again = try await bench.workbench.check(request)
        #expect(finding(again, .labelError)?.examples == found.examples)
        try await bench.workbench.close()
    }

    @Test("multilabel: a label that is missing and one too many are found")
    func multilabel() async throws {
        let bench = try await Bench()
        var labels = Self.clean.labels.map { $0 == "a" ? "a|vowel" : $0 }
        // Row 5 is an "a" and loses its vowel; row 2, a "b", gets one.
        #expect(labels[4] == "a|vowel" && labels[1] == "b")
        labels[4] = "a"
        labels[1] = "b|vowel"
        var request = DataCheckRequest(texts: [Self.texts], labels: labels, task: .multilabel, encoder: "tiny")
        request.near = 1
        request.examples = 50
        let report = try await bench.workbench.check(request), found = try #require(finding(report, .labelError))
        #expect(found.examples.contains { $0.row == RowPlace(row: 5) && $0.suggestion == "with vowel" })
        #expect(found.examples.contains { $0.row == RowPlace(row: 2) && $0.suggestion == "without vowel" })
        try await bench.workbench.close()
    }

    @Test("numbers that are none, and words without a label each, are bad labels")
    func badLabels() async throws {
        let bench = try await Bench()
        let regression = try await bench.workbench.check(
            DataCheckRequest(texts: [["aa", "bb", "cc"]], labels: ["1.5", "many", "nan"], task: .regress))
        #expect(finding(regression, .badLabel)?.count == 2)
        let tags = try await bench.workbench.check(
            DataCheckRequest(texts: [["in new york", "in rome"]], labels: ["O B-place", "O B-place"], task: .tag))
        #expect(finding(tags, .badLabel)?.examples.map(\.row) == [RowPlace(row: 1)])
        try await bench.workbench.close()
    }

    @Test("texts beyond the encoder's limit are counted")
    func truncation() async throws {
        let bench = try await Bench()
        var texts = Self.texts
        texts[7] = String(repeating: "a b ", count: 40)
        var request = DataCheckRequest(texts: [texts], labels: Self.clean.labels, encoder: "tiny")
        request.near = 1
        let report = try await bench.workbench.check(request), found = try #require(finding(report, .truncated))
        #expect(found.count == 1 && found.examples.first?.row == RowPlace(row: 8) && found.text.contains("24 tokens"))
        try await bench.workbench.close()
    }

    @Test("nothing to check, and settings that cannot be, are errors")
    func errors() async throws {
        let bench = try await Bench()
        await #expect(throws: WorkbenchError.self) { try await bench.workbench.check(DataCheckRequest(texts: [[]], labels: [])) }
        var request = DataCheckRequest(texts: [["a", "b"]], labels: ["x", "y"])
        request.near = 0.2
        let bad = request
        await #expect(throws: WorkbenchError.self) { try await bench.workbench.check(bad) }
        try await bench.workbench.close()
    }
}

@Suite("Near-duplicates")
struct NearDuplicatesTests {
    @Test("pairs are those of a plain comparison of all rows, over block boundaries too")
    func plain() throws {
        let rows = 1_100, width = 8
        var values = (0..<rows * width).map { sin(Float($0) * 12.9898) * 2 }
        // Rows 3 and 600, and 512 and 1,099, are scaled copies but for a little.
        for (first, second) in [(3, 600), (512, 1_099)] {
            for column in 0..<width { values[second * width + column] = values[first * width + column] * 3 + 0.01 }
        }
        func cosine(_ a: Int, _ b: Int) -> Float {
            func dot(_ a: Int, _ b: Int) -> Float { (0..<width).reduce(0) { $0 + values[a * width + $1] * values[b * width + $1] } }
            return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
        }
        let limit = 0.985
        var expected: Set<[Int]> = []
        for first in 0..<rows { for second in first + 1..<rows where cosine(first, second) >= Float(limit) { expected.insert([first, second]) } }
        var task = NearDuplicates(values: values, width: width, limit: limit), output: NearDuplicates.Output?
        while output == nil { output = try task.step() }
        let found = try #require(output)
        // A pair at the limit may fall on either side by rounding.
        let own = Set(found.pairs.map { [$0.first, $0.second] })
        for pair in own.symmetricDifference(expected) { #expect(abs(cosine(pair[0], pair[1]) - Float(limit)) < 1e-5, "\(pair)") }
        #expect(own.contains([3, 600]) && own.contains([512, 1_099]) && found.count == found.pairs.count)
        #expect(zip(found.pairs, found.pairs.dropFirst()).allSatisfy { $0.cosine >= $1.cosine })
    }
}
