import Checkpoints
import Encoders
import Graphs
import Heads
import TensorCore
import TestSupport
import Testing
import Training

@Suite("Fusion of several encoders")
struct FusionTests {
    static let rows = 6, classes: [Int32] = [0, 1, 2, 0, 1, 2]

    /// Random features of two encoders, the first a text's states where the fusion reads them.
    private func problem(_ fusion: Fusion) throws -> (network: HeadNetwork, table: FeatureTable) {
        var random = Random(seed: 4)
        func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in random.uniform() - 0.5 } }
        let lengths = [3, 1, 4, 2, 5, 3]
        let first: (HeadFeatures, FeatureColumn)
        if fusion == .crossAttention {
            var places: [TokenStates.Place] = [], start = 0
            for length in lengths {
                places.append(TokenStates.Place(chunk: 0, start: start * 8, tokens: length))
                start += length
            }
            first = (
                HeadFeatures(name: "input1", form: .states, width: 8),
                .states(TokenStates(chunks: [numbers(start * 8)], places: places, width: 8))
            )
        } else {
            first = (HeadFeatures(name: "input1", form: .pooled, width: 8), .vectors(Tensor(numbers(Self.rows * 8), [Self.rows, 8])))
        }
        let second = (HeadFeatures(name: "input2", form: .pooled, width: 5), FeatureColumn.vectors(Tensor(numbers(Self.rows * 5), [Self.rows, 5])))
        let network = try HeadNetwork(
            .fusion(fusion, hidden: 8, dropout: 0.2), inputs: [first.0, second.0], outputs: 3, seed: 7)
        return (network, FeatureTable([first.1, second.1]))
    }

    private func loss(_ network: HeadNetwork, _ table: FeatureTable) throws -> Tensor {
        let outputs = try network(table.batch(Array(0..<Self.rows)[...]), dropoutSeed: nil)
        return CrossEntropy(targets: Self.classes)(outputs)
    }

    @Test("the gradient of every parameter is the difference quotient", arguments: Fusion.allCases)
    func gradients(_ fusion: Fusion) throws {
        let (network, table) = try problem(fusion)
        let leaves = network.parameters.map(\.value)
        let gradients = try loss(network, table).gradients(for: leaves)
        var random = Random(seed: 1), checked = 0
        for (index, leaf) in leaves.enumerated() {
            for _ in 0..<3 {
                let element = random.index(below: leaf.count), value = leaf.pointer[element], step: Float = 1e-2
                func at(_ offset: Float) throws -> Double {
                    leaf.mutablePointer[element] = value + offset
                    defer { leaf.mutablePointer[element] = value }
                    return Double(try loss(network, table).scalar)
                }
                // Four points: the error falls with the fourth power of the step.
                let slope = try (at(-2 * step) - 8 * at(-step) + 8 * at(step) - at(2 * step)) / (12 * Double(step))
                let actual = Double(gradients[index].pointer[element])
                #expect(abs(slope - actual) < 2e-4 + 2e-3 * abs(slope), "\(network.parameters[index].name)[\(element)]: \(actual), not \(slope)")
                checked += 1
            }
        }
        #expect(checked >= 18 && gradients.contains { $0.values.contains { abs($0) > 1e-3 } })
    }

    @Test("the exported graph gives the same outputs, and is a head again", arguments: Fusion.allCases)
    func export(_ fusion: Fusion) throws {
        let (network, table) = try problem(fusion)
        let inputs = [
            HeadFeatures(name: "input1", form: fusion == .crossAttention ? .states : .pooled, width: 8),
            HeadFeatures(name: "input2", form: .pooled, width: 5),
        ]
        let again = try HeadNetwork(graph: GraphModel(data: network.onnx()), inputs: inputs, outputs: 3, seed: 99)
        let rows = Array(0..<Self.rows)
        let before = try network.evaluate(table, rows: rows), after = try again.evaluate(table, rows: rows)
        #expect(before.values == after.values)
        #expect(again.parameters.map(\.name).sorted() == network.parameters.map(\.name).sorted())
    }

    @Test("a row's outputs do not depend on the rows beside it", arguments: Fusion.allCases)
    func independent(_ fusion: Fusion) throws {
        let (network, table) = try problem(fusion)
        #expect(network.note == nil, "padding is masked")
        let all = try network(table.batch(Array(0..<Self.rows)[...]), dropoutSeed: nil).values
        for row in 0..<Self.rows {
            let own = try network(table.batch([row][...]), dropoutSeed: nil).values
            for (a, b) in zip(own, all[row * 3..<row * 3 + 3]) { #expect(abs(a - b) < 1e-5) }
        }
    }
}
