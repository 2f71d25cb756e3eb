import HidraProtocol

/// What a training without labels came to.
struct PretrainingReport {
    let reply: Hidra_V1_PretrainReply
    let kind: String

    private static let names = [
        ("psnr", "PSNR", "dB"), ("kl", "KL", "nats"), ("active", "active numbers", ""), ("pseudo_likelihood", "pseudo-likelihood", "nats"),
        ("mse", "squared error", ""), ("spread", "spread", ""), ("loss", "loss", ""),
    ]

    var text: String {
        let figures = Self.names.compactMap { key, name, unit in
            reply.figures[key].map { "\(name) \(Format.figure($0))\(unit.isEmpty ? "" : " \(unit)")" }
        }
        return """
            Encoder \(reply.encoder.name): \(kind), \(reply.encoder.parameters) parameters, taps \(reply.encoder.taps.joined(separator: ", ")); the top is the code.
            \(reply.images) images, \(reply.epochs) epochs (the \(reply.bestEpoch). is kept), \(Format.duration(reply.seconds)), \
            \(Int(reply.imagesPerSecond)) images/s.
            On \(reply.validationImages) images that were kept out: \(figures.joined(separator: ", ")).
            """
    }

    var json: JSON {
        .event(
            "result",
            [
                ("encoder", .string(reply.encoder.name)), ("digest", .string(reply.encoder.digest)), ("images", .unsigned(reply.images)),
                ("validation_images", .unsigned(reply.validationImages)), ("steps", .unsigned(reply.steps)),
                ("epochs", .unsigned(UInt64(reply.epochs))), ("best_epoch", .unsigned(UInt64(reply.bestEpoch))),
                ("seconds", .number(reply.seconds)), ("images_per_second", .number(reply.imagesPerSecond)),
                ("figures", .figures(reply.figures)), ("notes", .array(reply.notes.map { .string($0) })),
            ])
    }
}

extension JSON {
    /// Named numbers, sorted by name.
    static func figures(_ figures: [String: Double]) -> JSON {
        .object(figures.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) })
    }
}

extension Format {
    /// Four digits that count.
    static func figure(_ value: Double) -> String {
        let size = abs(value)
        let digits = size >= 1000 ? 1.0 : size >= 10 ? 100 : size >= 0.1 ? 1000 : 100_000
        return String((value * digits).rounded() / digits)
    }
}
