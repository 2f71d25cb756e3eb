/// What it takes to train an encoder from scratch: `6 · N · D` operations for N parameters and D tokens, two a parameter and token forward
/// and four backward (Kaplan et al. 2020, "Scaling Laws for Neural Language Models", section 2.1; Hoffmann et al. 2022, "Training
/// Compute-Optimal Large Language Models", appendix F), on accelerators that reach a share of their peak.
struct TrainingCost: Equatable {
    /// Floating-point operations.
    let operations: Double
    let gpuHours: Double
    /// Of all GPUs working together.
    let days: Double
    /// Dollars.
    let money: Double

    init(parameters: Double, tokens: Double, _ machine: Accelerators) {
        operations = 6 * parameters * tokens
        gpuHours = operations / (machine.peak * machine.utilisation) / 3600
        (days, money) = machine.bill(gpuHours)
    }

    /// Of a known number of GPU-hours.
    init(gpuHours: Double, _ machine: Accelerators) {
        operations = gpuHours * 3600 * machine.peak * machine.utilisation
        self.gpuHours = gpuHours
        (days, money) = machine.bill(gpuHours)
    }
}

/// What somebody else's training is counted in.
struct Accelerators: Equatable {
    /// Floating-point operations a second of one: an NVIDIA A100's peak in bfloat16 (its data sheet).
    var peak = 312e12
    /// Share of the peak that training reaches: 30 to 50 % is what large runs report (PaLM: 46 %, Chowdhery et al. 2022, table 3).
    var utilisation = 0.4
    var count = 8.0
    /// Dollars for one hour of one: about what an A100 of 80 GB costs on demand.
    var hourPrice = 4.0

    func bill(_ gpuHours: Double) -> (days: Double, money: Double) { (gpuHours / count / 24, gpuHours * hourPrice) }
}

/// What is known of how encoders were trained.
struct EncoderTraining: Equatable {
    /// Tokens seen, each time they were.
    let tokens: Double
    /// How the number comes about, and who says so.
    let source: String
    /// What it leaves out.
    let caveat: String

    /// By what `hidra ls` calls the source, or by the SHA-256 of the weights, wherever they came from.
    static func known(_ source: String, digest: String = "") -> EncoderTraining? {
        let name = source.split(separator: "@").first.map(String.init) ?? source
        return all.first { $0.names.contains(name.lowercased()) || $0.names.contains(digest) }?.training
    }

    private static let all: [(names: [String], training: EncoderTraining)] = [
        (
            [
                "minilm", "hf:sentence-transformers/all-minilm-l6-v2",
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            ],
            EncoderTraining(
                // 100,000 steps × 1,024 pairs × 2 texts × at most 128 tokens.
                tokens: 100_000 * 1_024 * 2 * 128,
                source: "the model card of sentence-transformers/all-MiniLM-L6-v2: 100,000 steps of 1,024 pairs, texts of at most 128 tokens; "
                    + "counted as if all were that long",
                caveat: "the contrastive fine-tuning alone; what the distillation of MiniLM before it took, and the BERT it was distilled "
                    + "from, is not published in tokens and not counted")
        ),
        (
            ["hf:google-bert/bert-base-uncased", "hf:bert-base-uncased"],
            EncoderTraining(
                // 1,000,000 steps × 256 sequences × 512 tokens; 90 % of the steps had 128.
                tokens: 900_000 * 256 * 128 + 100_000 * 256 * 512,
                source: "Devlin et al. 2019, appendix A.2: 1,000,000 steps of 256 sequences, 90 % of them of 128 tokens and the rest of 512",
                caveat: "the pre-training alone")
        ),
        (
            ["hf:facebookai/roberta-base", "hf:roberta-base"],
            EncoderTraining(
                tokens: 500_000 * 8_000 * 512,
                source: "the model card of FacebookAI/roberta-base (Liu et al. 2019): 500,000 steps of 8K sequences of at most 512 tokens",
                caveat: "the pre-training alone")
        ),
    ]
}

/// What a run took here.
struct RunCost: Equatable {
    let coreSeconds: Double
    let wattsPerCore: Double
    let coreHourPrice: Double

    var coreHours: Double { coreSeconds / 3600 }
    /// Watt-hours, estimated.
    var energy: Double { coreHours * wattsPerCore }
    /// Dollars.
    var money: Double { coreHours * coreHourPrice }
}
