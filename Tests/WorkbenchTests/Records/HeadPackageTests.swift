import Archives
import Foundation
import Graphs
import State
import Testing
import TestSupport

@testable import Heads
@testable import Training
@testable import Workbench

@Suite("Bundles of heads")
struct HeadPackageTests {
    /// A bench with a head "letters", and its bundle.
    private func exported(task: HeadTask = .classify) async throws -> (bench: Bench, bundle: Data) {
        let bench = try await Bench(), base = rows(200)
        let labels = task == .regress ? base.labels.map { String(100 + 7 * Int($0.unicodeScalars.first?.value ?? 0)) } : base.labels
        var request = TrainingRequest(
            head: "letters", encoder: "tiny", task: task, rows: LabelledRows(columns: base.columns, labels: labels), holdout: 0.2)
        request.settings.epochs = 10
        _ = try await bench.workbench.train(request)
        return (bench, try await bench.workbench.exportBundle(head: "letters"))
    }

    private func home(_ encoders: [(String, UInt64)]) async throws -> Bench {
        let bench = try await Bench(folder: TemporaryFolder())
        for (name, seed) in encoders { try await bench.register(name, seed: seed) }
        return bench
    }

    @Test("a head answers in another home as in its own, under whatever name its encoder has there; its run comes along")
    func roundTrip() async throws {
        let (bench, bundle) = try await exported()
        #expect(try await bench.workbench.exportBundle(head: "letters") == bundle)
        let other = try await home([("other-name", 1)])
        let result = try await other.workbench.importBundle(bundle, name: "copy", replace: false)
        #expect(result.isNew && result.head.name == "copy" && result.head.encoder == "other-name" && result.notes.isEmpty)
        let texts = rows(30, salt: 77).inputs
        let ours = try await bench.workbench.predict(heads: ["letters"], columns: [texts], top: 4)
        let theirs = try await other.workbench.predict(heads: ["copy"], columns: [texts], top: 4)
        #expect(ours.inputs == theirs.inputs)
        let kept = try await bench.workbench.testRows(of: "letters").rows
        #expect(try await other.workbench.testRows(of: "copy").rows == kept)
        let history = try await other.workbench.registry.history(run: result.head.run)
        let own = try await bench.workbench.registry.history(run: result.head.run).map(\.value)
        #expect(!history.isEmpty && history.map(\.value) == own)
        // Once more changes nothing.
        let again = try await other.workbench.importBundle(bundle, name: "copy", replace: false)
        #expect(!again.isNew)
        try await bench.workbench.close()
        try await other.workbench.close()
    }

    @Test("without the encoder, or with another version of it, the error says what to pull")
    func encoders() async throws {
        let (bench, bundle) = try await exported()
        let without = try await home([("unrelated", 2)]), changed = try await home([("tiny", 2)])
        let missing = await #expect(throws: WorkbenchError.self) { try await without.workbench.importBundle(bundle, name: nil, replace: false) }
        #expect(missing?.code == .notFound && missing?.message.contains("hidra pull") ?? false && missing?.details["encoder"] == "tiny")
        let version = await #expect(throws: WorkbenchError.self) { try await changed.workbench.importBundle(bundle, name: nil, replace: false) }
        #expect(version?.code == .conflict && version?.message.contains("another version") ?? false)
        for bench in [bench, without, changed] { try await bench.workbench.close() }
    }

