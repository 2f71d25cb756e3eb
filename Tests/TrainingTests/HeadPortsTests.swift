import Encoders
import Testing

@testable import Graphs
@testable import Heads

private func port(_ name: String, _ type: ElementType?, _ shape: [String]?) -> GraphReport.Port {
    GraphReport.Port(name: name, type: type, shape: shape)
}

private let tokens = port("tokens", .float32, ["batch", "sequence", "384"])

@Suite("What a graph's inputs read")
struct HeadPortsTests {
    @Test(
        "Type, number of axes and name decide",
        arguments: [
            ([port("x", .float32, ["batch", "384"])], [HeadPorts.Role.vectors(width: 384)]),
            ([port("x", .float32, ["batch", "width"])], [.vectors(width: nil)]),
            ([port("x", .float32, nil)], [.vectors(width: nil)]),
            ([tokens], [.states(width: 384)]),
            ([tokens, port("attention_mask", .int64, ["batch", "sequence"])], [.states(width: 384), .mask(of: "tokens")]),
            ([port("Mask", .bool, ["batch", "sequence"]), tokens], [.mask(of: "tokens"), .states(width: 384)]),
            ([tokens, port("mask", .float32, ["batch", "sequence"])], [.states(width: 384), .mask(of: "tokens")]),
            ([tokens, port("lengths", .int64, ["batch"])], [.states(width: 384), .lengths(of: "tokens")]),
            ([tokens, port("pooled", .float32, ["batch", "384"])], [.states(width: 384), .vectors(width: 384)]),
            // Without states there is nothing to mask.
            ([port("mask", .float32, ["batch", "384"])], [.vectors(width: 384)]),
            (
                [
                    port("a", .float32, ["batch", "s", "8"]), port("b", .float32, ["batch", "t", "8"]),
                    port("b_mask", .int64, ["batch", "t"]), port("a_mask", .int64, ["batch", "s"]),
                ], [.states(width: 8), .states(width: 8), .mask(of: "b"), .mask(of: "a")]
            ),
            (
                [
                    port("x1", .float32, ["batch", "s", "8"]), port("x2", .float32, ["batch", "t", "8"]),
                    port("mask_p", .int64, ["batch", "s"]), port("mask_q", .int64, ["batch", "t"]),
                ], [.states(width: 8), .states(width: 8), .mask(of: "x1"), .mask(of: "x2")]
            ),
        ])
    func roles(inputs: [GraphReport.Port], expected: [HeadPorts.Role]) {
        #expect(HeadPorts(inputs).ports.map(\.role) == expected)
    }

    @Test(
        "What nothing can be bound to is refused with its declaration, and with what is possible",
        arguments: [
            ([port("ids", .int64, ["batch", "sequence"])], "int64 [batch, sequence]"),
            ([port("image", .float32, ["batch", "3", "8", "8"])], "float32 [batch, 3, 8, 8]"),
            ([port("t", .float32, ["batch", "16", "384"])], "symbolic second dimension"),
            ([tokens, port("x", nil, nil)], "a value of unknown type of unknown shape"),
            (
                [
                    port("p", .float32, ["b", "s", "8"]), port("q", .float32, ["b", "t", "8"]),
                    port("mask", .int64, ["b", "s"]),
                ], "\"p_mask\""
            ),
        ])
    func unbound(inputs: [GraphReport.Port], part: String) {
        let error = #expect(throws: HeadError.self) { try HeadPorts(inputs).assign(["", ""]) }
        #expect(error?.code == .invalidSettings && error?.message.contains(part) == true, "\(error?.message ?? "")")
    }

    @Test("Inputs are taken in the graph's order, or by their names; masks are no inputs to be given")
    func assignment() throws {
        let ports = HeadPorts([
            port("mask", .bool, ["b", "s"]), port("a", .float32, ["b", "s", "8"]), port("c", .float32, ["b", "4"]),
        ])
        #expect(try ports.assign(["", ""]).map(\.name) == ["a", "c"])
        #expect(try ports.assign(["c", "a"]).map(\.name) == ["c", "a"])
        for (names, part) in [
            ([""], "one is given"), (["a", "c", "mask"], "3 are given"), (["a", "mask"], "no input \"mask\""),
            (["a", ""], "Name each"), (["a", "a"], "Name each"),
        ] {
            let error = #expect(throws: HeadError.self) { try ports.assign(names) }
            #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
        }
    }

    @Test("Two texts cannot have one symbol for their lengths; two taps of one text can")
    func sharedLengths() throws {
        let ports = HeadPorts([port("a", .float32, ["b", "s", "8"]), port("c", .float32, ["b", "s", "8"])])
        try ports.requireFreeLengths(["a": "column 1", "c": "column 1"])
        let error = #expect(throws: HeadError.self) { try ports.requireFreeLengths(["a": "column 1", "c": "column 2"]) }
        #expect(error?.message.contains("\"s\"") == true)
        try HeadPorts([port("a", .float32, ["b", "s", "8"]), port("c", .float32, ["b", "t", "8"])])
            .requireFreeLengths(["a": "column 1", "c": "column 2"])
    }
}
