import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import Encoders
@testable import Heads
@testable import TensorCore
@testable import Training
@testable import Tuning

/// A tiny encoder, and texts with two kinds of labels.
struct TinyTuning {
    let folder: TemporaryFolder
    let encoder: TextEncoder
    let texts: [TokenizedText]
    let labels: [Int32]

    static let lora = FineTuning(lowRank: FineTuning.LowRank(rank: 3, alpha: 6, targets: Set(FineTuning.Target.allCases)))
    static let top = FineTuning(depth: .top(1))
    static let both = [lora, top, FineTuning(lowRank: FineTuning.LowRank(rank: 2, alpha: 4, targets: [.output], top: 1))]

    init() throws {
        folder = try TemporaryFolder()
        try TinyEncoder.write(to: folder.url)
        encoder = try TextEncoder(folder: folder.url)
        let words = ["abc", "bad cab", "dig", "fed up", "x y z", "zoo", "quay", "why not", "mix", "a b c d"]
        texts = (0..<40).map { [encoder] in encoder.tokenize("\(words[$0 % 10]) \(words[($0 / 10 + $0) % 10])") }
        labels = (0..<40).map { Int32($0 % 10 < 5 ? 0 : 1) }
    }

    func body(_ tuning: FineTuning, states: Bool = false, checkpointing: Bool = false) throws -> TextBody {
        let plain = try TextBody(encoder, tuning: tuning, seed: 4, inputs: [.texts(texts)], checkpointing: checkpointing)
        guard states, let trunk = plain.trunk else { return plain }
        let hidden = encoder.states(texts, tap: trunk), offsets = SequenceOffsets(lengths: texts.map(\.count))
        let places = (0..<texts.count).map {
            TokenStates.Place(chunk: 0, start: offsets[$0].lowerBound * encoder.width, tokens: texts[$0].count)
        }
        let table = TokenStates(chunks: [hidden.values], places: places, width: encoder.width)
        return try TextBody(encoder, tuning: tuning, seed: 4, inputs: [.states(table)], checkpointing: checkpointing)
    }

    func trainer(_ body: TextBody) throws -> JointTrainer {
        var settings = JointSettings()
        (settings.epochs, settings.batchSize, settings.learningRate, settings.bodyLearningRate) = (3, 8, 0.05, 0.01)
        let network = HeadNetwork(.linear, width: body.width, outputs: 2, in: ParameterScope(initialisedFrom: 2))
        return try JointTrainer(
            datasets: [JointDataset("texts", .body(rows: texts.count))],
            heads: [JointHead("kind", network, dataset: 0, targets: .classes(labels))], body: body, settings: settings)
    }

    func train(_ body: TextBody) throws {
        let trainer = try trainer(body)
        while !trainer.isFinished { _ = try trainer.advance() }
    }

    func write(_ body: TextBody, _ name: String = "adapted") throws -> URL {
        let target = folder.url.appending(path: name)
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        try body.write(base: "tiny", digest: "d", source: "hf:org/tiny", to: target)
        return target
    }
}

@Suite("Encoders that were trained from others")
struct AdaptedEncoderTests {
    private let tiny: TinyTuning

    init() throws { tiny = try TinyTuning() }

    @Test("give what the trained body gives, and up to the cut what the base gives", arguments: TinyTuning.both)
    func inference(_ tuning: FineTuning) throws {
        let body = try tiny.body(tuning)
        try tiny.train(body)
        let folder = try tiny.write(body), adapted = try AdaptedFolder.load(folder, base: tiny.encoder)
        let rows = JointRows(dataset: 0, rows: Array(0..<40))
        let expected = try body.evaluate([rows]), actual = adapted.features(tiny.texts)
        let worst = difference(actual, expected, absolute: 1e-5, relative: 1e-5)
        #expect(worst.isWithinTolerance, "\(tuning): \(worst)")
        let before = tiny.encoder.features(tiny.texts)
        #expect(zip(actual.values, before.values).contains { abs($0 - $1) > 1e-3 }, "training has changed nothing")
        let cut = try AdaptedFolder.base(folder).cut
        #expect(cut == body.trunk)
        for tap in 0...cut {
            #expect(adapted.features(tiny.texts, tap: tap).values == tiny.encoder.features(tiny.texts, tap: tap).values)
        }
        #expect(adapted.encoder.weightMemory.mapped == 0)
        #expect(cut == 0 || adapted.encoder.weightMemory.packed < tiny.encoder.encoder.weightMemory.packed)
        // In int8 too, upon the base in int8.
        let quantised = try AdaptedFolder.load(folder, base: TextEncoder(folder: tiny.folder.url, precision: .int8))
        let near = difference(quantised.features(tiny.texts), expected, absolute: 0.1, relative: 0.1)
        #expect(quantised.precision == .int8 && near.isWithinTolerance, "\(near)")
    }

