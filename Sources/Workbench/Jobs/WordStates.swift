import Encoders
import Heads
import State
import TensorCore
import Training

/// From the states of a text's tokens to those of its words, which is what a tagger reads.
enum WordStates {
    /// Features whose rows have a state for each word: that of its first token.
    ///
    /// - Parameter texts: the rows' texts.
    /// - Throws: `unsupported` for an encoder that does not know where its tokens lie.
    static func reduced(_ features: RowFeatures, _ texts: [EncoderInput], _ source: FeatureSource) async throws -> RowFeatures {
        try await Workbench.offPool {
            guard case .states(let all) = features.inputs[0] else {
                throw WorkbenchError(.internalError, "A tagger was given vectors. Report this with the log.")
            }
            let states = all.states, width = states.width
            var chunks: [[Float]] = [], places: [TokenStates.Place] = [], chunk: [Float] = []
            for (row, input) in texts.enumerated() {
                guard case .text(let text) = input, let tokens = source.loaded.encoder.wordTokens(text) else {
                    throw WorkbenchError(
                        .unsupported,
                        "Encoder '\(source.loaded.record.name)' does not say which tokens a word has, so that no words can be labelled on it.")
                }
                places.append(TokenStates.Place(chunk: chunks.count, start: chunk.count, tokens: tokens.count))
                states.withStates(row) { own in
                    for token in tokens { chunk += own[token * width..<(token + 1) * width] }
                }
                if chunk.count > 4 << 20 {
                    chunks.append(chunk)
                    chunk = []
                }
            }
            chunks.append(chunk)
            return RowFeatures(
                [
                    .states(
                        StateFeatures(
                            states: TokenStates(chunks: chunks, places: places, width: width), truncated: all.truncated,
                            hits: all.hits, misses: all.misses))
                ], sources: [source])
        }
    }

    /// - Throws: `invalidData` naming the first row that a client's preprocessing gave another number of words: its pieces could not be found
    ///   in the text.
    static func requireWords(of made: [EncoderInput], asIn texts: [EncoderInput], _ head: String) throws {
        for (row, (made, text)) in zip(made, texts).enumerated() {
            guard case .text(let made) = made, case .text(let text) = text, made != text else { continue }
            let (after, before) = (made.wordRanges.count, text.wordRanges.count)
            guard after == before else {
                throw WorkbenchError(
                    .invalidData,
                    "The preprocessing for head '\(head)' made \(after) words of the \(before) in row \(row + 1). A head that labels words needs as "
                        + "many as there were.", details: ["row": String(row + 1)])
            }
        }
    }

    /// - Throws: `invalidData` naming the first row whose words and labels are not as many.
    static func requireLabels(_ cells: [String], of texts: [EncoderInput]) throws {
        for (row, (cell, input)) in zip(cells, texts).enumerated() {
            guard case .text(let text) = input else { continue }
            let words = text.wordRanges.count, labels = cell.split(whereSeparator: \.isWhitespace).count
            guard words == labels else {
                throw WorkbenchError(
                    .invalidData,
                    "Row \(row + 1) has \(words) words and \(labels) labels. Give one label for each word; white space separates both.",
                    details: ["row": String(row + 1)])
            }
        }
    }

    /// The pieces of texts that a tagger's answers describe.
    static func spans(_ paths: [TagPath], _ texts: [EncoderInput], _ labels: [String]) -> [HeadPrediction] {
        zip(paths, texts).map { path, input in
            guard case .text(let text) = input else { return .spans([]) }
            let words = text.wordRanges
            return .spans(
                LabelledSpan.all(path.tags.map { labels[$0] }).map { span in
                    TextSpan(
                        label: span.label, range: words[span.range.lowerBound].lowerBound..<words[span.range.upperBound - 1].upperBound,
                        score: Double(path.probabilities[span.range].min() ?? 0))
                })
        }
    }
}

extension TrainingPlan {
    /// The features by words, and the targets of exactly the words that have one: of a text that was cut the rest is not learnt.
    func alignedToWords(_ features: RowFeatures) async throws -> (plan: TrainingPlan, features: RowFeatures) {
        guard encoding.task == .tag else { return (self, features) }
        let reduced = try await WordStates.reduced(features, columns[0], sources[0])
        guard case .tags(let tags) = trainTargets else { return (self, reduced) }
        let words = reduced.inputs[0].tokens
        let own = zip(trainRows, tags).map { Array($1.prefix(words[$0])) }
        var plan = self
        plan.trainTargets = .tags(own)
        return (plan, reduced)
    }
}
