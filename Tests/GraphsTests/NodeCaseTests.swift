import Foundation
import Testing

@testable import Graphs

/// Both suites are made on the spot by Python and skipped where it, or a module, is missing (`HIDRA_PYTHON`, else `python3`).
@Suite("Operators against others", .serialized)
struct NodeCaseTests {
    /// All but cases whose expected values hang on numpy's random numbers, those that round to bfloat16 or float16 after each of several
    /// steps where one rounding at the end is nearer to the true value, and types that operators took on after operator set 24: shifts
    /// of signed integers, ranges of half floats.
    static func isComparable(_ name: String) -> Bool {
        let isHalf = name.contains("fp16") || name.contains("bf16") || name.contains("float16")
        if name.hasPrefix("test_training_dropout") { return name.contains("zero_ratio") }
        if name.hasPrefix("test_attention") || name.hasPrefix("test_linear_attention") || name.hasPrefix("test_range") {
            return !isHalf
        }
        return !(name.hasPrefix("test_bitshift") && name.contains("_int"))
    }

    @Test(
        "pass the node tests of the onnx package",
        .enabled("needs a Python with onnx, named by HIDRA_PYTHON") { try NodeCase.has("onnx") })
    func nodeTests() throws {
        try compare("node_cases.py", fewest: 1300)
    }

    @Test(
        "give onnxruntime's results on single-operator models of many shapes and types",
        .enabled("needs a Python with onnx and onnxruntime, named by HIDRA_PYTHON") {
            try NodeCase.has("onnx", "onnxruntime")
        })
    func runtime() throws {
        try compare("single_ops.py", fewest: 300)
    }

    private func compare(_ script: String, fewest: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hidra-nodes-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        let cases = try NodeCase.suite(script, into: folder)
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
