import ArgumentParser
import Checkpoints
import Encoders
import Foundation
import Images
import Latent
import Layers
import TensorCore
import Training

/// Encoders trained without labels: how well they reconstruct, how fast they are trained, and what their codes are worth.
struct LatentBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latent",
        abstract: "A VAE's reconstructions, a Boltzmann machine, and a linear head on a tenth of the labels.",
        discussion: """
            Tests/Benchmarks/peers_latent.py measures PyTorch and scikit-learn on the same files with the same settings.
            Example: hidra-bench latent --data ../shared/data/mnist10k --only vae --epochs 40
            """)

    @Option(help: "Folder with MNIST's four IDX files.") var data: String
    @Option(help: "vae, rbm, labels or steps; all when absent.") var only: String?
    @Option(help: "Epochs of the VAE and of the contrastive encoder.") var epochs = 40
    @Option(help: "Weight of the VAE's KL divergence.") var beta = 0.001
    @Option(help: "Strength of the VAE's augmentation: 1 turns by 20 degrees, shifts by 0.08, crops to 0.8.") var augment = 0.5
    @Option(help: "Writes the test reconstructions as a sheet.") var sheet: String?
    @Option var seed: UInt64 = 0

    func run() throws {
        let train = try read("train"), test = try read("t10k", or: "test")
        if only == nil || only == "vae" { try vae(train.images, test.images) }
        if only == nil || only == "rbm" { try rbm(train.images, test.images) }
        if only == nil || only == "steps" { try steps(train.images) }
        if only == nil || only == "labels" { try labels(train, test) }
    }

    private struct Digits {
        var images = PixelSet(side: 28, channels: 1)
        var labels: [Int32] = []
    }

    private func read(_ name: String, or other: String? = nil) throws -> Digits {
        let folder = URL(filePath: data), choices = [name, other ?? name].map { folder.appending(path: "\($0)-images-idx3-ubyte.gz") }
        let file = choices.first { FileManager.default.fileExists(atPath: $0.path) } ?? choices[0]
        let collection = try IDXImages(file)
        var digits = Digits()
        while let image = try collection.next() {
            digits.images.append(try RGBImage(decoding: image.bytes))
            digits.labels.append(Int32(image.label ?? "") ?? 0)
        }
        return digits
    }

    /// Trains to the end; returns seconds of it.
    private func train(_ trainer: Pretrainer) throws -> Double {
        let start = ContinuousClock.now
        while !trainer.isFinished { try trainer.advance() }
        return (ContinuousClock.now - start) / .seconds(1)
    }

    private func model(_ trainer: Pretrainer) throws -> LatentModel {
        let folder = FileManager.default.temporaryDirectory.appending(path: "latent-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { _ = Result { try FileManager.default.removeItem(at: folder) } }
        for (name, data) in try trainer.files() { try data.write(to: folder.appending(path: name)) }
        return try LatentModel(folder: folder)
    }

    private func vae(_ images: PixelSet, _ test: PixelSet) throws {
        var settings = Pretraining()
        settings.epochs = epochs
        settings.batchSize = 128
        settings.patience = epochs
        settings.validation = 0.02
        settings.seed = seed
        settings.beta = BetaSchedule(beta: beta)
        if augment > 0 { settings.augmentation = Augmentation(rotation: 20 * augment, shift: 0.08 * augment, crop: 1 - 0.2 * augment) }
        let trainer = try Pretrainer(settings, images), seconds = try train(trainer), model = try model(trainer)
        let x = test.batch(0..<test.count), (codes, logVariance) = model.encode(x), y = try model.decode(codes)
        let figures = ImageFigures(x, y), ssim = StructuralSimilarity.values(x, y)
        let divergence = logVariance.map { Double(GaussianDivergence()(codes, $0).scalar) } ?? 0
        say([
            ("what", "vae"), ("code", 16), ("epochs", epochs), ("psnr_mean_over_images", figures.meanPSNR),
            ("psnr_of_mean_error", -10 * log10(figures.meanError)), ("ssim", ssim.reduce(0, +) / Double(ssim.count)), ("kl", divergence),
            ("seconds", seconds), ("images_per_second", Double(trainer.step * trainer.imagesPerStep) / seconds),
        ])
        guard let sheet else { return }
        var task = LatentTask(.reconstruct, images: test.selecting(0..<48))
        task.names = []
        try Data(LatentStudio(model).run(task).sheet).write(to: URL(filePath: sheet))
    }

    /// The settings of scikit-learn's BernoulliRBM in the peer's script.
    private func rbm(_ images: PixelSet, _ test: PixelSet) throws {
        let visible = images.pixels, machine = BoltzmannMachine(visible: visible, hidden: 256, seed: seed, stream: "bench")
        var training = BoltzmannTraining(machine, BoltzmannSettings())
        let data = images.batch(0..<images.count).reshapedView([images.count, visible]), batch = 10, epochs = 10
        let start = ContinuousClock.now
        for epoch in 0..<epochs {
            for position in 0..<images.count / batch {
                training.step(
                    data.rows(position * batch..<(position + 1) * batch), rate: 0.05, seed: seed,
                    step: epoch * (images.count / batch) + position)
            }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1), held = test.batch(0..<test.count).reshapedView([test.count, visible])
        let scores = (0..<100).map { machine.pseudoLikelihood(held, seed: $0) }
        say([
            ("what", "rbm"), ("hidden", 256), ("batch", batch), ("epochs", epochs), ("seconds", seconds),
            ("pseudo_likelihood", scores.reduce(0, +) / Double(scores.count)), ("reconstruction_error", machine.reconstructionError(held)),
        ])
    }

    /// Steps of the VAE alone, without augmentation and validation.
    private func steps(_ images: PixelSet) throws {
        var settings = Pretraining()
        settings.batchSize = 128
        settings.validation = 0
        settings.epochs = 1000
        let trainer = try Pretrainer(settings, images)
        for _ in 0..<5 { try trainer.advance() }
        var times: [Double] = []
        for _ in 0..<9 { times.append(try best(of: 1) { for _ in 0..<5 { try trainer.advance() } } / 5) }
        let median = times.sorted()[4]
        say([("what", "vae step"), ("batch", 128), ("seconds", median), ("images_per_second", 128 / median)])
    }

    // MARK: A tenth of the labels

    private func labels(_ train: Digits, _ test: Digits) throws {
        let few = Array(0..<train.labels.count / 10), truth = few.map { train.labels[$0] }
        var settings = Pretraining()
        settings.kind = .contrastive
        settings.code = 128
        settings.epochs = epochs
        settings.batchSize = 256
        settings.patience = epochs
        settings.seed = seed
        let trainer = try Pretrainer(settings, train.images), seconds = try self.train(trainer)
        let weights = trainer.tensors
        let scope = ParameterScope(initialisedFrom: 0), encoder = ConvolutionalEncoder(trainer.configuration, in: scope.scope("encoder"))
        for parameter in scope.parameters {
            if let value = weights[parameter.name] { parameter.value.mutablePointer.update(from: value.pointer, count: value.count) }
        }
        func hidden(_ images: PixelSet, _ rows: [Int]) -> Tensor {
            let parts = stride(from: 0, to: rows.count, by: 256).map { start in
                encoder.hidden(images.batch(rows[start..<min(start + 256, rows.count)])).detached
            }
            return Concatenate(axis: 0).apply(parts)
        }
        let head = linearHead(hidden(train.images, few), truth)
        let accuracy = Self.accuracy(head(hidden(test.images, Array(0..<test.images.count))), test.labels)
        say([("what", "linear head on the contrastive encoder"), ("labels", few.count), ("accuracy", accuracy), ("seconds", seconds)])
        // The same network from scratch, with and without the same variations of its images.
        for varied in [false, true] {
            let accuracy = try fromScratch(trainer.configuration, train.images.selecting(few), truth, test, varied: varied)
            say([("what", "the same network from scratch\(varied ? ", images varied alike" : "")"), ("labels", few.count), ("accuracy", accuracy)])
        }
    }

    private static func accuracy(_ logits: Tensor, _ labels: [Int32]) -> Double {
        let width = logits.shape[1]
        return Double(labels.indices.count { logits.pointer.indexOfLargest($0 * width, width) == Int(labels[$0]) }) / Double(labels.count)
    }

    /// A logistic regression on standardised features, with the little weight decay that suits a few hundred rows.
    private func linearHead(_ features: Tensor, _ labels: [Int32]) -> (Tensor) -> Tensor {
        let rows = features.shape[0], width = features.shape[1]
        var mean = [Float](repeating: 0, count: width), scale = mean
        for row in 0..<rows { for i in 0..<width { mean[i] += features.pointer[row * width + i] / Float(rows) } }
        for row in 0..<rows { for i in 0..<width { scale[i] += pow(features.pointer[row * width + i] - mean[i], 2) / Float(rows) } }
        let centre = Tensor(mean, [width]), inverse = Tensor(scale.map { 1 / ($0.squareRoot() + 1e-3) }, [width])
        func standardised(_ x: Tensor) -> Tensor { Multiply()(Subtract()(x, centre), inverse) }
        let scope = ParameterScope(initialisedFrom: seed), layer = Linear(width, 10, in: scope.scope("head"))
        var optimiser = AdamW(scope.parameters, weightDecay: 0.1)
        let x = standardised(features), leaves = scope.parameters.map(\.value)
        for step in 0..<500 {
            let loss = CrossEntropy(targets: labels)(layer(x))
            optimiser.step(loss.gradients(for: leaves), learningRate: Schedule.cosine(total: 500).rate(step, base: 0.01))
        }
        return { layer(standardised($0)).detached }
    }

    private func fromScratch(
        _ configuration: LatentConfiguration, _ images: PixelSet, _ labels: [Int32], _ test: Digits, varied: Bool
    ) throws -> Double {
        let scope = ParameterScope(initialisedFrom: seed), encoder = ConvolutionalEncoder(configuration, in: scope.scope("encoder"))
        let layer = Linear(configuration.hidden, 10, in: scope.scope("head"))
        // What of the network has a gradient: the code is not used.
        let parameters = scope.parameters.filter { !$0.name.hasPrefix("encoder.code") }, leaves = parameters.map(\.value)
        var optimiser = AdamW(parameters, weightDecay: 0.01)
        let epochs = 60, batch = 64, perEpoch = images.count / batch
        for step in 0..<epochs * perEpoch {
            var random = Random(seed: seed, stream: "scratch \(step / perEpoch)")
            let rows = random.permutation(images.count)[step % perEpoch * batch..<(step % perEpoch + 1) * batch]
            var x = images.batch(rows)
            if varied { x = Augmentation.views(x, seed: seed, stream: "scratch", step: step) }
            let loss = CrossEntropy(targets: rows.map { labels[$0] })(layer(encoder.hidden(x)))
            optimiser.step(loss.gradients(for: leaves), learningRate: Schedule.cosine(total: epochs * perEpoch).rate(step, base: 0.001))
        }
        return Self.accuracy(layer(encoder.hidden(test.images.batch(0..<test.images.count))).detached, test.labels)
    }
}
