import ArgumentParser
import Encoders
import Foundation
import Tables
import TensorCore

/// Sentences a second through tokenizer, encoder and pooling; and the time of one sentence.
struct Encode: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encode", abstract: "Sentences a second, and the latency of one.",
        discussion:
            "Example: hidra-bench encode --model ~/.local/share/hidra/encoders/minilm --csv train.csv --column text")

    @Option(help: "Folder of an encoder.") var model: String
    @Option(help: "Table with sentences.") var csv: String
    @Option var column = "text"
    @Option(help: "Sentences used.") var limit = 2000
    @Option(help: "Tokens of one unit, for each thread.") var unit = 80

    func run() throws {
        let encoder = try TextEncoder(folder: URL(filePath: model))
        let texts = Array(try Table.read(path: csv).column(column).prefix(limit))
        let budget = unit * WorkerPool.shared.threads
        let seconds = best(of: 3) {
            var batch: [TokenizedText] = [], tokens = 0
            for text in texts {
                let tokenized = encoder.tokenize(text)
                batch.append(tokenized)
                tokens += tokenized.count
                if tokens >= budget {
                    _ = encoder.features(batch)
                    (batch, tokens) = ([], 0)
                }
            }
            if !batch.isEmpty { _ = encoder.features(batch) }
        }
        let threads = WorkerPool.shared.threads
        let gflops = operations(encoder, texts.map { encoder.tokenize($0).count }) / seconds / 1e9
        say([
            ("bench", "encode"), ("kernels", KernelLevel.current), ("threads", threads), ("sentences", texts.count),
            ("per_second", Double(texts.count) / seconds), ("gflops", gflops),
            ("share_of_peak", gflops / Peak.gflops(threads: threads)),
        ])
        let text = "What can I do if my card still hasn't arrived after two weeks?"
        var times = (0..<320).map { _ in best(of: 1) { _ = encoder.features([encoder.tokenize(text)]) } }
        times = times.dropFirst(20).sorted()
        say([("bench", "latency of one sentence"), ("p50_ms", times[150] * 1e3), ("p99_ms", times[297] * 1e3)])
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
