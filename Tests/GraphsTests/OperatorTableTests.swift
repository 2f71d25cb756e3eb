import Foundation
import TestSupport
import Testing

@testable import Graphs

@Suite("The operator table")
struct OperatorTableTests {
    static let file = Golden.packageRoot.appending(path: "proto/onnx/OPERATORS.md")

    @Test("is what proto/onnx/OPERATORS.md says; HIDRA_WRITE_OPERATORS=1 writes the file")
    func document() throws {
        if ProcessInfo.processInfo.environment["HIDRA_WRITE_OPERATORS"] != nil {
            try OperatorDocument.text.write(to: Self.file, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: Self.file, encoding: .utf8) == OperatorDocument.text)
    }

    @Test("names each operator once, with types for every input")
    func consistent() {
        #expect(OperatorTable.byName.count == OperatorTable.all.count)
        for entry in OperatorTable.all {
            for input in entry.inputs {
                #expect(entry.types[input.constraint] != nil, "\(entry.name): \(input.constraint)")
            }
            #expect(entry.inputs.dropLast().allSatisfy { !$0.isVariadic }, "\(entry.name)")
        }
    }

    @Test(
        "offers the nearest operator for one that is missing",
        arguments: [("Gemmm", "Gemm"), ("LayerNorm", "LayerNormalization"), ("QLinearConv", "Conv"), ("relu", "Relu")])
    func nearest(_ name: String, _ expected: String) {
        #expect(OperatorTable.nearest(to: name) == expected)
    }
}