    @Test("whatever is altered in a bundle is noticed, and nothing of it stays")
    func altered() async throws {
        let (bench, bundle) = try await exported()
        let members = try ZipFile.decode(bundle)
        for index in members.indices {
            var changed = members
            changed[index].bytes.append(0x20)
            let file = try ZipFile.encode(changed)
            if members[index].name == HeadPackage.index { continue }
            let error = await #expect(throws: WorkbenchError.self, "\(members[index].name)") {
                try await bench.workbench.importBundle(file, name: "altered", replace: false)
            }
            #expect(error?.code == .corrupt)
        }
        for file in [Data(), Data("no archive".utf8), bundle.prefix(bundle.count / 2), try ZipFile.encode(Array(members.dropFirst()))] {
            let error = await #expect(throws: WorkbenchError.self) { try await bench.workbench.importBundle(file, name: "altered", replace: false) }
            #expect(error?.code == .corrupt)
        }
        #expect(try await bench.workbench.registry.heads().map(\.name) == ["letters"])
        try await bench.workbench.close()
    }

    @Test("a bundle of a newer version is refused, and so are names that lead out of the head's folder")
    func refused() async throws {
        let (bench, bundle) = try await exported()
        var members = try ZipFile.decode(bundle)
        let place = try #require(members.firstIndex { $0.name == HeadPackage.index })
        let index = String(decoding: members[place].bytes, as: UTF8.self)
        members[place].bytes = Data(index.replacingOccurrences(of: "\"format\" : 1", with: "\"format\" : 2").utf8)
        let newer = try ZipFile.encode(members)
        let error = await #expect(throws: WorkbenchError.self) { try await bench.workbench.importBundle(newer, name: "x", replace: false) }
        #expect(error?.code == .unsupported)
        members[place].bytes = Data(
            index.replacingOccurrences(of: "\"head.safetensors\"", with: "\"../../escape\"")
                .replacingOccurrences(of: "\"head/head.safetensors\"", with: "\"head/../../escape\"").utf8)
        for position in members.indices where members[position].name == "head/head.safetensors" { members[position].name = "head/../../escape" }
        let outside = try ZipFile.encode(members)
        let escape = await #expect(throws: WorkbenchError.self) { try await bench.workbench.importBundle(outside, name: "x", replace: false) }
        #expect(escape?.code == .corrupt)
        try await bench.workbench.close()
    }

    @Test("another head of the name stays unless it is to be replaced")
    func names() async throws {
        let (bench, bundle) = try await exported()
        _ = try await bench.workbench.train(TrainingRequest(head: "taken", encoder: "tiny", rows: rows(60)))
        let error = await #expect(throws: WorkbenchError.self) { try await bench.workbench.importBundle(bundle, name: "taken", replace: false) }
        #expect(error?.code == .alreadyExists)
        let replaced = try await bench.workbench.importBundle(bundle, name: "taken", replace: true)
        let letters = try await bench.workbench.registry.head(named: "letters")
        #expect(replaced.head.digest == letters.digest)
        try await bench.workbench.close()
    }

    @Test("the model card names data, measures, classes, limits and the encoder with its digest")
    func card() async throws {
        let (bench, bundle) = try await exported()
        let members = Dictionary(uniqueKeysWithValues: try ZipFile.decode(bundle).map { ($0.name, $0.bytes) })
        let card = String(decoding: members[HeadPackage.card] ?? Data(), as: UTF8.self)
        let head = try await bench.workbench.registry.head(named: "letters"), run = try await bench.workbench.registry.run(head.run)
        for part in ["# letters", head.encoderDigest, run.provenance?.dataDigest ?? "–", "accuracy", "## Limits", "hidra import letters.hidra", "| a |"] {
            #expect(card.contains(part), "\(part)")
        }
        #expect(Set(members.keys).isSuperset(of: ["bundle.json", "head/head.safetensors", "head/head.json", "model.onnx", "run.json", "test-rows.json"]))
        try await bench.workbench.close()
    }

    @Test("the exported model of a regression gives the numbers themselves")
    func regression() async throws {
        let (bench, bundle) = try await exported(task: .regress)
        let members = Dictionary(uniqueKeysWithValues: try ZipFile.decode(bundle).map { ($0.name, $0.bytes) })
        let model = try #require(members["model.onnx"])
        let program = try GraphProgram(GraphModel(data: model))
        let texts = rows(10, salt: 3).inputs
        let features = try await bench.workbench.embed(encoder: "tiny", inputs: texts, tap: "")
        let input = try GraphValue(type: .float32, shape: [10, features.width], bytes: features.values.withUnsafeBytes { Data($0) })
        let outputs = try program.run(inputs: ["features": input])
        let output = try #require(outputs.first).value
        let numbers = output.bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        let answers = try await bench.workbench.predict(heads: ["letters"], columns: [texts], top: 0)
        for (row, number) in numbers.enumerated() {
            guard case .value(let value) = answers.inputs[row][0] else { return #expect(Bool(false)) }
            #expect(abs(Double(number) - value) < 1e-3 * abs(value), "\(number), \(value)")
        }
        #expect(numbers.allSatisfy { $0 > 600 && $0 < 1000 })
        try await bench.workbench.close()
    }
}
