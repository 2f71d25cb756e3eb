import CKernels
import Checkpoints
import Glibc
import TensorCore

/// Learnt weights of losses by their homoscedastic uncertainty (Kendall, Gal & Cipolla 2018): with `s = log σ²` of each head
/// `Σ exp(−s) · L + s / 2` where classes are told apart, `Σ exp(−s) · L / 2 + s / 2` where numbers are estimated.
struct UncertaintyWeights {
    /// `s`, one element each.
    let parameters: [Parameter]
    private let factors: [Float]

    init(_ heads: [(name: String, isRegression: Bool)]) {
        parameters = heads.map { Parameter(name: "uncertainty/\($0.name)", value: Tensor([0], [1]).tracked) }
        factors = heads.map { $0.isRegression ? 0.5 : 1 }
    }

    /// What a loss is multiplied with.
    func weight(_ head: Int) -> Float { factors[head] * exp(-parameters[head].value.pointer[0]) }

    /// Of the joint loss, by `s`: `½ − weight · L`.
    func gradient(_ head: Int, loss: Float) -> Float { 0.5 - weight(head) * loss }
}

/// Weights of losses that even out the norms of their gradients (GradNorm, Chen et al. 2018): heads whose loss has fallen less
/// than the others' pull harder.
///
/// With `G = w · ‖∇L‖` of each head, their mean `Ḡ`, and `r` a head's `L / L₀` over the heads' mean of it, the weights descend
/// `Σ |G − Ḡ r^α|`, where `Ḡ r^α` counts as constant, and are scaled to sum to the number of heads.
struct GradNorm {
    let alpha: Double, rate: Double
    var weights: [Double]
    /// The first loss of each head; nil before it has had one.
    var firstLosses: [Double?]

    init(weights: [Double], alpha: Double, rate: Double) {
        let sum = weights.reduce(0, +)
        self.weights = weights.map { $0 / sum * Double(weights.count) }
        self.alpha = alpha
        self.rate = rate
        firstLosses = weights.map { _ in nil }
    }

    /// After a step in which the heads of `present` had these losses and these norms of the unweighted loss's gradient.
    mutating func update(present: [Int], losses: [Double], norms: [Double]) {
        for (head, loss) in zip(present, losses) where firstLosses[head] == nil { firstLosses[head] = max(loss, 1e-8) }
        guard present.count > 1 else { return }
        let pulls = zip(present, norms).map { weights[$0] * $1 }
        let mean = pulls.reduce(0, +) / Double(pulls.count)
        let ratios = zip(present, losses).map { $1 / (firstLosses[$0] ?? $1) }
        let meanRatio = max(ratios.reduce(0, +) / Double(ratios.count), 1e-12)
        for (index, head) in present.enumerated() {
            let target = mean * pow(max(ratios[index], 0) / meanRatio, alpha)
            let slope = pulls[index] > target ? norms[index] : pulls[index] < target ? -norms[index] : 0
            // A weight that reached 0 could never come back.
            weights[head] = max(weights[head] - rate * slope, 1e-3)
        }
        let sum = weights.reduce(0, +)
        for head in weights.indices { weights[head] *= Double(weights.count) / sum }
    }
}

/// Gradients of several losses with their conflicts taken out (PCGrad, Yu et al. 2020): each is projected onto the normal plane
/// of every other one that it points against, in random order; then they are added.
enum ConflictingGradients {
    /// - Parameter gradients: of each loss, of all shared parameters in one order.
    static func resolve(_ gradients: [[Tensor]], random: inout Random) -> [Tensor] {
        let dense = gradients.map { $0.map { $0.contiguous() } }
        let squares = dense.map { dot($0, $0) }
        var sum: [Tensor] = []
        for (index, own) in dense.enumerated() {
            let projected = own.map { Tensor($0.values, $0.shape) }
            for other in random.permutation(dense.count) where other != index && squares[other] > 0 {
                let product = dot(projected, dense[other])
                if product < 0 { add(dense[other], times: Float(-product / squares[other]), to: projected) }
            }
            if sum.isEmpty { sum = projected } else { add(projected, times: 1, to: sum) }
        }
        return sum
    }

    private static func dot(_ a: [Tensor], _ b: [Tensor]) -> Double {
        zip(a, b).reduce(0) { $0 + Double(ck_dot_f32($1.0.count, $1.0.pointer, $1.1.pointer)) }
    }

    static func add(_ gradients: [Tensor], times scale: Float, to sums: [Tensor]) {
        for (gradient, sum) in zip(gradients, sums) {
            ck_axpy_f32(sum.count, scale, gradient.contiguous().pointer, sum.mutablePointer)
        }
    }
}
