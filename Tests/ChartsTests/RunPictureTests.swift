import Foundation
import Images
import Statistics
import Testing

@testable import Charts

@Suite("Pictures of runs")
struct RunPictureTests {
    static func picture(labels: Int, rows: Int = 400) -> RunPicture {
        var picture = RunPicture(title: "bank on minilm")
        picture.subtitle = "run-12345678"
        let steps: [Double] = (1...20).map { Double($0) }
        picture.curves = [
            RunPicture.Curve(name: "loss", points: steps.map { (step: 10 * $0, value: 3 / $0) }),
            RunPicture.Curve(name: "validation_score", points: steps.map { (step: 10 * $0, value: 1 - 1 / ($0 + 1)) }),
        ]
        picture.labels = (0..<labels).map { "a label of some length \($0)" }
        var confidence: [Double] = [], isRight: [Bool] = []
        for row in 0..<rows {
            let actual = row % labels, predicted = row % 7 == 0 ? (row + 3) % labels : actual
            picture.actual.append(actual)
            picture.predicted.append(predicted)
            confidence.append(0.4 + Double(row % 60) / 100)
            isRight.append(actual == predicted)
            let x: Double = cos(Double(row)) + Double(actual), y: Double = sin(Double(row)) * Double(row % 5)
            picture.map.append((x: x, y: y))
        }
        picture.calibration = Reliability(confidence: confidence, isRight: isRight)
        picture.mapKinds = picture.actual
        picture.mapNames = picture.labels
        return picture
    }

    private func file(_ ending: String) -> String {
        FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).\(ending)").path
    }

    @Test("a PNG is a picture of a light ground with something on it, for few and for many labels", arguments: [2, 20, 77, 150])
    func png(_ labels: Int) throws {
        let path = file("png")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Self.picture(labels: labels).write(to: path, format: .png)
        let image = try Data(contentsOf: URL(filePath: path)).withUnsafeBytes { bytes throws in
            try RGBImage(decoding: bytes)
        }
        #expect(image.width > 1_000 && image.height > 1_000)
        let dark = image.pixels.count { $0 < 128 }, share = Double(dark) / Double(image.pixels.count)
        #expect(share > 0.001 && share < 0.3, "\(share) of the values are dark")
    }

    @Test("an SVG has text and shapes, and only what was asked for")
    func svg() throws {
        let path = file("svg")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Self.picture(labels: 20).write(to: path, format: .svg, only: [.confusion])
        let all = try String(contentsOfFile: path, encoding: .utf8)
        #expect(all.hasPrefix("<?xml") && all.contains("<svg") && all.contains("</svg>"))
        let whole = file("svg")
        defer { try? FileManager.default.removeItem(atPath: whole) }
        try Self.picture(labels: 20).write(to: whole, format: .svg)
        #expect(try String(contentsOfFile: whole, encoding: .utf8).count > all.count)
    }

    @Test("a run of which nothing is kept is an error, and so is a folder that does not exist")
    func nothing() {
        #expect(throws: ChartError.self) { try RunPicture(title: "x").write(to: file("png"), format: .png) }
        for format in PictureFormat.allCases {
            #expect(throws: ChartError.self) { try Self.picture(labels: 3).write(to: "/nowhere/x.\(format)", format: format) }
        }
    }

    @Test("ticks are round numbers within the axis, and told apart by their digits")
    func ticks() {
        #expect(Axis([0.0, 1.0], fixed: 0...1).ticks.map { ($0 * 10).rounded() / 10 } == [0, 0.2, 0.4, 0.6, 0.8, 1])
        for (low, high) in [(0.0, 3.7), (-1234, 99), (0.00012, 0.00019), (5, 5), (0, 1e7)] {
            let axis = Axis([low, high])
            #expect(axis.ticks.count >= 3 && axis.ticks.allSatisfy { $0 >= axis.low - 1e-12 && $0 <= axis.high + 1e-12 })
            #expect(Set(axis.ticks.map(axis.text)).count == axis.ticks.count, "\(axis.ticks.map(axis.text))")
        }
    }
}
