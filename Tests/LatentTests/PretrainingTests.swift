import Checkpoints
import Encoders
import Foundation
import TensorCore
import Testing

@testable import Latent

@Suite("Training without labels")
struct PretrainingTests {
    @Test("Every kind learns, and comes out as an encoder with taps", arguments: LatentConfiguration.Kind.allCases)
    func kinds(_ kind: LatentConfiguration.Kind) throws {
        let images = Shapes.set(320)
        let (folder, trainer) = try Shapes.trained(Shapes.settings(kind, epochs: 8), images)
        defer { try? FileManager.default.removeItem(at: folder) }
        let losses = trainer.history.compactMap { $0.validation["loss"] }
        #expect(losses.count == 8 && losses.allSatisfy(\.isFinite))
        let (first, last) = (try #require(losses.first), try #require(losses.min()))
        #expect(last < first * 0.95, "\(kind): the loss went from \(first) to \(last)")

        let encoder = try EncoderFolder.load(folder)
        #expect(encoder.architecture == "latent" && encoder.modality == .image)
        #expect(encoder.taps.map(\.width) == (kind == .rbm ? [6] : [8, 16, 32, 6]))
        // The encoder's features at the top are the model's codes, from the same file.
        let png = try Shapes.png(images, 3)
        let prepared = try encoder.prepare(.image(ImageFile(name: "3", digest: []) { png }))
        let features = try encoder.features([prepared], tap: encoder.topTap).values
        let codes = try LatentModel(folder: folder).encode(images.batch([3])).codes.values
        for (a, b) in zip(features, codes) { #expect(abs(a - b) < 1e-5, "\(features) and \(codes)") }
    }

    @Test("The same seed gives the same bytes, another seed others", arguments: [LatentConfiguration.Kind.vae, .masked, .contrastive, .rbm])
    func determinism(_ kind: LatentConfiguration.Kind) throws {
        func bytes(_ seed: UInt64) throws -> Data? {
            var settings = Shapes.settings(kind, epochs: 2)
            settings.seed = seed
            let trainer = try Pretrainer(settings, Shapes.set(96))
            while !trainer.isFinished { try trainer.advance() }
            return try trainer.files()["model.safetensors"]
        }
        #expect(try bytes(5) == bytes(5))
        #expect(try bytes(5) != bytes(6))
    }

    @Test("A VAE whose beta is far too high is told that its posterior has collapsed")
    func collapse() throws {
        var settings = Shapes.settings(.vae, epochs: 60)
        settings.beta = BetaSchedule(beta: 500, warmup: 0)
        let trainer = try Pretrainer(settings, Shapes.set(160))
        let error = #expect(throws: LatentError.self) { while !trainer.isFinished { try trainer.advance() } }
        #expect(error?.code == .collapsed && error?.message.contains("Posterior collapse") == true)
        #expect(trainer.isFinished)
    }

    @Test("A learning rate that is far too high ends with the step, and the tensor that is not a number")
    func divergence() throws {
        var settings = Shapes.settings(.autoencoder, epochs: 40)
        settings.learningRate = 1e30
        let trainer = try Pretrainer(settings, Shapes.set(96))
        let error = #expect(throws: LatentError.self) { while !trainer.isFinished { try trainer.advance() } }
        #expect(error?.code == .notFinite || error?.code == .collapsed, "\(String(describing: error))")
    }

    @Test("Beta rises, and in cycles rises again")
    func beta() {
        let once = BetaSchedule(beta: 2, warmup: 0.5), twice = BetaSchedule(beta: 2, warmup: 0.5, cycles: 2)
        #expect([0, 25, 50, 99].map { once.weight($0, of: 100) } == [0, 1, 2, 2])
        #expect([0, 25, 49, 50].map { twice.weight($0, of: 100) }.map { ($0 * 100).rounded() / 100 } == [0, 2, 2, 0])
    }

    @Test(
        "Settings that cannot be are refused with what is wrong",
        arguments: [("side", "halved"), ("epochs", "Epochs"), ("channels", "channels"), ("ratio", "hidden"), ("units", "units")])
    func settings(_ key: String, _ word: String) {
        var settings = Shapes.settings(key == "units" ? .rbm : .masked)
        switch key {
        case "side": (settings.side, settings.widths) = (30, [])
        case "epochs": settings.epochs = 0
        case "channels": settings.channels = 2
        case "ratio": settings.masking.ratio = 1
        default: settings.units = [0, 4]
        }
        let error = #expect(throws: LatentError.self) { try settings.network() }
        #expect(error?.message.contains(word) == true, "\(String(describing: error))")
    }

    @Test("Images of another size are resized, with a note; colours become grey by brightness")
    func sizes() {
        var random = Random(seed: 1), set = PixelSet(side: 16, channels: 1)
        set.append(Shapes.image(isDisc: true, side: 40, &random))
        set.append(Shapes.image(isDisc: true, side: 16, &random))
        #expect(set.count == 2 && set.note?.contains("1 of 2") == true && set.note?.contains("40 × 40") == true)
        #expect(LatentNetwork.luma(255, 0, 0) == 76 && LatentNetwork.luma(9, 9, 9) == 9)
    }
}
