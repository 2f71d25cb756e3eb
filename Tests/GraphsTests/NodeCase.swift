import Foundation
import ONNX
import SwiftProtobuf
import TensorCore
import TestSupport

@testable import Graphs

/// One model with inputs and expected outputs, in the layout of ONNX's backend tests: `model.onnx`, `input_N.pb`, `output_N.pb`.
struct NodeCase: Decodable {
    let name: String
    let rtol: Double
    let atol: Double

    enum Outcome {
        case passed
        /// Uses an operator, a type or an operator set outside of the table.
        case outside
        case failed(String)
    }

    static var python: String { ProcessInfo.processInfo.environment["HIDRA_PYTHON"] ?? "python3" }
    static func script(_ name: String) -> String {
        Golden.packageRoot.appending(path: "Tests/GraphsTests/Scripts/\(name)").path
    }

    /// Whether there is a Python with these modules.
    static func has(_ modules: String...) throws -> Bool {
        try run(python, ["-c", modules.map { "import \($0)" }.joined(separator: ";")]).status == 0
    }

    /// Writes a suite with one of `Scripts` and reads its list.
    static func suite(_ name: String, into folder: URL) throws -> [NodeCase] {
        let result = try run(python, [script(name), folder.path])
        guard result.status == 0 else { throw GraphError(.malformed, "\(name): \(result.errors)") }
        return try JSONDecoder().decode(
            [NodeCase].self, from: Data(contentsOf: folder.appending(path: "manifest.json")))
    }

    static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, errors: String) {
        let process = Process(), errors = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    func outcome(in folder: URL) throws -> Outcome {
        let own = folder.appending(path: name)
        do {
            let model = try GraphModel(data: Data(contentsOf: own.appending(path: "model.onnx")))
            let program = try GraphProgram(model)
            let inputs = try Self.values(own, "input")
            if let problem = model.check().problems.first { return .failed("check: \(problem.message)") }
            let outputs = try program.run(inputs: Dictionary(uniqueKeysWithValues: inputs.map { ($0.0, $0.1) }))
            for (output, expected) in zip(outputs, try Self.values(own, "output")) {
                if let difference = difference(output.value, expected.1) {
                    return .failed("\(output.name): \(difference)")
                }
            }
            return .passed
        } catch let error as GraphError {
            return error.code == .unsupported ? .outside : .failed("\(error)")
        }
    }

    private static func values(_ folder: URL, _ kind: String) throws -> [(String, GraphValue)] {
        var values: [(String, GraphValue)] = []
        while case let file = folder.appending(path: "\(kind)_\(values.count).pb"),
            FileManager.default.fileExists(atPath: file.path)
        {
            let proto = try TensorProto(serializedBytes: Data(contentsOf: file))
            values.append((proto.name, try GraphValue(proto, limits: .default)))
        }
        return values
    }

    private func difference(_ actual: GraphValue, _ expected: GraphValue) -> String? {
        guard actual.type == expected.type, actual.shape == expected.shape else {
            return "\(actual.type) \(actual.shape), expected \(expected.type) \(expected.shape)"
        }
        if actual.bytes == expected.bytes { return nil }
        func numbers(_ value: GraphValue) -> [Double]? {
            switch value.content {
            case .float(let tensor): tensor.values.map { Double($0) }
            case .real(let values): values
            default: nil
            }
        }
        guard let a = numbers(actual), let e = numbers(expected) else { return "other integers" }
        for (index, (x, y)) in zip(a, e).enumerated() where !(x == y || (x.isNaN && y.isNaN)) {
            if !(abs(x - y) <= atol + rtol * abs(y)) { return "element \(index) is \(x), expected \(y)" }
        }
        return nil
    }
}
