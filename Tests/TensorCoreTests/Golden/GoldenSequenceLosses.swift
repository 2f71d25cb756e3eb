import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let sequenceLosses: [String: GoldenBuilder] = ["ctc": ctc, "crf": crf]

    private static let ctc: GoldenBuilder = { inputs in
        let logits = try inputs.tensor("logits"), lengths = try inputs.integers("target_lengths")
        let labels = try inputs.classes("targets"), shape = try inputs.shape("targets")
        var targets: [[Int32]] = [], next = 0
        for (row, length) in lengths.enumerated() {
            // Padded to [batch, longest], or one after the other.
            let start = shape.rank == 2 ? row * shape[1] : next
            targets.append(Array(labels[start..<start + length]))
            next += length
        }
        let inputLengths = try inputs.integers("input_lengths")
        let blank: Int = try inputs.attribute("blank"), zeroInfinity: Bool = try inputs.attribute("zero_infinity")
        func loss(_ reduction: Reduction) -> Tensor {
            CTCLoss(
                targets: targets, inputLengths: inputLengths, blank: blank, zeroInfinity: zeroInfinity,
                reduction: reduction)(
                    logits)
        }
        return ["output": .tensor(loss(try inputs.reduction())), "per_sample": .tensor(loss(.none))]
    }

    private static let crf: GoldenBuilder = { inputs in
        let scores = try ["emissions", "start", "end", "transitions"].map(inputs.tensor)
        let mask = try inputs.integers("mask").map { $0 != 0 }, tags = try inputs.classes("tags")
        let name: String = try inputs.attribute("reduction")
        let loss =
            name == "token_mean"
            ? LinearChainCRF(tags: tags, mask: mask, over: .position)
            : LinearChainCRF(tags: tags, mask: mask, reduction: try inputs.reduction())
        let paths = LinearChainCRF.decode(
            emissions: scores[0].detached, start: scores[1].detached, end: scores[2].detached,
            transitions: scores[3].detached, mask: mask)
        var padded: [Int] = []
        let length = scores[0].shape[1]
        for (sequence, path) in paths.enumerated() {
            var tags = path.tags.makeIterator()
            padded += (0..<length).map { mask[sequence * length + $0] ? tags.next() ?? -2 : -1 }
        }
        return [
            "output": .tensor(loss.apply(scores)),
            "per_sequence": .tensor(LinearChainCRF(tags: tags, mask: mask, reduction: .none).apply(scores)),
            "viterbi_path": .integers(padded), "viterbi_score": .tensor(Tensor(paths.map(\.score), [paths.count])),
        ]
    }
}
