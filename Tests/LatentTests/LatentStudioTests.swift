import Checkpoints
import Encoders
import Foundation
import Images
import TensorCore
import Testing

@testable import Latent

@Suite("Verbs of latent spaces")
struct LatentStudioTests {
    /// A VAE of shapes, trained once.
    private static let shared: Result<URL, any Error> = Result {
        var settings = Shapes.settings(.vae, epochs: 30)
        settings.beta = BetaSchedule(beta: 0.05)
        return try Shapes.trained(settings, Shapes.set(640)).folder
    }

    private static func studio() throws -> (LatentStudio, LatentModel) {
        let folder = try shared.get(), model = try LatentModel(folder: folder)
        return (LatentStudio(model, directions: DirectionFile(folder: folder)), model)
    }

    private static func task(_ verb: LatentVerb, _ count: Int = 0, seed: UInt64 = 9) -> LatentTask {
        var task = LatentTask(verb, images: Shapes.set(count, seed: seed))
        task.labels = Shapes.labels(count)
        return task
    }

    @Test("Reconstructions are close, and say how close; encode and decode give the same")
    func reconstruct() throws {
        let (studio, _) = try Self.studio(), outcome = try studio.run(Self.task(.reconstruct, 24))
        let psnr = try #require(outcome.figures["psnr"]), ssim = try #require(outcome.figures["ssim"])
        #expect(psnr > 17 && ssim > 0.6, "PSNR \(psnr), SSIM \(ssim)")
        #expect(outcome.items.count == 24 && outcome.items.allSatisfy { $0.figures["kl"] ?? 0 > 0 })
        let sheet = try RGBImage(decoding: Data(outcome.sheet))
        #expect(sheet.width == 4 + 12 * (16 * 5 + 4) && sheet.height == 4 + 4 * (16 * 5 + 4))

        let encoded = try studio.run(Self.task(.encode, 24))
        var decode = LatentTask(.decode, images: Shapes.set(0))
        (decode.codes, decode.codeWidth) = (encoded.codes, encoded.codeWidth)
        #expect(try studio.run(decode).pictures == outcome.pictures)
    }

    @Test("Samples follow the seed")
    func sample() throws {
        let (studio, _) = try Self.studio()
        func pictures(_ seed: UInt64) throws -> [[UInt8]] {
            var task = Self.task(.sample)
            (task.count, task.seed) = (9, seed)
            return try studio.run(task).pictures
        }
        let first = try pictures(1)
        #expect(try first.count == 9 && first == pictures(1) && first != pictures(2))
        #expect(Set(first).count == 9)
    }

    @Test("Interpolations and analogies end where they should")
    func arithmetic() throws {
        let (studio, _) = try Self.studio(), ends = try studio.run(Self.task(.reconstruct, 2))
        var task = Self.task(.interpolate, 2)
        task.count = 5
        let steps = try studio.run(task)
        #expect(steps.pictures.first == ends.pictures.first && steps.pictures.last == ends.pictures.last && steps.pictures.count == 5)
        // A is to A as C is to C.
        var same = LatentTask(.analogy, images: Shapes.set(2, seed: 9).selecting([0, 0, 1]))
        same.names = []
        let analogy = try studio.run(same)
        let code = analogy.codes
        for i in 0..<6 { #expect(abs(code[18 + i] - code[12 + i]) < 1e-5) }
    }

    @Test("A direction tells the shapes apart, is kept, and moves an image", arguments: [LatentDirection.Method.means, .probe])
    func directions(_ method: LatentDirection.Method) throws {
        let (studio, model) = try Self.studio()
        var learn = Self.task(.learn, 400)
        (learn.direction, learn.label, learn.method) = ("bar \(method)", "bar", method)
        let learned = try studio.run(learn)
        let quality = try #require(learned.directions.first?.quality)
        #expect(quality > (method == .probe ? 0.8 : 0.7), "\(method): \(quality)")
        var edit = Self.task(.edit, 1)
        (edit.direction, edit.amounts) = ("bar \(method)", [0, 1])
        let edited = try studio.run(edit)
        let vector = try #require(learned.directions.first?.vector)
        for i in 0..<model.code { #expect(abs(edited.codes[model.code + i] - edited.codes[i] - vector[i]) < 1e-5) }
        #expect(edited.pictures[0] != edited.pictures[1])
    }

    @Test("Axes of most variance come largest first, at right angles; maps and grids are pictures")
    func axes() throws {
        let (studio, _) = try Self.studio()
        var learn = Self.task(.learn, 300)
        (learn.method, learn.count) = (.pca, 3)
        let axes = try studio.run(learn).directions
        #expect(axes.map(\.name) == ["pc1", "pc2", "pc3"])
        #expect(axes[0].quality >= axes[1].quality && axes[1].quality >= axes[2].quality)
        let product = zip(axes[0].vector, axes[1].vector).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(product) < 1e-3, "\(product)")
        let map = try studio.run(Self.task(.map, 100))
        #expect(try RGBImage(decoding: Data(map.sheet)).width == 800)
        var grid = Self.task(.grid)
        grid.count = 4
        #expect(try studio.run(grid).pictures.count == 16)
    }

    @Test("A latent of the wrong width, or with a number that is none, is refused with both widths")
    func wrongWidth() throws {
        let (studio, _) = try Self.studio()
        var task = LatentTask(.decode, images: Shapes.set(0))
        (task.codes, task.codeWidth) = ([1, 2, 3], 3)
        let error = #expect(throws: LatentError.self) { try studio.run(task) }
        #expect(error?.code == .invalidArgument && error?.details == ["expected": "6", "got": "3"])
        (task.codes, task.codeWidth) = ([1, 2, .nan, 0, 0, 0], 6)
        #expect(throws: LatentError.self) { try studio.run(task) }
        var edit = Self.task(.edit, 1)
        edit.direction = "nowhere"
        #expect(throws: LatentError.self) { try studio.run(edit) }
    }

    @Test("A file without its decoder still encodes, and says what it lacks when it should decode")
    func withoutDecoder() throws {
        let folder = try Self.shared.get(), copy = FileManager.default.temporaryDirectory.appending(path: "latent-\(UUID().uuidString)")
        try FileManager.default.copyItem(at: folder, to: copy)
        defer { try? FileManager.default.removeItem(at: copy) }
        let file = copy.appending(path: "model.safetensors"), weights = try Safetensors(file)
        var kept: [String: Tensor] = [:]
        for name in weights.names where !name.hasPrefix("decoder.") { kept[name] = try weights.tensor(name) }
        try SafetensorsWriter.encode(kept).write(to: file)
        let error = #expect(throws: LatentError.self) { try LatentModel(folder: copy) }
        #expect(error?.code == .unsupported && error?.message.contains("no decoder") == true)
    }

    @Test("PSNR, SSIM: equal images, and known differences")
    func figures() {
        let a = Tensor((0..<256).map { Float($0 % 16) / 15 }, [1, 1, 16, 16])
        #expect(ImageFigures(a, a).meanPSNR == ImageFigures.highestPSNR)
        #expect(abs(StructuralSimilarity.values(a, a)[0] - 1) < 1e-12)
        let shifted = Tensor(a.values.map { $0 + 0.1 }, a.shape)
        #expect(abs(ImageFigures(a, shifted).meanPSNR - 20) < 1e-4)
    }
}
