import ArgumentParser

/// Measures the engine without the daemon: what the machine can do, and how much of it is used.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hidra-bench",
        abstract: "Measures matrix products, encoding, head training and the running daemon on this machine.",
        discussion: "Each line printed is one JSON object. Quote ratios of alternating runs: machines drift.",
        subcommands: [
            Peak.self, Products.self, Vision.self, PrepareImages.self, Encode.self, HeadSteps.self, DaemonLatency.self, Serve.self,
            ExternalLoss.self, Echo.self, Lora.self, TopLayers.self, Joint.self, ReplaySchedule.self, SessionLatency.self,
            SearchBench.self, SetFit.self, LatentBench.self,
        ])
}
