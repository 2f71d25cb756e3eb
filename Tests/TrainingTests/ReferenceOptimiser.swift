import Checkpoints
import Foundation
import TestSupport

@testable import TensorCore
@testable import Training

/// Optimisers, schedules and clipping as a manifest of reference values describes them.
struct ReferenceOptimiser {
    let attributes: [String: Any]

    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    func number(_ name: String) throws -> Double {
        guard let value = attributes[name] as? NSNumber else { throw Missing(description: "no number \"\(name)\"") }
        return value.doubleValue
    }

    func optional(_ name: String) -> Double? { (attributes[name] as? NSNumber)?.doubleValue }
    func flag(_ name: String) -> Bool { attributes[name] as? Bool ?? false }

    private func pair(_ name: String) throws -> (Double, Double) {
        guard let values = attributes[name] as? [NSNumber], values.count == 2 else {
            throw Missing(description: "no pair \"\(name)\"")
        }
        return (values[0].doubleValue, values[1].doubleValue)
    }

    func make(_ op: String, _ parameters: [Parameter]) throws -> any Optimiser {
        let decay = Float(optional("weight_decay") ?? 0)
        switch op {
        case "sgd":
            return SGD(
                parameters, momentum: Float(optional("momentum") ?? 0), nesterov: flag("nesterov"),
                dampening: Float(optional("dampening") ?? 0), weightDecay: decay)
        case "adam":
            var optimiser = Adam(parameters, weightDecay: decay, amsgrad: flag("amsgrad"))
            let betas = try pair("betas")
            (optimiser.beta1, optimiser.beta2, optimiser.eps) = (
                Float(betas.0), Float(betas.1), Float(try number("eps"))
            )
            return optimiser
        case "adamw":
            var optimiser = AdamW(parameters, weightDecay: decay, amsgrad: flag("amsgrad"))
            let betas = try pair("betas")
            (optimiser.beta1, optimiser.beta2, optimiser.eps) = (
                Float(betas.0), Float(betas.1), Float(try number("eps"))
            )
            optimiser.assign(ParameterGroup(), where: isWithoutDecay)
            return optimiser
        case "rmsprop":
            return RMSprop(
                parameters, alpha: Float(try number("alpha")), eps: Float(try number("eps")),
                momentum: Float(optional("momentum") ?? 0), centred: flag("centered"), weightDecay: decay)
        case "adagrad":
            return Adagrad(
                parameters, learningRateDecay: Float(optional("lr_decay") ?? 0), eps: Float(try number("eps")),
                weightDecay: decay)
        case "lion":
            let betas = try pair("betas")
            return Lion(parameters, beta1: Float(betas.0), beta2: Float(betas.1), weightDecay: decay)
        case "adafactor_torch":
            return Adafactor(
                parameters, beta2Decay: try number("beta2_decay"), eps: try pair("eps"), clipping: try number("d"),
                weightDecay: decay)
        case "adafactor_hf":
            var form = T5Adafactor.Form()
            form.eps = try pair("eps")
            form.clipping = try number("clip_threshold")
            form.decayRate = try number("decay_rate")
            form.beta1 = optional("beta1").map(Float.init)
            form.scalesWithParameter = flag("scale_parameter")
            form.isRelative = flag("relative_step")
            form.warmsUp = flag("warmup_init")
            return T5Adafactor(parameters, form: form, weightDecay: decay)
        default: throw Missing(description: "nothing computes the optimiser \"\(op)\"")
        }
    }

    /// `no_decay` lists names, or says which kinds of parameters it means.
    private func isWithoutDecay(_ parameter: Parameter) -> Bool {
        if let names = attributes["no_decay"] as? [String] { return names.contains(parameter.name) }
        guard let text = attributes["no_decay"] as? String else { return false }
        return text.contains("biases") && parameter.name.hasSuffix("bias")
            || text.contains("LayerNorm") && parameter.name.contains("LayerNorm")
    }

    /// A constant rate, or "linear warmup W steps, then linear decay to 0 at [step] T".
    func rate(_ step: Int) throws -> Float {
        let base = optional("lr") ?? 0
        guard let text = attributes["schedule"] as? String else { return Float(base) }
        let numbers = text.split { !$0.isNumber }.compactMap { Int($0) }
        guard text.hasPrefix("linear warmup"), numbers.count == 3 else {
            throw Missing(description: "nothing computes the schedule \"\(text)\"")
        }
        return Schedule.linear(warmup: numbers[0], total: numbers[2]).rate(step, base: base)
    }

    var clipping: GradientClipping? { optional("clip_max_norm").map { .norm(largest: $0) } }

    /// The schedule of a case by its name, which says what kind it is.
    func schedule(_ name: String) throws -> Schedule {
        func count(_ name: String) throws -> Int { Int(try number(name)) }
        let warmup = Int(optional("warmup") ?? 0)
        let kinds: [(String, () throws -> Schedule)] = [
            ("linear", { .linear(warmup: warmup, total: try count("total")) }),
            ("constant", { .constant(warmup: warmup) }),
            (
                "cosine_restarts",
                { .cosineWithRestarts(warmup: warmup, total: try count("total"), cycles: try number("cycles")) }
            ),
            ("cosine_annealing", { .cosineAnnealing(period: try count("t_max"), floor: try number("eta_min")) }),
            ("cosine", { .cosine(warmup: warmup, total: try count("total")) }),
            (
                "polynomial",
                {
                    .polynomial(
                        warmup: warmup, total: try count("total"), end: try number("lr_end"), power: try number("power")
                    )
                }
            ),
            ("inverse_sqrt", { .inverseSquareRoot(warmup: warmup, timescale: optional("timescale").map { Int($0) }) }),
            ("step", { .steps(size: try count("step_size"), gamma: try number("gamma")) }),
            ("exponential", { .exponential(gamma: try number("gamma")) }),
            ("one_cycle", { .oneCycle(try oneCycle()) }),
        ]
        guard let kind = kinds.first(where: { name.hasPrefix("schedule_\($0.0)") }) else {
            throw Missing(description: "nothing computes \"\(name)\"")
        }
        return try kind.1()
    }

    private func oneCycle() throws -> OneCycle {
        var cycle = OneCycle(total: Int(try number("total")))
        cycle.rise = try number("pct_start")
        cycle.startDivisor = try number("div_factor")
        cycle.endDivisor = try number("final_div_factor")
        cycle.hasThreePhases = flag("three_phase")
        cycle.momentum = try number("base_momentum")...number("max_momentum")
        guard let name = attributes["anneal_strategy"] as? String, let annealing = OneCycle.Annealing(rawValue: name)
        else {
            throw Missing(description: "no known anneal_strategy")
        }
        cycle.annealing = annealing
        return cycle
    }
}

/// Parameters with the values a reference begins with.
func parameters(_ values: KeyValuePairs<String, Tensor>) -> [Parameter] {
    parameters(values.map { ($0.key, $0.value) })
}

func parameters(_ values: [(name: String, value: Tensor)]) -> [Parameter] {
    let scope = ParameterScope(initialisedFrom: 0)
    return values.map { name, value in
        let parameter = scope.parameter(name, value.shape, initial: .zeros)
        parameter.value.mutablePointer.update(from: value.contiguous().pointer, count: value.count)
        return parameter
    }
}
