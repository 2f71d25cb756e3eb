import Foundation
import HidraClient
import HidraProtocol
import TestSupport
import Testing

@testable import Daemon

@Suite("Latent spaces, over the daemon's sockets")
struct LatentEndToEndTests {
    private static let colours: [(UInt8, UInt8, UInt8)] = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]

    /// A client, and a data set of 80 images of 8 × 8 pixels, one of which is none.
    private static func prepared(_ daemon: RunningDaemon) async throws -> (client: HidraClient, data: String) {
        let client = try await daemon.connect()
        var files = (0..<80).map { TinyPNG.colour(colours[$0 % 4], size: 8, number: $0) }
        files[5] = Data("no image".utf8)
        let data = try await client.upload(columns: [
            UploadColumn("image", files: files), UploadColumn("label", (0..<80).map { "colour \($0 % 4)" }),
            UploadColumn("path", (0..<80).map { "photos/\($0).png" }),
        ])
        return (client, data)
    }

    private static func request(_ name: String, _ data: String) -> Hidra_V1_PretrainRequest {
        var request = Hidra_V1_PretrainRequest()
        (request.encoder, request.data, request.imageColumn, request.nameColumn) = (name, data, "image", "path")
        (request.settings.kind, request.settings.side, request.settings.channels, request.settings.code) = ("vae", 16, 3, 4)
        (request.settings.widths, request.settings.hidden, request.settings.epochs) = ([8, 16], 32, 40)
        (request.settings.batchSize, request.settings.beta, request.settings.patience) = (16, 0.01, 40)
        return request
    }

    @Test("An encoder is trained without labels, serves a head from the cache, and its latent space can be worked in; twice the same bytes")
    func whole() async throws {
        let daemon = try RunningDaemon(), (client, data) = try await Self.prepared(daemon)
        let trained = try await client.pretrain(Self.request("colours", data))
        #expect(trained.encoder.modality == "image" && trained.encoder.width == 4 && trained.encoder.taps == ["0", "1", "2", "3"])
        #expect(trained.images + trained.validationImages == 79)
        #expect(trained.notes.contains { $0.contains("photos/5.png") } && trained.notes.contains { $0.contains("resized to 16 × 16") })
        let again = try await client.pretrain(Self.request("colours2", data))
        #expect(again.encoder.digest == trained.encoder.digest)

        // A head on the layer below the code; the second one finds every feature.
        func train(_ head: String) async throws -> Hidra_V1_TrainReply {
            var request = Hidra_V1_TrainRequest()
            (request.head, request.encoder, request.data, request.tap) = (head, "colours", data, "2")
            (request.inputColumn, request.labelColumn, request.nameColumn, request.holdout) = ("image", "label", "path", 0.25)
            return try await client.train(request)
        }
        let head = try await train("which")
        #expect(head.test.metrics["accuracy"] ?? 0 > 0.9, "\(head.test.metrics)")
        // All but the one that cannot be read.
        #expect(try await train("which2").summary.cacheMisses == 1)

        var latent = Hidra_V1_LatentRequest()
        (latent.encoder, latent.verb, latent.data, latent.imageColumn, latent.nameColumn) = ("colours", "reconstruct", data, "image", "path")
        let answer = try await client.latent(latent)
        #expect(answer.reply.items.count == 79 && answer.rows == 79 && answer.width == 4)
        #expect(answer.reply.figures["psnr"] ?? 0 > 15, "\(answer.reply.figures)")
        #expect(answer.reply.sheet.starts(with: [0x89, 0x50, 0x4e, 0x47]))
        latent = Hidra_V1_LatentRequest()
        (latent.encoder, latent.verb) = ("colours", "decode")
        #expect(try await client.latent(latent, codes: answer.codes, width: 4).reply.pictures == answer.reply.pictures)
        await client.close()
        try await daemon.stop()
    }

    @Test("A code of another width, a name that is taken, a kind or a verb there is not, texts: each refused with what to do")
    func refusals() async throws {
        let daemon = try RunningDaemon(), (client, data) = try await Self.prepared(daemon)
        var quick = Self.request("colours", data)
        quick.settings.epochs = 1
        _ = try await client.pretrain(quick)
        func refused(_ code: ErrorCode, _ word: String, _ body: () async throws -> Void) async {
            let error = await #expect(throws: HidraError.self) { try await body() }
            #expect(error?.code == code && error?.message.contains(word) == true, "\(String(describing: error))")
        }
        await refused(.alreadyExists, "colours") { _ = try await client.pretrain(quick) }
        var odd = quick
        odd.encoder = "other"
        odd.settings.kind = "gan"
        await refused(.invalidArgument, "contrastive") { [odd] in _ = try await client.pretrain(odd) }
        odd.settings.kind = "ae"
        odd.imageColumn = "label"
        await refused(.invalidArgument, "images are needed") { [odd] in _ = try await client.pretrain(odd) }
        odd.imageColumn = "image"
        odd.settings.side = 30
        odd.settings.widths = []
        await refused(.invalidArgument, "halved") { [odd] in _ = try await client.pretrain(odd) }
        var latent = Hidra_V1_LatentRequest()
        (latent.encoder, latent.verb) = ("colours", "decode")
        await refused(.invalidArgument, "4 numbers") { [latent] in _ = try await client.latent(latent, codes: [1, 2, 3], width: 3) }
        latent.verb = "dance"
        await refused(.invalidArgument, "interpolate") { [latent] in _ = try await client.latent(latent) }
        let source = daemon.folder.url.appending(path: "pixels")
        try TinyImageEncoder.cifar.write(to: source)
        var pull = Hidra_V1_PullRequest()
        (pull.source, pull.name) = (source.path, "pixels")
        _ = try await client.pull(pull) { _ in }
        (latent.encoder, latent.verb) = ("pixels", "sample")
        await refused(.unsupported, "no decoder") { [latent] in _ = try await client.latent(latent) }
        await client.close()
        try await daemon.stop()
    }
}
