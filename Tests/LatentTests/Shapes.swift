import Encoders
import Foundation
import Images
import TensorCore

@testable import Latent

/// Small pictures that are made here: bars and discs of random places, smooth enough that a small network learns them in a second.
enum Shapes {
    static func set(_ count: Int, side: Int = 16, channels: Int = 1, seed: UInt64 = 1) -> PixelSet {
        var random = Random(seed: seed), set = PixelSet(side: side, channels: channels)
        for index in 0..<count { set.append(image(isDisc: index % 2 == 0, side: side, &random)) }
        return set
    }

    /// "disc" for even rows, "bar" for odd ones.
    static func labels(_ count: Int) -> [String] { (0..<count).map { $0 % 2 == 0 ? "disc" : "bar" } }

    static func image(isDisc: Bool, side: Int, _ random: inout Random) -> RGBImage {
        let x = 4 + random.uniform() * Float(side - 8), y = 4 + random.uniform() * Float(side - 8)
        var pixels: [UInt8] = []
        for row in 0..<side {
            for column in 0..<side {
                let dx = Float(column) - x, dy = Float(row) - y
                let distance = isDisc ? (dx * dx + dy * dy).squareRoot() - 3 : abs(dx) - 1.2
                let level = UInt8(min(max(0.5 - distance, 0), 1) * 255)
                pixels += [level, level, level]
            }
        }
        return RGBImage(width: side, height: side, pixels: pixels)
    }

    static func settings(_ kind: LatentConfiguration.Kind, epochs: Int = 6) -> Pretraining {
        var settings = Pretraining()
        settings.kind = kind
        settings.side = 16
        settings.code = 6
        settings.widths = [8, 16]
        settings.hidden = 32
        settings.epochs = epochs
        settings.batchSize = 32
        settings.validation = 0.2
        if kind == .rbm { settings.widths = [] }
        return settings
    }

    /// A trained model in a folder of its own, which the caller removes.
    static func trained(_ settings: Pretraining, _ images: PixelSet) throws -> (folder: URL, trainer: Pretrainer) {
        let trainer = try Pretrainer(settings, images)
        while !trainer.isFinished { try trainer.advance() }
        let folder = FileManager.default.temporaryDirectory.appending(path: "latent-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, data) in try trainer.files() { try data.write(to: folder.appending(path: name)) }
        return (folder, trainer)
    }
}

extension Shapes {
    /// One image as a PNG file.
    static func png(_ set: PixelSet, _ row: Int) throws -> Data { try ContactSheet.single(set.batch([row]), 0).png() }
}
