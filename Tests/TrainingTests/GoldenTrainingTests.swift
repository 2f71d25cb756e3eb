import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import Encoders
@testable import Heads
@testable import Layers
@testable import TensorCore
@testable import Training

@Suite("Golden: training step by step", .enabled(if: Golden.has("train"), "no reference values at HIDRA_GOLDEN"))
struct GoldenTrainingTests {
    static let all = Golden.cases("train")
    static func cases(_ prefixes: String...) -> [GoldenCase] {
        all.filter { golden in prefixes.contains { golden.name.hasPrefix($0) } }
    }
    static let families = [
        "linear_head", "mlp_head", "bert_lora", "bert_full", "conv_autoencoder", "batchnorm_cnn", "mnr_projection",
    ]

    @Test("every case of the reference belongs to a test below")
    func complete() {
        for golden in Self.all {
            #expect(Self.families.contains { golden.name.hasPrefix($0) }, "nothing trains \(golden.name)")
        }
    }

    @Test("heads", arguments: cases("linear_head", "mlp_head"))
    func heads(_ golden: GoldenCase) throws {
        let run = try ReferenceRun(golden), file = run.file
        let features = FeatureTable(try file.tensor("features")), labels = Targets.classes(try run.classes("labels"))
        let isLinear = run.has("init.weight")
        let names =
            isLinear
            ? ["output.weight": "weight", "output.bias": "bias"]
            : [
                "hidden.weight": "fc1.weight", "hidden.bias": "fc1.bias", "output.weight": "fc2.weight",
                "output.bias": "fc2.bias",
            ]
        let outputs = try file.tensor(isLinear ? "init.bias" : "init.fc2.bias").count
        let kind = isLinear ? HeadKind.linear : .mlp(hidden: try file.tensor("init.fc1.bias").count, dropout: 0)
        if !isLinear {
            try #require(golden.attributes["activation"] as? String == "gelu_erf", "the head's activation is GELU")
        }
        let network = HeadNetwork(kind, width: features.width, outputs: outputs, in: ParameterScope(initialisedFrom: 0))
        let parameters = try network.parameters.map { (try #require(names[$0.name]), $0) }
        try run.begin(parameters)
        let objective = Objective(smoothing: Float(run.reference.optional("label_smoothing") ?? 0))
        try run.follow(parameters) { rows in
            objective(try network(features.gather(rows), dropoutSeed: nil), labels.selecting(rows))
        }
        run.requireComplete()
    }

    @Test("a projection learns to rank", arguments: cases("mnr_projection"))
    func ranking(_ golden: GoldenCase) throws {
        let run = try ReferenceRun(golden)
        let anchors = FeatureTable(try run.file.tensor("anchor")),
            positives = FeatureTable(try run.file.tensor("positive"))
        let parameters = try run.initial()
        let weight = try #require(parameters.first { $0.0 == "weight" }).1.value
        let bias = try #require(parameters.first { $0.0 == "bias" }).1.value
        // "multiple negatives ranking, cosine, scale 20"
        let text = try #require(golden.attributes["loss"] as? String)
        let scale = try #require(text.split(separator: " ").last.flatMap { Float($0) })
        let loss = MultipleNegativesRanking(scale: scale, similarity: text.contains("cosine") ? .cosine : .dot)
        try run.follow(parameters) { rows in
            loss(
                LinearProduct()(anchors.gather(rows), weight, bias),
                LinearProduct()(positives.gather(rows), weight, bias))
        }
        run.requireComplete()
    }

    @Test("convolutional networks", arguments: cases("conv_autoencoder", "batchnorm_cnn"))
    func convolution(_ golden: GoldenCase) throws {
        let run = try ReferenceRun(golden), images = try run.file.tensor("images")
        let parameters = try run.initial()
        let architecture = try #require(golden.fields["architecture"] as? String)
        let network = try ReferenceNetwork(architecture, parameters: parameters.map(\.1), attributes: golden.attributes)
        let flat = FeatureTable(images.reshapedView([images.shape[0], images.count / images.shape[0]]))
        func batch(_ rows: [Int]) -> Tensor {
            flat.gather(rows).reshapedView(Shape([rows.count] + images.shape.dimensions.dropFirst()))
        }
        let labels = run.has("labels") ? try run.classes("labels") : nil
        try run.follow(parameters) { rows in
            let x = batch(rows), y = try network(x, training: true)
            guard let labels else { return MeanSquaredError()(y, x) }
            return CrossEntropy(targets: rows.map { labels[$0] })(y)
        }
        for (name, value) in network.running { try run.expect("final.\(name)", value) }
        if run.has("final_reconstruction") {
            let expected = try run.file.tensor("final_reconstruction")
            try run.expect("final_reconstruction", try network(batch(Array(0..<expected.shape[0])), training: false))
        }
        if run.has("final_eval_logits") { try run.expect("final_eval_logits", try network(images, training: false)) }
        run.requireComplete()
    }

    @Test("BERT, with adapters and as a whole", arguments: cases("bert_lora", "bert_full"))
    func bert(_ golden: GoldenCase) throws {
        let run = try ReferenceRun(golden), attributes = golden.attributes
        let base = try #require((golden.fields["files"] as? [String: String])?["base"])
        let folder = golden.folder.appending(path: base)
        let configuration = try BertConfiguration(json: Data(contentsOf: folder.appending(path: "config.json")))
        let weights = try Safetensors(folder.appending(path: "model.safetensors"))
        let frozen = try BertEncoder(configuration: configuration, weights: weights)
        var tuning = FineTuning(depth: .all)
        if attributes["lora_rank"] != nil {
            let targets = try #require(attributes["targets"] as? [String]).compactMap(FineTuning.Target.init)
            tuning = FineTuning(
                lowRank: FineTuning.LowRank(
                    rank: Int(try run.reference.number("lora_rank")),
                    alpha: Float(try run.reference.number("lora_alpha")),
                    targets: Set(targets)))
        }
        tuning.pooler = attributes["pooling"] as? String == "pooler"
        let text = try PaddedText(run)
        func model(_ tuning: FineTuning) throws -> (TrainableBert, [(String, Parameter)]) {
            let bert = try TrainableBert(configuration: configuration, weights: weights, tuning: tuning, seed: 1)
            return (bert, bert.parameters.map { ("bert.\($0.name)", $0) })
        }
        let classifier = try parameters(
            ["classifier.weight", "classifier.bias"].map { ($0, try run.file.tensor("init.\($0)")) })
        func logits(_ bert: TrainableBert, _ rows: [Int]) -> Tensor {
            let batch = text.batch(rows), hidden = bert(batch, over: frozen)
            let pooled: Tensor
            switch attributes["pooling"] as? String {
            case "mean": pooled = Pooling(mode: .mean, normalise: false)(hidden, batch.offsets)
            case "cls": pooled = Pooling(mode: .cls, normalise: false)(hidden, batch.offsets)
            default: pooled = bert.pooled(hidden, batch.offsets)
            }
            return LinearProduct()(pooled, classifier[0].value, classifier[1].value)
        }
        let labels = try run.classes("labels")
        func loss(_ bert: TrainableBert, _ rows: [Int]) -> Tensor {
            CrossEntropy(targets: rows.map { labels[$0] })(logits(bert, rows))
        }

        if tuning.lowRank != nil, golden.compared.contains(where: { $0.hasPrefix("grad0_unfrozen.") }) {
            // What the frozen weights' gradients would be: nothing below an adapter may be cut off.
            let (whole, all) = try model(FineTuning(depth: .all, lowRank: tuning.lowRank))
            try run.begin(all)
            let gradients = loss(whole, run.batch(0)).gradients(for: all.map(\.1.value))
            for ((name, _), gradient) in zip(all, gradients) where golden.compared.contains("grad0_unfrozen.\(name)") {
                try run.expect("grad0_unfrozen.\(name)", gradient)
            }
        }
        let (bert, adapters) = try model(tuning)
        let trained = adapters + classifier.map { ($0.name, $0) }
        try run.begin(trained)
        try run.follow(trained) { loss(bert, $0) }
        for (layer, target, weight) in bert.mergedWeights()
        where run.has("merged.layer.\(layer).\(target.rawValue).weight") {
            try run.expect("merged.layer.\(layer).\(target.rawValue).weight", weight)
        }
        try run.expect("final_logits", logits(bert, Array(0..<labels.count)))
        run.requireComplete()
    }
}
