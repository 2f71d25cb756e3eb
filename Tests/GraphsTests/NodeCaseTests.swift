import Foundation
import Testing

@testable import Graphs

/// Both suites are made on the spot by Python and skipped where it, or a module, is missing (`HIDRA_PYTHON`, else `python3`).
@Suite("Operators against others", .serialized)
struct NodeCaseTests {
    /// Cases whose expected values hang on numpy's random numbers, or on rounding after each of several steps in bfloat16 and float16
    /// where one rounding at the end is nearer to the true value.
    static func isComparable(_ name: String) -> Bool {
        !name.hasPrefix("test_training_dropout") || name.contains("zero_ratio")
            ? !(name.hasPrefix("test_attention") && (name.contains("bf16") || name.contains("fp16"))) : false
    }

    @Test("pass the node tests of the onnx package")
    func nodeTests() throws {
        try compare("node_cases.py", modules: ["onnx"], fewest: 1000)
    }

    @Test("give onnxruntime's results on single-operator models of many shapes and types")
    func runtime() throws {
        try compare("single_ops.py", modules: ["onnx", "onnxruntime"], fewest: 300)
    }

    private func compare(_ script: String, modules: [String], fewest: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hidra-nodes-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        guard let cases = try NodeCase.suite(script, modules: modules, into: folder) else {
            print("\(script): skipped, no Python with \(modules.joined(separator: " and "))")
            return
        }
        var passed = 0, outside = 0, failed = 0
        for entry in cases where Self.isComparable(entry.name) {
            switch try entry.outcome(in: folder) {
            case .passed: passed += 1
            case .outside: outside += 1
            case .failed(let reason):
                failed += 1
                Issue.record("\(entry.name): \(reason)")
            }
        }
        print(
            "\(script): \(passed) of \(passed + failed) pass; \(outside) use operators, types or operator sets outside of the table"
        )
        #expect(passed >= fewest)
    }
}
