import ArgumentParser
import HidraClient
import HidraProtocol

struct Cost: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cost",
        abstract: "What a run took here, and what training its encoder from scratch would have taken.",
        discussion: """
            A run's core-seconds are measured; energy and money follow from the watts and the price of a core that were set when \
            it ran (HIDRA_WATTS_PER_CORE, 10; HIDRA_CORE_HOUR_PRICE, 0.05 dollars). Training from scratch is counted as 6 · N · D \
            operations for N parameters and D tokens (Kaplan et al. 2020; Hoffmann et al. 2022) on accelerators that reach a \
            share of their peak. D is known, with its source, for minilm, bert-base and roberta-base; for others state --tokens.

            Without a run the numbers are those you state: --parameters and --tokens, or --gpu-hours.

            EXAMPLE:
              hidra cost intent
              hidra cost intent --gpus 4 --gpu-hour-price 2
              hidra cost --parameters 175e9 --tokens 300e9 --gpus 1024
              hidra cost --gpu-hours 150000 --gpus 256 --gpu-hour-price 4

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such head or run, 7 time-out.
            """)

    @Argument(help: ArgumentHelp("A head, or the id of a run.", valueName: "run"))
    var run: String?

    @Option(help: ArgumentHelp("Parameters of the network (default: the encoder's).", valueName: "n"))
    var parameters: Double?

    @Option(help: ArgumentHelp("Tokens it was trained on, each as often as it was read.", valueName: "n"))
    var tokens: Double?

    @Option(help: ArgumentHelp("GPU-hours of the training, instead of parameters and tokens.", valueName: "hours"))
    var gpuHours: Double?

    @Option(help: ArgumentHelp("Peak of one GPU in operations a second (default: an A100's in bfloat16).", valueName: "flop/s"))
    var gpuFlops = Accelerators().peak

    @Option(help: ArgumentHelp("Share of the peak that training reaches.", valueName: "share"))
    var utilisation = Accelerators().utilisation

    @Option(help: ArgumentHelp("GPUs that work together.", valueName: "n"))
    var gpus = Accelerators().count

    @Option(help: ArgumentHelp("Dollars for one hour of one GPU.", valueName: "dollars"))
    var gpuHourPrice = Accelerators().hourPrice

    @OptionGroup var common: CommonOptions

    func validate() throws {
        for (name, value) in [("--parameters", parameters), ("--tokens", tokens), ("--gpu-hours", gpuHours), ("--gpu-flops", gpuFlops), ("--gpus", gpus)] {
            if let value, !(value > 0 && value < 1e30) { throw ValidationError("\(name) must be above 0; it was \(value).") }
        }
        guard utilisation > 0, utilisation <= 1 else { throw ValidationError("--utilisation is a share above 0 and up to 1; it was \(utilisation).") }
        guard gpuHourPrice >= 0, gpuHourPrice < 1e9 else { throw ValidationError("--gpu-hour-price must be at least 0; it was \(gpuHourPrice).") }
        if gpuHours != nil, parameters != nil || tokens != nil {
            throw ValidationError("--gpu-hours says what --parameters and --tokens would tell. Give one or the other.")
        }
        if run == nil, gpuHours == nil, parameters == nil || tokens == nil {
            throw ValidationError("Name a run or a head, or state --parameters and --tokens, or --gpu-hours.")
        }
    }

    func run() async throws {
        guard let name = run else {
            let report = try report(nil, nil)
            let console = Console(json: common.json)
            return try console.print(console.json ? JSON.event("result", report.members).text : report.render(style: console.style))
        }
        try await Session.run(common) { session in
            var record = try await session.client.show(name)
            if case .head(let head) = record.item { record = try await session.client.show(head.run) }
            guard case .run(let run) = record.item else {
                throw HidraError(.invalidArgument, "'\(name)' is no run and no head; `hidra ls` lists them.")
            }
            let encoder = try await session.client.show(run.encoder)
            let report = try report(run, encoder.encoder)
            let console = session.console
            try console.print(console.json ? JSON.event("result", report.members).text : report.render(style: console.style))
            if let note = report.note { try console.note(note) }
        }
    }

    private var accelerators: Accelerators {
        Accelerators(peak: gpuFlops, utilisation: utilisation, count: gpus, hourPrice: gpuHourPrice)
    }

    private func report(_ run: Hidra_V1_Run?, _ encoder: Hidra_V1_Encoder?) throws -> CostReport {
        var report = CostReport(
            accelerators: accelerators, scratch: gpuHours.map { TrainingCost(gpuHours: $0, accelerators) })
        if let run {
            guard run.hasProvenance else {
                throw HidraError(.notFound, "Run \(run.id) is of an earlier version, which did not measure core-seconds. Train it again.")
            }
            report.run = (
                "\(run.head) (\(run.id))",
                RunCost(
                    coreSeconds: run.provenance.coreSeconds, wattsPerCore: run.provenance.wattsPerCore,
                    coreHourPrice: run.provenance.coreHourPrice)
            )
        }
        guard gpuHours == nil else { return report }
        let known = tokens == nil ? encoder.flatMap { EncoderTraining.known($0.source, digest: $0.digest) } : nil
        guard let count = parameters ?? encoder.map({ Double($0.parameters) }) else { return report }
        guard let read = tokens ?? known?.tokens else {
            report.note =
                "How many tokens encoder '\(encoder?.name ?? "")' (\(encoder?.source ?? "")) was trained on is not known here: state it with "
                + "--tokens, from its paper or model card, for what training it took."
            return report
        }
        return CostReport(
            run: report.run, encoder: (encoder?.name ?? "as stated", count, read, known), accelerators: accelerators,
            scratch: TrainingCost(parameters: count, tokens: read, accelerators))
    }
}