    @Test("from cached states at the cut the body learns the same, to the bit", arguments: TinyTuning.both)
    func states(_ tuning: FineTuning) throws {
        let plain = try tiny.body(tuning), cached = try tiny.body(tuning, states: true)
        try tiny.train(plain)
        try tiny.train(cached)
        #expect(zip(plain.parameters, cached.parameters).allSatisfy { $0.parameter.value.values == $1.parameter.value.values })
    }

    @Test("layers computed twice learn the same within rounding, adapters or whole layers", arguments: TinyTuning.both)
    func checkpointing(_ tuning: FineTuning) throws {
        let plain = try tiny.body(tuning), twice = try tiny.body(tuning, checkpointing: true)
        let (first, second) = (try tiny.trainer(plain), try tiny.trainer(twice))
        for _ in 0..<5 { #expect(try first.advance() == second.advance()) }
        for (a, b) in zip(plain.parameters, twice.parameters) {
            let worst = difference(b.parameter.value, a.parameter.value, absolute: 1e-6, relative: 1e-5)
            #expect(worst.isWithinTolerance, "\(a.parameter.name): \(worst)")
        }
    }

    @Test("the same training writes the same bytes; nothing of the base is in the folder", arguments: TinyTuning.both)
    func bytes(_ tuning: FineTuning) throws {
        var contents: [[String: Data]] = []
        for name in ["first", "second"] {
            let body = try tiny.body(tuning)
            try tiny.train(body)
            let folder = try tiny.write(body, name)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            contents.append(
                Dictionary(uniqueKeysWithValues: try names.map { ($0, try Data(contentsOf: folder.appending(path: $0))) }))
        }
        #expect(contents[0] == contents[1])
        let weights = tuning.lowRank == nil ? ["adapted.safetensors"] : ["adapter_config.json", "adapter_model.safetensors"]
        #expect(Set(contents[0].keys) == Set(["adapted.json"] + weights))
    }

    @Test("a body resumes to the bit", arguments: TinyTuning.both)
    func resume(_ tuning: FineTuning) throws {
        let whole = try tiny.trainer(tiny.body(tuning)), cut = try tiny.trainer(tiny.body(tuning))
        for _ in 0..<4 { _ = try whole.advance() }
        try cut.restore(whole.state())
        while !whole.isFinished { _ = try whole.advance() }
        while !cut.isFinished { _ = try cut.advance() }
        #expect(try whole.state().encoded() == cut.state().encoded())
    }

    @Test("folders that do not fit are refused, with the reason")
    func refused() throws {
        let body = try tiny.body(TinyTuning.lora), folder = try tiny.write(body)
        func message(_ change: (URL) throws -> Void) throws -> String {
            let copy = tiny.folder.url.appending(path: UUID().uuidString)
            try FileManager.default.copyItem(at: folder, to: copy)
            try change(copy)
            do {
                _ = try AdaptedFolder.load(copy, base: tiny.encoder)
                return ""
            } catch { return "\(error)" }
        }
        func edit(_ file: String, _ old: String, _ new: String) -> (URL) throws -> Void {
            { folder in
                let url = folder.appending(path: file), text = try String(contentsOf: url, encoding: .utf8)
                #expect(text.contains(old), "\(text)")
                try text.replacing(old, with: new).write(to: url, atomically: true, encoding: .utf8)
            }
        }
        #expect(try message { _ in } == "")
        #expect(try message(edit("adapted.json", "\"format\" : 1", "\"format\" : 7")).contains("format 7"))
        #expect(try message(edit("adapted.json", "\"cut\" : 0", "\"cut\" : 2")).contains("cut is 2"))
        #expect(try message(edit("adapter_config.json", "\"r\" : 3", "\"r\" : 4")).contains("of rank 4"))
        #expect(try message(edit("adapter_config.json", "LORA", "IA3")).contains("IA3"))
        #expect(try message(edit("adapter_config.json", "\"bias\" : \"none\"", "\"bias\" : \"all\"")).contains("biases"))
        #expect(try message { try FileManager.default.removeItem(at: $0.appending(path: "adapter_model.safetensors")) }.contains("cannot be opened"))
        let strange = ["base_model.model.encoder.layer.9.output.dense.lora_A.weight": Tensor(repeating: 0, [3, 64]),
            "base_model.model.encoder.layer.9.output.dense.lora_B.weight": Tensor(repeating: 0, [32, 3])]
        #expect(try message { try SafetensorsWriter.encode(strange).write(to: $0.appending(path: "adapter_model.safetensors")) }.contains("layer.9"))
        // What was adapted once is trained again from its base.
        let adapted = try AdaptedFolder.load(folder, base: tiny.encoder)
        #expect(throws: CheckpointError.self) { try TextBody(adapted, tuning: TinyTuning.top, seed: 1, inputs: []) }
    }
}
