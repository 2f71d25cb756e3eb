import Foundation
import Testing
import TestSupport

@testable import Checkpoints
@testable import TensorCore

private func write(_ data: Data) throws -> URL {
    let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).safetensors")
    try data.write(to: url)
    return url
}

/// A file with this header and so many bytes after it; `length` lies about the header's size when given.
private func file(_ header: String, payload: Int = 0, length: UInt64? = nil) -> Data {
    var data = Data()
    withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { data.append(contentsOf: $0) }
    data.append(contentsOf: header.utf8)
    data.append(Data(count: payload))
    return data
}

struct Broken: Sendable, CustomStringConvertible {
    let name: String
    let data: Data
    let code: CheckpointError.Code
    var description: String { name }
}

@Suite("Safetensors")
struct SafetensorsTests {
    @Test("what is written is read back, bit for bit, and the same tensors give the same bytes")
    func roundTrip() throws {
        let tensors = ["b.weight": Tensor([1, -2, 3.5, .infinity], [2, 2]), "a": Tensor([0.1], [])]
        let data = try SafetensorsWriter.encode(tensors, metadata: ["format": "test"])
        #expect(data == (try SafetensorsWriter.encode(tensors, metadata: ["format": "test"])))
        let read = try Safetensors(write(data))
        #expect(read.names == ["a", "b.weight"])
        #expect(read.metadata == ["format": "test"])
        #expect(try read.tensor("b.weight").values == [1, -2, 3.5, .infinity])
        #expect(try read.tensor("b.weight").shape == [2, 2])
        #expect(try read.tensor("a").shape == [])
    }

    @Test("half precisions are converted")
    func halves() throws {
        let header =
            #"{"f":{"dtype":"F16","shape":[4],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]}}"#
        var data = file(header)
        for bits in [0x3c00, 0xc000, 0x0001, 0x7c00, 0x3fc0, 0xff80] as [UInt16] {
            withUnsafeBytes(of: bits.littleEndian) { data.append(contentsOf: $0) }
        }
        let read = try Safetensors(write(data))
        #expect(try read.tensor("f").values == [1, -2, 0x1p-24, .infinity])
        #expect(try read.tensor("b").values == [1.5, -.infinity])
    }

    static let entry = #"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
    static let broken = [
        Broken(name: "empty file", data: Data(), code: .truncated),
        Broken(name: "header longer than the file", data: file(entry, length: 4000), code: .truncated),
        Broken(name: "header above the limit", data: file(entry, length: 1 << 40), code: .malformedHeader),
        Broken(name: "negative length", data: file(entry, length: .max), code: .malformedHeader),
        Broken(name: "not JSON", data: file("hello world"), code: .malformedHeader),
        Broken(name: "truncated tensors", data: file(entry, payload: 4), code: .truncated),
        Broken(name: "bytes too many", data: file(entry, payload: 12), code: .malformedHeader),
        Broken(
            name: "shape and size disagree", data: file(entry.replacing("[2]", with: "[3]"), payload: 8), code: .malformedHeader),
        Broken(
            name: "offsets backwards", data: file(entry.replacing("[0,8]", with: "[8,0]"), payload: 8), code: .malformedHeader),
        Broken(
            name: "negative shape", data: file(entry.replacing("[2]", with: "[-2]"), payload: 8), code: .malformedHeader),
        Broken(
            name: "size overflows", data: file(entry.replacing("[2]", with: "[4611686018427387904,4]"), payload: 8),
            code: .malformedHeader),
        Broken(
            name: "unknown type", data: file(entry.replacing("F32", with: "F8_E4M3"), payload: 8), code: .unsupportedType),
        Broken(
            name: "overlapping tensors",
            data: file(
                #"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
                payload: 12), code: .malformedHeader),
    ]

    @Test("a damaged file is refused with a reason", arguments: broken)
    func refuses(_ broken: Broken) throws {
        let url = try write(broken.data)
        let error = #expect(throws: CheckpointError.self) { try Safetensors(url) }
        #expect(error?.code == broken.code, "\(String(describing: error))")
        #expect(error?.file == url.path)
    }

    @Test("a missing file is refused with its path")
    func missing() {
        let error = #expect(throws: CheckpointError.self) { try Safetensors(URL(filePath: "/nowhere/x.safetensors")) }
        #expect(error?.code == .unreadable)
    }
}

@Suite("Parameter scopes")
struct ParameterScopeTests {
    private func checkpoint() throws -> Safetensors {
        try Safetensors(
            write(
                SafetensorsWriter.encode([
                    "bert.layer.weight": Tensor([1, 2, 3, 4], [2, 2]), "bert.LayerNorm.gamma": Tensor([1, 1], [2]),
                    "bert.spare": Tensor([0], [1]),
                ])))
    }

    private let renames: [Rename] = [.prefix("bert", to: ""), .component("gamma", to: "weight", under: "LayerNorm")]

    @Test("parameters are found under their new names")
    func renamed() throws {
        let scope = try ParameterScope(frozen: checkpoint(), renames: renames)
        #expect(scope.scope("layer").parameter("weight", [2, 2], initial: .zeros).value.values == [1, 2, 3, 4])
        #expect(scope.scope("LayerNorm").parameter("weight", [2], initial: .ones).value.values == [1, 1])
        try scope.finish { $0 == "spare" }
    }

    @Test("missing, mis-shaped and unused tensors are listed together")
    func strict() throws {
        let scope = try ParameterScope(frozen: checkpoint(), renames: renames)
        _ = scope.scope("layer").parameter("weight", [2, 3], initial: .zeros)
        _ = scope.scope("layer").parameter("bias", [2], initial: .zeros)
        let error = #expect(throws: CheckpointError.self) { try scope.finish() }
        let message = error?.message ?? ""
        #expect(message.contains("layer.bias") && message.contains("layer.weight is [2, 2], expected [2, 3]") && message.contains("spare"))
    }

    @Test("two rules that lead to one name are an error")
    func ambiguous() throws {
        let checkpoint = try Safetensors(write(SafetensorsWriter.encode(["a.x": Tensor([0], [1]), "x": Tensor([0], [1])])))
        #expect(throws: CheckpointError.self) { try ParameterScope(frozen: checkpoint, renames: [.prefix("a", to: "")]) }
    }

    @Test("initial values depend on the seed and the name alone")
    func initialisation() {
        func values(_ seed: UInt64, _ first: String, _ second: String) -> [[Float]] {
            let scope = ParameterScope(initialisedFrom: seed)
            return [first, second].map { scope.parameter($0, [3, 4], initial: .uniform(fanIn: 4)).value.values }
        }
        #expect(values(1, "a", "b") == values(1, "b", "a").reversed())
        #expect(values(1, "a", "b") != values(2, "a", "b"))
        #expect(values(1, "a", "b")[0].allSatisfy { abs($0) <= 0.5 })
    }
}
