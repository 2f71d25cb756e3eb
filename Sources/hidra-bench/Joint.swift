import ArgumentParser
import Checkpoints
import Encoders
import Foundation
import Heads
import Tables
import TensorCore
import Training
import Tuning

/// Two heads, Banking77's and CLINC150's, trained together with low-rank adapters: how well and how fast.
struct Joint: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "joint", abstract: "Trains a Banking77 head and a CLINC150 head together with low-rank adapters, and tests both.",
        discussion: "Example: hidra-bench joint --model MINILM --banking banking77 --clinc clinc150/data_full.json")

    @Option(help: "Folder of an encoder.") var model: String
    @Option(help: "Folder with train.csv and test.csv, columns text and category.") var banking: String
    @Option(help: "data_full.json of CLINC150.") var clinc: String
    @Option var rank = 8
    @Option var epochs = 6
    @Option var batchSize = 32
    @Option var learningRate = 0.01
    @Option var bodyLearningRate = 0.002
    @Option(help: "fixed, uncertainty, gradnorm or pcgrad.") var balance = "fixed"
    @Option(help: "proportional, \"temperature T\" or round-robin.") var sampler = "proportional"
    @Option var smoothing = 0.1
    @Option var validation = 0.05
    @Option var weightDecay = 0.01
    @Option(help: "Comma-separated maps.") var targets = "query,key,value,attention.output"
    @Flag(help: "Train the heads on the frozen encoder's features first.") var warmHeads = false

    private struct Split {
        var texts: [String] = [], labels: [String] = []
    }

    func run() throws {
        let start = ContinuousClock.now
        func seconds() -> Double { (ContinuousClock.now - start) / .seconds(1) }
        let encoder = try TextEncoder(folder: URL(filePath: model))
        let data = try [bankingData(), clincData()]
        let names = ["banking77", "clinc150"]
        var heads: [JointHead] = [], inputs: [BodyInputs] = [], classes: [[String]] = []
        for (index, own) in data.enumerated() {
            let all = Array(Set(own.train.labels)).sorted(), texts = own.train.texts.map(encoder.tokenize)
            let places = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1, Int32($0)) })
            let labels = own.train.labels.map { places[$0] ?? 0 }, objective = Objective(smoothing: Float(smoothing))
            let network = HeadNetwork(.linear, width: encoder.width, outputs: all.count, in: ParameterScope(initialisedFrom: 1))
            if warmHeads { try warm(network, encoder, texts, .classes(labels), objective) }
            classes.append(all)
            inputs.append(.texts(texts))
            heads.append(JointHead(names[index], network, dataset: index, targets: .classes(labels), objective: objective))
        }
        guard let sampler = JointSampler(sampler), let balance = JointBalance(rawValue: balance) else {
            throw ValidationError("no such sampler or balance")
        }
        let maps = Set(targets.split(separator: ",").compactMap { FineTuning.Target(rawValue: String($0)) })
        let tuning = FineTuning(lowRank: FineTuning.LowRank(rank: rank, alpha: Float(2 * rank), targets: maps))
        let body = try TextBody(encoder, tuning: tuning, seed: 1, inputs: inputs)
        var settings = JointSettings()
        (settings.epochs, settings.batchSize, settings.sampler, settings.balance) = (epochs, batchSize, sampler, balance)
        (settings.learningRate, settings.bodyLearningRate) = (learningRate, bodyLearningRate)
        (settings.validation, settings.weightDecay) = (validation, weightDecay)
        let trainer = try JointTrainer(
            datasets: zip(names, inputs).map { JointDataset($0, .body(rows: $1.rows)) }, heads: heads, body: body,
            settings: settings)
        let prepared = seconds()
        while !trainer.isFinished {
            guard case .epoch(let ended) = try trainer.advance() else { continue }
            say([("bench", "joint, an epoch"), ("epoch", trainer.epoch), ("seconds", seconds())]
                + ended.sorted { $0.key < $1.key }.flatMap { name, epoch -> [(String, any CustomStringConvertible)] in
                    [("\(name)_loss", epoch.loss), ("\(name)_validation", epoch.score)]
                })
        }
        let trained = seconds()
        for (index, own) in data.enumerated() {
            let (known, unknown) = try test(own.test, own.outOfScope, encoder, body, heads[index].network, classes[index])
            say([
                ("bench", "joint"), ("head", names[index]), ("accuracy", known), ("out_of_scope_recall", unknown),
                ("best_epoch", trainer.bestEpoch(index)), ("steps", trainer.step),
                ("steps_per_second", Double(trainer.step) / (trained - prepared)), ("seconds", trained),
            ])
        }
    }

    /// Trains a head on frozen features: adapters then begin from a head that knows its labels.
    private func warm(
        _ network: HeadNetwork, _ encoder: TextEncoder, _ texts: [TokenizedText], _ targets: Targets, _ objective: Objective
    ) throws {
        var vectors: [Float] = []
        for start in stride(from: 0, to: texts.count, by: 64) {
            vectors += encoder.features(Array(texts[start..<min(start + 64, texts.count)])).values
        }
        var settings = TrainingSettings()
        (settings.epochs, settings.validation) = (15, validation)
        let trainer = Trainer(
            network, features: FeatureTable(Tensor(vectors, [texts.count, encoder.width])), targets: targets,
            objective: objective, settings: settings, learningRate: 0.02)
        while !trainer.isFinished { try trainer.advance() }
        say([("bench", "joint, head on frozen features"), ("score", trainer.bestScore)])
    }

    /// Accuracy on texts of known labels; and the share of others whose likeliest label has less than the probability that 95 of 100
    /// known texts exceed.
    private func test(
        _ split: Split, _ outOfScope: [String], _ encoder: TextEncoder, _ body: TextBody, _ network: any Network,
        _ classes: [String]
    ) throws -> (Double, Double) {
        func confidences(_ texts: [String]) throws -> [(label: Int, probability: Float)] {
            var result: [(Int, Float)] = []
            for start in stride(from: 0, to: texts.count, by: 64) {
                var tokens = PackedTokens()
                for text in texts[start..<min(start + 64, texts.count)] {
                    let text = encoder.tokenize(text)
                    tokens.append(ids: text.ids, typeIDs: text.typeIDs)
                }
                let pooled = encoder.pooling(body.bert(tokens, over: encoder.encoder).detached, tokens.offsets)
                let probabilities = Softmax()(try network(pooled, dropoutSeed: nil).detached), width = classes.count
                for row in 0..<probabilities.shape[0] {
                    let best = probabilities.pointer.indexOfLargest(row * width, width)
                    result.append((best, probabilities.pointer[row * width + best]))
                }
            }
            return result
        }
        let known = try confidences(split.texts)
        let correct = zip(known, split.labels).count { classes[$0.label] == $1 }
        let threshold = known.map(\.probability).sorted()[known.count / 20]
        let unknown = try confidences(outOfScope).count { $0.probability < threshold }
        return (Double(correct) / Double(known.count), Double(unknown) / Double(max(outOfScope.count, 1)))
    }

    private func bankingData() throws -> (train: Split, test: Split, outOfScope: [String]) {
        func read(_ file: String) throws -> Split {
            let table = try Table.read(path: "\(banking)/\(file)")
            return Split(texts: try table.column("text"), labels: try table.column("category"))
        }
        return (try read("train.csv"), try read("test.csv"), [])
    }

    private func clincData() throws -> (train: Split, test: Split, outOfScope: [String]) {
        let data = try JSONDecoder().decode([String: [[String]]].self, from: Data(contentsOf: URL(filePath: clinc)))
        func read(_ name: String) -> Split { Split(texts: data[name]?.map { $0[0] } ?? [], labels: data[name]?.map { $0[1] } ?? []) }
        return (read("train"), read("test"), data["oos_test"]?.map { $0[0] } ?? [])
    }
}
