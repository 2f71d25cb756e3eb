import ArgumentParser
import HidraProtocol

struct Latent: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latent",
        abstract: "Work in the latent space of an encoder that `hidra pretrain` made.",
        discussion: """
            Pictures go to the file of -o as one PNG to look at, and one by one into the folder of --pictures; codes as NumPy to that of \
            --codes; the numbers (PSNR, SSIM, KL) to standard output, with --json as JSON. In the place of an image stands its code: a .npy \
            file of float32 [rows, code].

            EXAMPLE:
              hidra latent reconstruct digits a.png b.png -o sheet.png
              hidra latent encode digits images/ --codes codes.npy
              hidra latent sample digits --count 25 -o samples.png
              hidra latent interpolate digits a.png b.png -o steps.png
              hidra latent learn digits labelled/ --direction seven --label 7 --against 1
              hidra latent edit digits a.png --direction seven --amount 0 --amount 1 -o edited.png
              hidra latent map digits labelled/ -o map.png
            """,
        subcommands: [
            LatentEncode.self, LatentDecode.self, LatentReconstruct.self, LatentSample.self, LatentInterpolate.self, LatentEdit.self,
            LatentAnalogy.self, LatentLearn.self, LatentMap.self, LatentGrid.self,
        ])
}

struct LatentEncode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "encode", abstract: "Codes of images.",
        discussion: LatentOptions.discussion("hidra latent encode digits images/ --codes codes.npy"))
    // The encoder comes first on the command line, then as many paths as there are.
    @OptionGroup var latent: LatentOptions
    @OptionGroup var inputs: LatentInputs

    func run() async throws { try await latent.run("encode", inputs: inputs.paths) }
}

struct LatentDecode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "decode", abstract: "Images of codes (.npy).",
        discussion: LatentOptions.discussion("hidra latent decode digits codes.npy -o decoded.png"))
    // The encoder comes first on the command line, then as many paths as there are.
    @OptionGroup var latent: LatentOptions
    @OptionGroup var inputs: LatentInputs

    func run() async throws { try await latent.run("decode", inputs: inputs.paths) }
}

struct LatentReconstruct: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconstruct", abstract: "Images, and below each what its code is decoded to; PSNR, SSIM and KL.",
        discussion: LatentOptions.discussion("hidra latent reconstruct digits a.png b.png -o sheet.png"))
    // The encoder comes first on the command line, then as many paths as there are.
    @OptionGroup var latent: LatentOptions
    @OptionGroup var inputs: LatentInputs

    func run() async throws { try await latent.run("reconstruct", inputs: inputs.paths) }
}

struct LatentSample: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "sample", abstract: "Images of codes that are drawn at random.",
        discussion: LatentOptions.discussion("hidra latent sample digits --count 25 -o samples.png"))
    @OptionGroup var latent: LatentOptions

    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("How many.", valueName: "n"))
    var count: UInt32 = 16

    @Option(help: ArgumentHelp("Scales the deviation: below 1 the images are more alike.", valueName: "t"))
    var temperature: Double?

    func run() async throws {
        try await latent.run("sample", inputs: []) { request in
            request.count = count
            if let temperature { request.temperature = temperature }
        }
    }
}

struct LatentInterpolate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "interpolate", abstract: "From one image to another in steps.",
        discussion: LatentOptions.discussion("hidra latent interpolate digits a.png b.png -o steps.png"))
    // The encoder comes first on the command line, then as many paths as there are.
    @OptionGroup var latent: LatentOptions
    @OptionGroup var inputs: LatentInputs

    @Option(help: ArgumentHelp("Steps, both ends included.", valueName: "n"))
    var steps: UInt32 = 8

    func run() async throws { try await latent.run("interpolate", inputs: inputs.paths) { $0.count = steps } }
}

struct LatentEdit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Images with a direction added to their codes, a row for each.",
        discussion: LatentOptions.discussion("hidra latent edit digits a.png --direction seven --amount 1 -o e.png"))
    // The encoder comes first on the command line, then as many paths as there are.
    @OptionGroup var latent: LatentOptions
    @OptionGroup var inputs: LatentInputs

    @Option(help: ArgumentHelp("Direction, as it was learned.", valueName: "name"))
    var direction: String

    @Option(
        name: .customLong("amount"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("How much of it; once for each picture of a row (default: -2, -1, 0, 1, 2).", valueName: "x"))
    var amounts: [Double] = []

    func run() async throws {
        try await latent.run("edit", inputs: inputs.paths) { request in
            request.direction = direction
            request.amounts = amounts
        }
    }
}

struct LatentAnalogy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analogy", abstract: "A is to B as C is to …: the image of C + B - A.",
        discussion: LatentOptions.discussion("hidra latent analogy digits a.png b.png c.png -o d.png"))
    // The encoder comes first on the command line, then as many paths as there are.
    @OptionGroup var latent: LatentOptions
    @OptionGroup var inputs: LatentInputs

    func run() async throws { try await latent.run("analogy", inputs: inputs.paths) }
}

struct LatentLearn: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "learn", abstract: "Learn a direction from labelled images, or the axes of most variance (pca).",
        discussion: LatentOptions.discussion("hidra latent learn digits labelled/ --direction seven --label 7"))
    // The encoder comes first on the command line, then as many paths as there are.
    @OptionGroup var latent: LatentOptions
    @OptionGroup var inputs: LatentInputs

    @Option(help: ArgumentHelp("Name of the direction.", valueName: "name"))
    var direction = ""

    @Option(help: ArgumentHelp("Label that it leads to.", valueName: "label"))
    var label = ""

    @Option(help: ArgumentHelp("Label that it leads from (default: all others).", valueName: "label"))
    var against = ""

    @Option(help: ArgumentHelp("means, probe or pca.", valueName: "method"))
    var method = "means"

    @Option(help: ArgumentHelp("pca: how many axes, named pc1, pc2, ….", valueName: "n"))
    var count: UInt32 = 4

    func validate() throws {
        if method != "pca", direction.isEmpty || label.isEmpty {
            throw ValidationError("--direction NAME and --label LABEL say what is learned; or --method pca.")
        }
    }

    func run() async throws {
        try await latent.run("learn", inputs: inputs.paths, labelled: method != "pca") { request in
            request.direction = direction
            request.label = label
            request.against = against
            request.method = method
            request.count = count
        }
    }
}

struct LatentMap: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map", abstract: "Where images lie on the plane of the two largest axes, a colour for each label.",
        discussion: LatentOptions.discussion("hidra latent map digits labelled/ -o map.png"))
    // The encoder comes first on the command line, then as many paths as there are.
    @OptionGroup var latent: LatentOptions
    @OptionGroup var inputs: LatentInputs

    func run() async throws { try await latent.run("map", inputs: inputs.paths, labelled: true) }
}

struct LatentGrid: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grid", abstract: "What is decoded over the plane of the two largest axes.",
        discussion: LatentOptions.discussion("hidra latent grid digits -o grid.png"))
    @OptionGroup var latent: LatentOptions

    @Argument(help: ArgumentHelp("Images or codes that span the plane (default: as the training images do).", valueName: "path"))
    var paths: [String] = []

    @Option(help: ArgumentHelp("Images a side.", valueName: "n"))
    var count: UInt32 = 12

    func run() async throws { try await latent.run("grid", inputs: paths) { $0.count = count } }
}
