import ArgumentParser
import HidraClient
import HidraProtocol

struct Pretrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pretrain",
        abstract: "Train an encoder of images without labels.",
        discussion: """
            PATH is a folder of images (or of folders of images), a .tar or .tar.gz archive of one, an IDX file like MNIST's \
            (train-images-idx3-ubyte.gz), or a table with a column of paths. What comes out is an encoder like any other, with a \
            decoder of its own: heads are trained on it, and `hidra latent` works in its latent space.

            KINDS: ae, denoising, masked, vae: autoencoders. contrastive: SimCLR, without a decoder. rbm: restricted Boltzmann machines, \
            one for each number of --units, stacked into a deep belief network.

            EXAMPLE:
              hidra pretrain train-images-idx3-ubyte.gz --kind vae --name digits
              hidra pretrain photos/ --kind contrastive --size 32 --color --name photos
              hidra pretrain digits/ --kind rbm --units 256,64 --name belief
              hidra train labelled/ --image --encoder digits --tap 2 --name which

            EXIT CODES: 0 done, 2 wrong arguments or a training that diverged or collapsed, 4 bad data, 5 the name is taken, \
            7 time-out, 8 cancelled, 9 limit exceeded or disk full.
            """)

    @Argument(help: ArgumentHelp("Images.", valueName: "path"), completion: .file())
    var paths: [String]

    @Option(help: ArgumentHelp("Name of the new encoder.", valueName: "encoder"))
    var name: String

    @Option(help: ArgumentHelp("ae, denoising, masked, vae, contrastive or rbm.", valueName: "kind"))
    var kind = "vae"

    @Option(help: ArgumentHelp("Numbers of a code (default: 16, contrastive 128).", valueName: "n"))
    var code: UInt32?

    @Option(help: ArgumentHelp("Height and width that images are brought to.", valueName: "pixels"))
    var size: UInt32 = 28

    @Flag(help: "Images have colours; without it they are grey.")
    var color = false

    @Option(help: ArgumentHelp("Passes over the images.", valueName: "n"))
    var epochs: UInt32 = 20

    @Option(help: ArgumentHelp("Images of a step.", valueName: "n"))
    var batch: UInt32 = 64

    @Option(help: ArgumentHelp("Learning rate (default: by the kind).", valueName: "rate"))
    var learningRate: Double?

    @Option(help: ArgumentHelp("Epochs without a better validation loss before it stops.", valueName: "n"))
    var patience: UInt32 = 10

    @Option(help: ArgumentHelp("Share of the images kept for validation.", valueName: "share"))
    var validation: Double?

    @Option(help: ArgumentHelp("Seed of everything random.", valueName: "n"))
    var seed: UInt64 = 0

    @Option(help: ArgumentHelp("Channels of the encoder's stages, e.g. 32,64.", valueName: "n,n"))
    var widths: NumberList?

    @Option(help: ArgumentHelp("Channels of the decoder's, e.g. 64,32; it need not mirror the encoder.", valueName: "n,n"))
    var decoderWidths: NumberList?

    @Option(help: ArgumentHelp("Width of the layer below the code.", valueName: "n"))
    var hidden: UInt32?

    @Option(help: ArgumentHelp("vae: weight of the KL divergence.", valueName: "weight"))
    var beta: Double?

    @Option(help: ArgumentHelp("vae: share of the steps in which beta rises from 0.", valueName: "share"))
    var betaWarmup: Double?

    @Option(help: ArgumentHelp("vae: how often beta rises from 0.", valueName: "n"))
    var betaCycles: UInt32?

    @Option(help: ArgumentHelp("denoising: deviation of the noise; contrastive: of the views'.", valueName: "deviation"))
    var noise: Double?

    @Option(help: ArgumentHelp("masked: side of a patch.", valueName: "pixels"))
    var patch: UInt32?

    @Option(help: ArgumentHelp("masked: share of the patches hidden.", valueName: "share"))
    var ratio: Double?

    @Option(help: ArgumentHelp("rbm: hidden units of each machine, e.g. 256,64.", valueName: "n,n"))
    var units: NumberList?

    @Option(help: ArgumentHelp("rbm: Gibbs steps of contrastive divergence.", valueName: "k"))
    var gibbs: UInt32?

    @Flag(help: "rbm: chains begin at the data in every step (CD-k) instead of going on (persistent CD).")
    var restart = false

    @Option(help: ArgumentHelp("contrastive: temperature.", valueName: "t"))
    var temperature: Double?

    @Option(help: ArgumentHelp("Turn images by up to this angle while training.", valueName: "degrees"))
    var rotate: Double?

    @Option(help: ArgumentHelp("Shift them by up to this share of the side.", valueName: "share"))
    var shift: Double?

    @Option(help: ArgumentHelp("Crop them to no less than this share of the side.", valueName: "share"))
    var crop: Double?

    @Flag(help: "Mirror half of them. Not for digits and letters.")
    var flip = false

    @Option(help: ArgumentHelp("Column with the paths of images, of a table.", valueName: "column"))
    var path: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if name.isEmpty { throw ValidationError("--name must not be empty.") }
        if paths.isEmpty { throw ValidationError("Give a folder, an archive or a file of images.") }
    }

    func run() async throws {
        let settings = settings, rows = ImageRows(paths: paths, column: path)
        try await Session.run(
            common, cancelled: "Cancelled: the daemon was told to stop the job; no encoder is made."
        ) { session in
            var request = Hidra_V1_PretrainRequest()
            request.encoder = name
            (request.data, _) = try await rows.upload(session)
            request.imageColumn = "image"
            request.nameColumn = "path"
            request.settings = settings
            let final = request
            let (reply, seen) = try await session.job { try await session.client.pretrain(final, progress: $0) }
            for note in reply.notes where !seen.contains(note) { try session.console.note(note) }
            let report = PretrainingReport(reply: reply, kind: kind)
            try session.console.print(session.console.json ? report.json.text : report.text)
        }
    }

    var settings: Hidra_V1_PretrainSettings {
        var settings = Hidra_V1_PretrainSettings()
        settings.kind = kind
        settings.side = size
        settings.channels = color ? 3 : 1
        settings.code = code ?? 0
        settings.epochs = epochs
        settings.batchSize = batch
        settings.learningRate = learningRate ?? 0
        settings.patience = patience
        settings.seed = seed
        settings.widths = widths?.numbers ?? []
        settings.decoderWidths = decoderWidths?.numbers ?? []
        settings.hidden = hidden ?? 0
        settings.units = units?.numbers ?? []
        settings.patch = patch ?? 0
        settings.ratio = ratio ?? 0
        settings.gibbsSteps = gibbs ?? 0
        settings.betaCycles = betaCycles ?? 0
        settings.temperature = temperature ?? 0
        if let validation { settings.validation = validation }
        if let beta { settings.beta = beta }
        if let betaWarmup { settings.betaWarmup = betaWarmup }
        if let noise, kind == "denoising" { settings.noise = noise }
        if restart { settings.persistent = false }
        let viewNoise = kind == "contrastive" ? noise : nil
        if rotate != nil || shift != nil || crop != nil || flip || viewNoise != nil {
            let views = kind == "contrastive"
            settings.augmentation.rotation = rotate ?? (views ? 20 : 0)
            settings.augmentation.shift = shift ?? (views ? 0.12 : 0)
            settings.augmentation.crop = crop ?? (views ? 0.7 : 1)
            settings.augmentation.noise = viewNoise ?? (views ? 0.15 : 0)
            settings.augmentation.flip = flip
        }
        return settings
    }
}

/// Numbers with commas between them.
struct NumberList: ExpressibleByArgument, Sendable {
    let numbers: [UInt32]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { UInt32($0) }
        guard !parts.isEmpty, parts.allSatisfy({ $0 ?? 0 > 0 }) else { return nil }
        numbers = parts.compactMap { $0 }
    }
}
