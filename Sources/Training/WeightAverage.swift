package import Checkpoints
import TensorCore

/// Exponential moving average of weights (Polyak & Juditsky 1992; Tarvainen & Valpola 2017):
/// `average = d · average + (1 − d) · weight` after each step, where d grows from `(1 + t) / (10 + t)` to `decay`, so that the
/// first weights are soon forgotten.
package struct WeightAverage {
    package let decay: Double
    private let parameters: [Parameter]
    /// In the parameters' order.
    let averages: [Tensor]
    var steps = 0

    package init(_ parameters: [Parameter], decay: Double) {
        precondition((0..<1).contains(decay), "the decay of an average is \(decay), not in 0..<1")
        self.decay = decay
        self.parameters = parameters
        averages = parameters.map { Tensor($0.value.values, $0.value.shape) }
    }

    /// Takes the parameters' values in.
    package mutating func update() {
        steps += 1
        let share = Float(1 - min(decay, Double(1 + steps) / Double(10 + steps)))
        for (parameter, average) in zip(parameters, averages) {
            let value = parameter.value.pointer, target = average.mutablePointer
            for i in 0..<average.count { target[i] += (value[i] - target[i]) * share }
        }
    }

    /// Runs `body` with the averages in the parameters' place.
    package func withAverages<Result>(_ body: () throws -> Result) rethrows -> Result {
        exchange()
        defer { exchange() }
        return try body()
    }

    private func exchange() {
        for (parameter, average) in zip(parameters, averages) {
            let a = parameter.value.mutablePointer, b = average.mutablePointer
            for i in 0..<average.count { (a[i], b[i]) = (b[i], a[i]) }
        }
    }
}
