import Foundation
import Glibc
import ONNX
import TensorCore

/// A weight that a model declares instead of carrying: an entry `hidra.init.NAME` of its `metadata_props`, beside a float32 graph
/// input NAME of fixed shape. The input then is a parameter, not an input.
///
/// | value | numbers |
/// |---|---|
/// | `zeros`, `ones`, `constant:c` | the same everywhere |
/// | `uniform:a` | uniform in ±a |
/// | `normal:s` | normal with deviation s |
/// | `xavier_uniform`, `xavier_normal` | Glorot & Bengio 2010: ±√(6 / (in + out)), deviation √(2 / (in + out)) |
/// | `kaiming_uniform`, `kaiming_normal` | He et al. 2015: ±√(6 / in), deviation √(2 / in) |
///
/// `in` and `out` are those of a matrix product `x · W` with W `[in, out]`, or of a convolution's weight `[out, in, kernel…]`.
/// After `@oi` (as in `xavier_uniform@oi`) a matrix is read as `[out, in]`, as Gemm with `transB` has it.
struct DeclaredInitialiser: Sendable {
    enum Distribution: Sendable, Equatable {
        case constant(Float)
        case uniform(Float)
        case normal(Float)
    }

    static let prefix = "hidra.init."
    let shape: [Int]
    let distribution: Distribution

    /// Those of a model, by name.
    static func all(in model: GraphModel) throws(GraphError) -> [String: DeclaredInitialiser] {
        var result: [String: DeclaredInitialiser] = [:]
        for entry in model.proto.metadataProps where entry.key.hasPrefix(prefix) {
            let name = String(entry.key.dropFirst(prefix.count))
            guard let info = model.proto.graph.input.first(where: { $0.name == name }) else {
                throw GraphError(
                    .unknownName,
                    "\(entry.key) declares a weight, but the graph has no input \"\(name)\" to take its shape from")
            }
            let (type, dimensions) = try Planner.declared(info)
            guard type == .float32, let dimensions else {
                throw GraphError(
                    .typeMismatch, "\"\(name)\" is initialised by \(entry.key); declare it as float32 with its shape")
            }
            var shape: [Int] = []
            for dimension in dimensions {
                guard case .fixed(let extent) = dimension else {
                    throw GraphError(
                        .badValue, "\"\(name)\" is initialised by \(entry.key); all its extents must be numbers")
                }
                shape.append(extent)
            }
            guard try checkedCount(shape) <= model.limits.tensorElements, shape.count <= model.limits.rank else {
                throw GraphError(.tooLarge, "\"\(name)\" of shape \(text(shape)) has too many elements")
            }
            result[name] = DeclaredInitialiser(
                shape: shape, distribution: try distribution(entry.value, shape, key: entry.key))
        }
        return result
    }

    private static func distribution(_ text: String, _ shape: [Int], key: String) throws(GraphError) -> Distribution {
        let outputFirst = text.hasSuffix("@oi") || shape.count > 2
        let words = text.replacing("@oi", with: "").split(separator: ":", omittingEmptySubsequences: false)
        let number = words.count == 2 ? Float(words[1]) : nil
        let receptive = Float(shape.dropFirst(2).reduce(1, *))
        let first = Float(shape.first ?? 1), second = Float(shape.count > 1 ? shape[1] : 1)
        let fanIn = max((outputFirst ? second : first) * receptive, 1)
        let fanOut = max((outputFirst ? first : second) * receptive, 1)
        switch (words.first.map(String.init) ?? "", words.count, number) {
        case ("zeros", 1, _): return .constant(0)
        case ("ones", 1, _): return .constant(1)
        case ("constant", 2, let number?) where number.isFinite: return .constant(number)
        case ("uniform", 2, let number?) where number.isFinite: return .uniform(number)
        case ("normal", 2, let number?) where number.isFinite: return .normal(number)
        case ("xavier_uniform", 1, _): return .uniform((6 / (fanIn + fanOut)).squareRoot())
        case ("xavier_normal", 1, _): return .normal((2 / (fanIn + fanOut)).squareRoot())
        case ("kaiming_uniform", 1, _): return .uniform((6 / fanIn).squareRoot())
        case ("kaiming_normal", 1, _): return .normal((2 / fanIn).squareRoot())
        default:
            throw GraphError(
                .badValue,
                "\(key) is \"\(text)\"; use zeros, ones, constant:C, uniform:A, normal:S, xavier_uniform, xavier_normal, "
                    + "kaiming_uniform or kaiming_normal")
        }
    }

    /// The numbers depend on the seed and the name only.
    func values(name: String, seed: UInt64) -> Tensor {
        var random = Random(seed: seed, stream: name)
        let result = Tensor(uninitialised: Shape(shape))
        for i in 0..<result.count {
            result.mutablePointer[i] =
                switch distribution {
                case .constant(let value): value
                case .uniform(let bound): (random.uniform() * 2 - 1) * bound
                case .normal(let deviation):
                    // Box and Muller; 1 − u is never 0.
                    deviation * (-2 * logf(1 - random.uniform())).squareRoot() * cosf(2 * .pi * random.uniform())
                }
        }
        return result
    }
}
