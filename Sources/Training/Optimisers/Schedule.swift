import Glibc

/// How the learning rate changes with the steps, counted from 0. A warm-up of n steps rises linearly from 0: `base · step / n`.
package enum Schedule: Sendable, Equatable {
    case constant(warmup: Int = 0)
    /// After the warm-up straight to 0 at `total`.
    case linear(warmup: Int = 0, total: Int)
    /// After the warm-up a half cosine to 0: `base · ½ (1 + cos(π · progress))`.
    case cosine(warmup: Int = 0, total: Int)
    /// After the warm-up `cycles` half cosines, each from the base.
    case cosineWithRestarts(warmup: Int = 0, total: Int, cycles: Double)
    /// `floor + (base − floor) · ½ (1 + cos(π · step / period))` (Loshchilov & Hutter 2017, without restarts).
    case cosineAnnealing(period: Int, floor: Double = 0)
    /// After the warm-up `(base − end) · (1 − progress)^power + end`.
    case polynomial(warmup: Int = 0, total: Int, end: Double, power: Double)
    /// After the warm-up `base / √((step + shift) / timescale)` with `shift = timescale − warmup` (Vaswani et al. 2017). The
    /// timescale defaults to the warm-up, or 10,000 without one.
    case inverseSquareRoot(warmup: Int, timescale: Int? = nil)
    /// `base · gamma^⌊step / size⌋`
    case steps(size: Int, gamma: Double)
    /// `base · gamma^step`
    case exponential(gamma: Double)
    case oneCycle(OneCycle)

    /// Rate of step `step`.
    package func rate(_ step: Int, base: Double) -> Float { Float(base * factor(step, base: base)) }

    private func factor(_ step: Int, base: Double) -> Double {
        let time = Double(step)
        switch self {
        case .constant(let warmup): return rise(step, warmup) ?? 1
        case .linear(let warmup, let total):
            return rise(step, warmup) ?? max(0, 1 - progress(step, warmup, total))
        case .cosine(let warmup, let total):
            return rise(step, warmup) ?? max(0, 0.5 * (1 + cos(.pi * progress(step, warmup, total))))
        case .cosineWithRestarts(let warmup, let total, let cycles):
            if let rise = rise(step, warmup) { return rise }
            let progress = progress(step, warmup, total)
            if progress >= 1 { return 0 }
            return max(0, 0.5 * (1 + cos(.pi * (cycles * progress).truncatingRemainder(dividingBy: 1))))
        case .cosineAnnealing(let period, let floor):
            let least = base == 0 ? 0 : floor / base
            return least + (1 - least) * 0.5 * (1 + cos(.pi * time / Double(max(period, 1))))
        case .polynomial(let warmup, let total, let end, let power):
            if let rise = rise(step, warmup) { return rise }
            let least = base == 0 ? 0 : end / base
            if step > total { return least }
            return (1 - least) * pow(1 - progress(step, warmup, total), power) + least
        case .inverseSquareRoot(let warmup, let given):
            if let rise = rise(step, warmup) { return rise }
            let timescale = given ?? (warmup > 0 ? warmup : 10_000)
            return 1 / (Double(step + timescale - warmup) / Double(max(timescale, 1))).squareRoot()
        case .steps(let size, let gamma): return pow(gamma, Double(step / max(size, 1)))
        case .exponential(let gamma): return pow(gamma, time)
        case .oneCycle(let cycle): return cycle.factor(step)
        }
    }

    private func rise(_ step: Int, _ warmup: Int) -> Double? {
        step < warmup ? Double(step) / Double(max(warmup, 1)) : nil
    }

    private func progress(_ step: Int, _ warmup: Int, _ total: Int) -> Double {
        Double(step - warmup) / Double(max(total - warmup, 1))
    }
}

/// The 1cycle policy (Smith & Topin 2018), as PyTorch's `OneCycleLR`: the rate rises from `base / startDivisor` to the base and
/// falls to `base / startDivisor / endDivisor`; the momentum goes the other way. With three phases it first falls back to where
/// it started.
package struct OneCycle: Sendable, Equatable {
    package enum Annealing: String, Sendable { case cosine = "cos", linear }

    package var total: Int
    /// Share of the steps that rise.
    package var rise = 0.3
    package var startDivisor = 25.0
    package var endDivisor = 1e4
    package var annealing = Annealing.cosine
    package var hasThreePhases = false
    package var momentum = 0.85...0.95

    package init(total: Int) { self.total = total }

    private enum Level { case start, top, end }

    /// Where a step is: between two levels, and how far.
    private func phase(_ step: Int) -> (from: Level, to: Level, share: Double) {
        let top = rise * Double(total) - 1, last = Double(total - 1)
        var phases: [(end: Double, from: Level, to: Level)] = [(top, .start, .top)]
        if hasThreePhases { phases.append((2 * rise * Double(total) - 2, .top, .start)) }
        phases.append((last, hasThreePhases ? .start : .top, .end))
        var begin = 0.0
        for (index, phase) in phases.enumerated() {
            if Double(step) <= phase.end || index == phases.count - 1 {
                let length = phase.end - begin
                return (phase.from, phase.to, length > 0 ? (Double(step) - begin) / length : 1)
            }
            begin = phase.end
        }
        return (.end, .end, 1)
    }

    private func annealed(_ start: Double, _ end: Double, _ share: Double) -> Double {
        switch annealing {
        case .cosine: end + (start - end) / 2 * (1 + cos(.pi * share))
        case .linear: (end - start) * share + start
        }
    }

    /// The rate as a share of the base.
    func factor(_ step: Int) -> Double {
        func level(_ level: Level) -> Double {
            switch level {
            case .start: 1 / startDivisor
            case .top: 1
            case .end: 1 / startDivisor / endDivisor
            }
        }
        let (from, to, share) = phase(step)
        return annealed(level(from), level(to), share)
    }

    /// Momentum, or Adam's beta1, of a step.
    package func momentum(_ step: Int) -> Float {
        let (from, to, share) = phase(step)
        func level(_ level: Level) -> Double { level == .top ? momentum.lowerBound : momentum.upperBound }
        return Float(annealed(level(from), level(to), share))
    }
}
