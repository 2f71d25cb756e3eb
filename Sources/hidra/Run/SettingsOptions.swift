import ArgumentParser
import HidraProtocol

/// What `train` can do before the training itself: try settings, join encoders, learn from rows without labels, tune the encoder.
struct SettingsOptions: ParsableArguments {
    @Option(
        name: .customLong("search"), defaultAsFlag: 30,
        help: ArgumentHelp(
            "Try N configurations first, of kind, learning rate, batch size, weight decay, label smoothing and dropout, and train the best.",
            valueName: "n"))
    var search: UInt32?

    @Option(help: ArgumentHelp("Join several encoders, one --encoder for each.", valueName: "concat|gate|cross-attention"))
    var fusion: FusionOption?

    @Option(
        help: ArgumentHelp("Rows without labels, of the same form as FILE; the head labels those it is sure of.", valueName: "file"),
        completion: .file())
    var unlabelled: String?

    @Option(help: ArgumentHelp("Least probability of a label of its own (default: 0.9).", valueName: "p"))
    var confidence: Double?

    @Option(help: ArgumentHelp("Most rounds of learning from own labels (default: 3).", valueName: "n"))
    var rounds: UInt32?

    @Flag(help: "For a handful of rows a label: tune the encoder's top layers on pairs of rows first (SetFit).")
    var fewShot = false

    @Option(help: ArgumentHelp("Top layers to tune (default: half of them).", valueName: "n"))
    var tuneLayers: UInt32?

    @Option(help: ArgumentHelp("Pairs of the same label, and of different ones, for each row (default: 20).", valueName: "n"))
    var pairs: UInt32?

    @Option(help: ArgumentHelp("Learning rate of the layers that are tuned (default: 0.00002).", valueName: "x"))
    var tuneLr: Double?

    @Option(help: ArgumentHelp("Name of the tuned encoder (default: the head's with \"-encoder\").", valueName: "name"))
    var tunedEncoder: String?

    func validate() throws {
        if search == 0 { throw ValidationError("--search tries 1 configuration or more.") }
        if unlabelled == nil, confidence != nil || rounds != nil {
            throw ValidationError("--confidence and --rounds belong to --unlabelled FILE.")
        }
        if let confidence, !(confidence > 0 && confidence <= 1) {
            throw ValidationError("--confidence is a probability, above 0 and at most 1; it was \(confidence).")
        }
        for (value, option) in [(rounds, "--rounds"), (tuneLayers, "--tune-layers"), (pairs, "--pairs")] where value == 0 {
            throw ValidationError("\(option) must be 1 or more.")
        }
        if !fewShot, tuneLayers != nil || pairs != nil || tuneLr != nil || tunedEncoder != nil {
            throw ValidationError("--tune-layers, --pairs, --tune-lr and --tuned-encoder belong to --few-shot.")
        }
        if let tuneLr, !(tuneLr > 0 && tuneLr.isFinite) {
            throw ValidationError("--tune-lr must be a number above 0; it was \(tuneLr).")
        }
        if fewShot, fusion != nil { throw ValidationError("--few-shot tunes one encoder, and --fusion joins several. Give one of them.") }
    }

    /// What several --encoder mean, and whether there are too many or too few.
    func validate(encoders: [String], inputs: [HeadInputOption], texts: [String], network: HeadNetworkOption) throws {
        guard fusion != nil else {
            if encoders.count > 1 {
                throw ValidationError("--encoder is given \(encoders.count) times. To join them in one head add --fusion concat, gate or cross-attention.")
            }
            return
        }
        if network != .linear { throw ValidationError("--fusion is the kind of head; leave out --head.") }
        guard inputs.isEmpty else {
            if inputs.count < 2 { throw ValidationError("--fusion joins two inputs or more; give --input for each.") }
            return
        }
        let count = max(encoders.count, texts.count)
        guard count >= 2, [1, count].contains(encoders.count), [1, count].contains(texts.count) else {
            throw ValidationError(
                "--fusion joins two encoders or more: give --encoder for each, and --text once for all of them or once for each.")
        }
    }

    /// The inputs of a fusion that are not given by --input: encoders with columns, in their order.
    func fused(_ encoders: [String], _ texts: [String]) -> [Hidra_V1_HeadInput] {
        (0..<max(encoders.count, texts.count)).map { index in
            var input = Hidra_V1_HeadInput()
            input.encoder = encoders.count == 1 ? encoders[0] : encoders[index]
            input.column = texts.count == 1 ? texts[0] : texts[index]
            return input
        }
    }

    /// Writes into a request whatever needs no data.
    func add(to request: inout Hidra_V1_TrainRequest) {
        if let search { request.search.configurations = search }
        if let fusion { request.kind.name = fusion.rawValue }
        if unlabelled != nil {
            request.selfTraining.confidence = confidence ?? 0
            request.selfTraining.rounds = rounds ?? 0
        }
        if fewShot {
            request.contrastive.encoder = tunedEncoder ?? ""
            request.contrastive.layers = tuneLayers ?? 0
            request.contrastive.iterations = pairs ?? 0
            request.contrastive.learningRate = tuneLr ?? 0
        }
    }
}

/// The words of `--fusion`.
enum FusionOption: String, ExpressibleByArgument, CaseIterable, Sendable {
    case concat, gate
    case crossAttention = "cross-attention"
}
