import Foundation
import HidraClient
import HidraProtocol
import TestSupport
import Testing

@testable import Daemon

@Suite("Images, over the daemon's sockets")
struct ImageEndToEndTests {
    private static let colours: [(label: String, rgb: (UInt8, UInt8, UInt8))] = [
        ("red", (255, 0, 0)), ("green", (0, 255, 0)), ("blue", (0, 0, 255)),
    ]

    private static func photo(_ index: Int) -> Data { TinyPNG.colour(colours[index % 3].rgb, size: 8, number: index) }

    /// A client of a daemon with a random image encoder "pixels", and a data set of 60 images, of which two are none.
    private static func prepared(_ daemon: RunningDaemon) async throws -> (client: HidraClient, data: String) {
        let client = try await daemon.connect()
        let source = daemon.folder.url.appending(path: "pixels")
        try TinyImageEncoder.cifar.write(to: source)
        var pull = Hidra_V1_PullRequest()
        pull.source = source.path
        pull.name = "pixels"
        let encoder = try await client.pull(pull) { _ in }.encoder
        #expect(encoder.modality == "image" && encoder.maxTokens == 0 && encoder.taps.count >= 3)
        var files = (0..<60).map(photo)
        files[7] = files[7].prefix(60)
        files[8] = Data("no image at all".utf8)
        // In two parts, as a large collection is sent.
        let labels = (0..<60).map { colours[$0 % 3].label }, names = (0..<60).map { "photos/\($0).png" }
        let data = HidraClient.newDataName()
        for rows in [0..<25, 25..<60] {
            try await client.append(
                [
                    UploadColumn("image", files: Array(files[rows])), UploadColumn("label", Array(labels[rows])),
                    UploadColumn("path", Array(names[rows])),
                ], to: data, after: rows.lowerBound)
        }
        return (client, data)
    }

    private static func request(_ head: String, _ data: String) -> Hidra_V1_TrainRequest {
        var request = Hidra_V1_TrainRequest()
        request.head = head
        request.encoder = "pixels"
        request.data = data
        request.inputColumn = "image"
        request.labelColumn = "label"
        request.nameColumn = "path"
        request.holdout = 0.2
        return request
    }

    @Test(
        "a head is trained on images; files that are none are named and left out; the second head finds all features cached"
    )
    func training() async throws {
        let daemon = try RunningDaemon()
        let (client, data) = try await Self.prepared(daemon)
        let trained = try await client.train(Self.request("colour", data)) { _ in }
        #expect(trained.head.labels == ["blue", "green", "red"] && trained.head.modality == "image")
        #expect(trained.summary.trainRows + trained.summary.validationRows + trained.summary.testRows == 58)
        let notes = trained.summary.notes.joined(separator: "\n")
        #expect(
            notes.contains("photos/7.png: ") && notes.contains("photos/8.png: ") && notes.contains("2 of 60 images"),
            "\(notes)")

        let second = try await client.train(Self.request("colour2", data)) { _ in }
        #expect(second.summary.cacheHits == 58 && second.summary.cacheMisses == 2)

        let answer = try await client.predict(
            heads: ["colour"], .images([Self.photo(100), Data("x".utf8), Self.photo(101)]))
        #expect(answer.inputs.map { $0.heads.first?.labels.first?.label } == ["green", nil, "blue"])
        #expect(answer.inputs[1].problem.contains("not an image"))

        var evaluate = Hidra_V1_EvaluateRequest()
        evaluate.head = "colour"
        evaluate.data = data
        (evaluate.inputColumn, evaluate.labelColumn, evaluate.nameColumn) = ("image", "label", "path")
        let report = try await client.evaluate(evaluate) { _ in }
        #expect(report.rows == 58 && report.metrics["accuracy"] ?? 0 > 0.9)
        await client.close()
        try await daemon.stop()
    }

    @Test("vectors of images: every tap has its width, and an image that cannot be read is a row of NaN with a reason")
    func embedding() async throws {
        let daemon = try RunningDaemon()
        let (client, _) = try await Self.prepared(daemon)
        let images = [Self.photo(0), Data(), Self.photo(0)]
        for (tap, width) in [("", 8), ("0", 4)] {
            let vectors = try await client.embed(encoder: "pixels", .images(images), tap: tap)
            #expect(vectors.width == width)
            #expect(Array(vectors.values[..<width]) == Array(vectors.values[(2 * width)...]))
            #expect(vectors.values[width..<2 * width].allSatisfy(\.isNaN) && Array(vectors.reply.problems.keys) == [1])
        }
        let wrongTap = await #expect(throws: HidraError.self) {
            try await client.embed(encoder: "pixels", .images(images), tap: "no such tap")
        }
        #expect(wrongTap?.code == .invalidArgument && wrongTap?.message.contains("it has: 0, 1") == true)
        let wrongInput = await #expect(throws: HidraError.self) {
            try await client.embed(encoder: "pixels", .texts(["a"]))
        }
        #expect(wrongInput?.message.contains("reads images") == true)
        await client.close()
        try await daemon.stop()
    }
}
