import TensorCore

/// How good outputs are, as one number to choose weights by; higher is better.
enum ValidationScore {
    /// Accuracy, micro-F1, the negative mean error, or of labels of words the negative loss.
    static func of(_ outputs: Tensor, _ targets: Targets, _ network: any Network, _ objective: Objective) -> Double {
        switch targets {
        case .classes(let classes):
            let width = outputs.shape[1]
            var correct = 0
            for (row, truth) in classes.enumerated()
            where outputs.pointer.indexOfLargest(row * width, width) == Int(truth) {
                correct += 1
            }
            // Ties are frequent on few rows; the loss decides between them.
            let loss = Double(objective(outputs, targets).scalar)
            return Double(correct) / Double(classes.count) - 1e-6 * min(loss, 1e3)
        case .labels(let flags, let count):
            let names = (0..<count).map(String.init)
            return Metrics.multilabel(
                predicted: outputs.values.map { $0 > 0 }, actual: flags.map { $0 > 0.5 }, labels: names
            ).metrics["micro_f1"] ?? 0
        case .values:
            return -Double(objective(outputs, targets).scalar)
        case .tags:
            return -Double(network.loss(outputs, targets, or: objective).scalar)
        }
    }
}
