import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import Encoders
@testable import Heads
@testable import Layers
@testable import TensorCore
@testable import Training

/// The reference's network below its classifier.
private final class ReferenceBody: TrainableBody {
    let bert: TrainableBert
    private let frozen: BertEncoder
    private let text: PaddedText
    private let pooling: String
    let parameters: [BodyParameter]
    let width: Int

    init(_ run: ReferenceRun, checkpointing: Bool) throws {
        let golden = run.golden, attributes = golden.attributes
        let base = try #require((golden.fields["files"] as? [String: String])?["base"])
        let folder = golden.folder.appending(path: base)
        let configuration = try BertConfiguration(json: Data(contentsOf: folder.appending(path: "config.json")))
        let weights = try Safetensors(folder.appending(path: "model.safetensors"))
        frozen = try BertEncoder(configuration: configuration, weights: weights)
        var tuning = FineTuning(depth: .all)
        if attributes["lora_rank"] != nil {
            let targets = try #require(attributes["targets"] as? [String]).compactMap(FineTuning.Target.init)
            tuning = FineTuning(
                lowRank: FineTuning.LowRank(
                    rank: Int(try run.reference.number("lora_rank")), alpha: Float(try run.reference.number("lora_alpha")),
                    targets: Set(targets)))
        }
        pooling = try #require(attributes["pooling"] as? String)
        tuning.pooler = pooling == "pooler"
        bert = try TrainableBert(
            configuration: configuration, weights: weights, tuning: tuning, seed: 1, checkpointing: checkpointing)
        text = try PaddedText(run)
        width = configuration.hiddenSize
        let bert = bert
        parameters = bert.parameters.map { BodyParameter($0, depth: bert.depth(of: $0)) }
    }

    func features(_ batch: [JointRows], dropoutSeed: UInt64?) throws -> Tensor {
        let tokens = text.batch(batch.flatMap(\.rows)), hidden = bert(tokens, over: frozen)
        switch pooling {
        case "mean": return Pooling(mode: .mean, normalise: false)(hidden, tokens.offsets)
        case "cls": return Pooling(mode: .cls, normalise: false)(hidden, tokens.offsets)
        default: return bert.pooled(hidden, tokens.offsets)
        }
    }
}

@Suite("Golden: joint training step by step", .enabled(if: Golden.has("train"), "no reference values at HIDRA_GOLDEN"))
struct GoldenJointTests {
    static let cases = Golden.cases("train").filter { $0.name.hasPrefix("bert_") }

    @Test("ten steps of adapters and of a whole BERT are PyTorch's, layers remembered or computed twice", arguments: cases, [false, true])
    func bert(_ golden: GoldenCase, checkpointing: Bool) throws {
        let run = try ReferenceRun(golden), reference = run.reference
        let body = try ReferenceBody(run, checkpointing: checkpointing), labels = try run.classes("labels")
        let classes = Int(try reference.number("classes")), steps = Int(try reference.number("steps"))
        let head = HeadNetwork(.linear, width: body.width, outputs: classes, in: ParameterScope(initialisedFrom: 0))
        let named = body.parameters.map { ("bert.\($0.parameter.name)", $0.parameter) }
            + zip(["classifier.weight", "classifier.bias"], head.parameters).map { ($0, $1) }
        try run.begin(named)
        var settings = JointSettings()
        (settings.epochs, settings.clipNorm) = (1000, reference.optional("clip_max_norm"))
        settings.learningRate = try reference.number("lr")
        settings.bodyLearningRate = settings.learningRate
        let scheduled = reference.attributes["schedule"] != nil
        let trainer = try JointTrainer(
            datasets: [JointDataset("rows", .body(rows: labels.count))],
            heads: [JointHead("classifier", head, dataset: 0, targets: .classes(labels))], body: body, settings: settings,
            optimiser: { parameters in
                do { return try reference.make("adamw", parameters) } catch { preconditionFailure("\(error)") }
            },
            schedule: scheduled ? .linear(warmup: 2, total: 10) : .constant(),
            rows: { [JointRows(dataset: 0, rows: run.batch($0))] })
        let losses = try run.file.tensor("loss").values, norms = run.has("grad_norm") ? try run.file.tensor("grad_norm").values : []
        for step in 0..<steps {
            #expect(trainer.rate(settings.learningRate) == (try reference.rate(step)))
            guard case .step(let own, let norm) = try trainer.advance() else { Issue.record("no step"); return }
            let (absolute, relative) = golden.tolerance("loss")
            let worst = difference([own["classifier"] ?? 0], [losses[step]], absolute: absolute, relative: relative)
            #expect(worst.isWithinTolerance, "\(golden.name) loss of step \(step): \(worst)")
            if !norms.isEmpty {
                let (absolute, relative) = golden.tolerance("grad_norm")
                let worst = difference([Float(norm ?? 0)], [norms[step]], absolute: absolute, relative: relative)
                #expect(worst.isWithinTolerance, "\(golden.name) norm of step \(step): \(worst)")
            }
        }
        for (name, parameter) in named where golden.compared.contains("final.\(name)") {
            try run.expect("final.\(name)", parameter.value)
        }
        #expect(!run.compared.isEmpty)
    }
}
