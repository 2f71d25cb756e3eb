import ArgumentParser
import Encoders
import Foundation
import Tables
import TensorCore

/// Sentences a second through tokenizer, encoder and pooling; and the time of one sentence.
struct Encode: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encode",
        abstract: "Sentences a second, and the latency of one; in int8 also how far its vectors are from those of fp32.",
        discussion: "Example: hidra-bench encode --model ~/.local/share/hidra/encoders/minilm --csv train.csv --precision int8")

    @Option(help: "Folder of an encoder.") var model: String
    @Option(help: "Table with sentences.") var csv: String
    @Option var column = "text"
    @Option(help: "Sentences used.") var limit = 2000
    @Option(help: "Tokens of one unit, for each thread.") var unit = 80

    @Option(help: "fp32 or int8.") var precision = Precision.fp32

    @Option(help: "NumPy file to write the vectors to.") var vectors: String?

    func run() throws {
        let encoder = try TextEncoder(folder: URL(filePath: model), precision: precision)
        let texts = Array(try Table.read(path: csv).column(column).prefix(limit))
        let threads = WorkerPool.shared.threads
        let before = processorSeconds(), runs = 3
        let seconds = best(of: runs) { _ = features(encoder, texts) }
        let coreSeconds = (processorSeconds() - before) / Double(runs)
        let lengths = texts.map { encoder.tokenize($0).count }
        let rate = operations(encoder, lengths) / seconds / 1e9
        let peak = precision == .int8 ? Peak.int8(threads: threads) : Peak.gflops(threads: threads)
        say([
            ("bench", "encode"), ("precision", precision.rawValue),
            ("kernels", precision == .int8 ? KernelLevel.int8 : KernelLevel.current), ("threads", threads),
            ("sentences", texts.count), ("per_second", Double(texts.count) / seconds),
            ("per_core_second", Double(texts.count) / coreSeconds),
            ("tokens_per_second", Double(lengths.reduce(0, +)) / seconds),
            (precision == .int8 ? "gops" : "gflops", rate), ("share_of_peak", rate / peak),
            ("packed_mb", Double(encoder.weightMemory.packed) / 1e6),
            ("mapped_mb", Double(encoder.weightMemory.mapped) / 1e6),
        ])
        let text = "What can I do if my card still hasn't arrived after two weeks?"
        var times = (0..<320).map { _ in best(of: 1) { _ = encoder.features([encoder.tokenize(text)]) } }
        times = times.dropFirst(20).sorted()
        say([
            ("bench", "latency of one sentence"), ("precision", precision.rawValue), ("p50_ms", times[150] * 1e3),
            ("p99_ms", times[297] * 1e3),
        ])
        if precision != .fp32 { try compare(encoder, texts) }
        if let vectors {
            let writer = try NumPyWriter(path: vectors, rows: texts.count, width: encoder.width)
            for batch in features(encoder, texts) { try writer.append(batch.values) }
            try writer.finish()
        }
    }

    /// Vectors of the texts in units as the daemon makes them, in the texts' order.
    private func features(_ encoder: TextEncoder, _ texts: [String]) -> [Tensor] {
        let budget = unit * WorkerPool.shared.threads
        var results: [Tensor] = [], batch: [TokenizedText] = [], tokens = 0
        for text in texts {
            let tokenized = encoder.tokenize(text)
            batch.append(tokenized)
            tokens += tokenized.count
            if tokens >= budget {
                results.append(encoder.features(batch))
                (batch, tokens) = ([], 0)
            }
        }
        return batch.isEmpty ? results : results + [encoder.features(batch)]
    }

    /// Cosines of the texts' vectors with those of fp32.
    private func compare(_ encoder: TextEncoder, _ texts: [String]) throws {
        let reference = try TextEncoder(folder: URL(filePath: model))
        let cosines = zip(features(encoder, texts), features(reference, texts)).flatMap { ours, exact in
            CosineSimilarity()(ours, exact).values.map(Double.init)
        }
        say([
            ("bench", "cosine with fp32"), ("sentences", cosines.count),
            ("mean", String(format: "%.6f", cosines.reduce(0, +) / Double(cosines.count))),
            ("min", String(format: "%.6f", cosines.min() ?? .nan)),
        ])
    }

    /// Multiply-adds of a forward pass, twice: every weight but the embeddings' for each token, and attention.
    private func operations(_ encoder: TextEncoder, _ lengths: [Int]) -> Double {
        let body = encoder.encoder, width = Double(body.width)
        let embeddings = (body.vocabularySize + body.positions + body.tokenTypes) * body.width
        let weights = Double(body.parameterCount - embeddings)
        return lengths.reduce(0) { sum, length in
            sum + 2 * Double(length) * (weights + 2 * Double(body.layers * length) * width)
        }
    }
}

extension Precision: ExpressibleByArgument {}
