import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import TensorCore

/// A reference case being run: its inputs by name, tracked where the reference has a gradient.
final class GoldenInputs {
    let golden: GoldenCase
    let file: Safetensors
    let attributes: [String: Any]
    private(set) var leaves: [String: Tensor] = [:]

    init(_ golden: GoldenCase) throws {
        self.golden = golden
        file = try golden.open()
        attributes = golden.attributes
        for name in golden.gradients.keys { leaves[name] = try file.tensor(name).tracked }
    }

    func has(_ name: String) -> Bool { file.entries[name] != nil }
    /// A floating-point input.
    func tensor(_ name: String) throws -> Tensor { try leaves[name] ?? file.tensor(name) }
    /// An input that the case may leave out.
    func optional(_ name: String) throws -> Tensor? { has(name) ? try tensor(name) : nil }
    /// An I64, I32, U8 or BOOL input.
    func integers(_ name: String) throws -> [Int] { try file.integers(name) }
    func shape(_ name: String) throws -> Shape {
        guard let entry = file.entries[name] else { throw Missing(what: "tensor \(name)") }
        return Shape(entry.shape)
    }

    /// An attribute that the case must have; JSON numbers are read as the type asked for.
    func attribute<T>(_ name: String, as type: T.Type = T.self) throws -> T {
        guard let value: T = attribute(name) else { throw Missing(what: "attribute \(name) (\(T.self))") }
        return value
    }

    /// An attribute that may be absent or null.
    func attribute<T>(_ name: String) -> T? {
        guard let value = attributes[name], !(value is NSNull) else { return nil }
        if T.self == Float.self { return (value as? NSNumber)?.floatValue as? T }
        return value as? T
    }

    struct Missing: Error, CustomStringConvertible {
        let what: String
        var description: String { "the case has no \(what)" }
    }
}

/// One named output of a case.
enum GoldenOutput {
    case tensor(Tensor)
    case integers([Int])
}

/// Computes a case's outputs, under the manifest's names, from its inputs.
typealias GoldenBuilder = @Sendable (GoldenInputs) throws -> [String: GoldenOutput]

/// How each op of the reference is computed here; one file a family.
enum GoldenBuilders {
    static let all: [String: GoldenBuilder] = [
        elementwise, products, shapes, reductions, normalisation, attention, convolution, losses,
    ].reduce(into: [:]) { all, family in
        all.merge(family) { _, _ in fatalError("two golden builders for one op") }
    }

    /// A builder for an op with one tensor output.
    static func one(_ body: @escaping @Sendable (GoldenInputs) throws -> Tensor) -> GoldenBuilder {
        { ["output": .tensor(try body($0))] }
    }
}

@Suite("Golden: ops", .enabled(if: Golden.has("ops"), "no reference values at HIDRA_GOLDEN"))
struct GoldenOpTests {
    static let cases = Golden.cases("ops")

    @Test("outputs and gradients equal the reference", arguments: cases)
    func equalsReference(_ golden: GoldenCase) throws {
        guard let builder = GoldenBuilders.all[golden.op] else {
            Issue.record("nothing computes \"\(golden.op)\"; add it to GoldenBuilders")
            return
        }
        let inputs = try GoldenInputs(golden)
        let outputs = try builder(inputs)
        for name in golden.outputs {
            switch outputs[name] {
            case .tensor(let tensor): expect(golden, name, tensor, inputs.file)
            case .integers(let values): #expect(values == (try inputs.integers(name)), "\(golden.name): \(name)")
            case nil: Issue.record("\(golden.name): no output \"\(name)\"")
            }
        }
        // The vector–Jacobian product with the reference's output gradients, as the gradient of one scalar.
        var total: Tensor?
        for (name, gradient) in golden.outputGradients {
            guard case .tensor(let tensor)? = outputs[name] else { continue }
            let part = Sum()(Multiply()(tensor, try inputs.file.tensor(gradient)))
            total = total.map { Add()($0, part) } ?? part
        }
        guard let total, !golden.gradients.isEmpty else { return }
        let names = golden.gradients.keys.sorted()
        let gradients = total.gradients(for: try names.map { try inputs.tensor($0) })
        for (name, gradient) in zip(names, gradients) {
            guard let reference = golden.gradients[name] else { continue }
            expect(golden, reference, gradient, inputs.file)
        }
    }

    private func expect(_ golden: GoldenCase, _ name: String, _ actual: Tensor, _ file: Safetensors) {
        do {
            let (absolute, relative) = golden.tolerance(name)
            let result = difference(actual, try file.tensor(name), absolute: absolute, relative: relative)
            #expect(result.isWithinTolerance, "\(golden.name) \(name): \(result)")
        } catch {
            Issue.record("\(golden.name) \(name): \(error)")
        }
    }
}
