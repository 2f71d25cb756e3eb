import CKernels
import Synchronization

/// One recorded op, or a leaf. Nodes are numbered as they are made, so that the numbers are a topological order.
package final class TapeNode {
    fileprivate let op: (any DifferentiableOp)?
    fileprivate let inputs: [Tensor]
    fileprivate let saved: Saved
    fileprivate let shape: Shape
    fileprivate let number: UInt64

    private static let counter = Atomic<UInt64>(0)

    init(op: (any DifferentiableOp)?, inputs: [Tensor], saved: Saved, shape: Shape) {
        self.op = op
        self.inputs = inputs
        self.saved = saved
        self.shape = shape
        self.number = Self.counter.add(1, ordering: .relaxed).newValue
    }

    convenience init(leaf shape: Shape) {
        self.init(op: nil, inputs: [], saved: [], shape: shape)
    }
}

extension Tensor {
    /// Gradients of this scalar with respect to each of `leaves`, in order and of the leaves' shapes; zeros where the scalar does
    /// not depend on one.
    package func gradients(for leaves: [Tensor]) -> [Tensor] {
        precondition(count == 1, "gradients: the loss has shape \(shape), not one element")
        return gradients(for: leaves, from: Tensor(repeating: 1, shape))
    }

    /// Vector–Jacobian product: `seed` is the gradient with respect to this tensor.
    package func gradients(for leaves: [Tensor], from seed: Tensor) -> [Tensor] {
        precondition(seed.shape == shape, "gradients: seed \(seed.shape) for output \(shape)")
        let wanted = leaves.map { leaf -> TapeNode in
            guard let node = leaf.node else { preconditionFailure("gradients: a leaf is not tracked") }
            return node
        }
        guard let node else { return leaves.map { Tensor(repeating: 0, $0.shape) } }
        var pass = BackwardPass(root: node, wanted: wanted)
        pass.add(seed.detached, to: node)
        pass.run()
        return zip(wanted, leaves).map { node, leaf in
            pass.gradients[ObjectIdentifier(node)]?.contiguous() ?? Tensor(repeating: 0, leaf.shape)
        }
    }
}

/// Walks the tape once, newest first. Broadcast reduction and accumulation happen here and nowhere else.
private struct BackwardPass {
    var gradients: [ObjectIdentifier: Tensor] = [:]
    private var order: [TapeNode] = []
    /// Nodes on a path to a wanted leaf; nothing is computed for the others.
    private var useful: Set<ObjectIdentifier>
    private let wanted: Set<ObjectIdentifier>

    init(root: TapeNode, wanted: [TapeNode]) {
        self.wanted = Set(wanted.map(ObjectIdentifier.init))
        useful = self.wanted
        var seen: Set<ObjectIdentifier> = [ObjectIdentifier(root)]
        var pending = [root]
        while let node = pending.popLast() {
            order.append(node)
            for input in node.inputs {
                if let parent = input.node, seen.insert(ObjectIdentifier(parent)).inserted { pending.append(parent) }
            }
        }
        order.sort { $0.number > $1.number }
        for node in order.reversed()
        where node.inputs.contains(where: { $0.node.map { useful.contains(ObjectIdentifier($0)) } ?? false }) {
            useful.insert(ObjectIdentifier(node))
        }
    }

    mutating func run() {
        for node in order where useful.contains(ObjectIdentifier(node)) {
            let key = ObjectIdentifier(node)
            guard let op = node.op, let gradient = gradients[key] else { continue }
            if !wanted.contains(key) { gradients[key] = nil }
            let needs = node.inputs.map { $0.node.map { useful.contains(ObjectIdentifier($0)) } ?? false }
            let dy = type(of: op).takesStridedGradient ? gradient : gradient.contiguous()
            let results = op.backward(dy, inputs: node.inputs.map(\.detached), saved: node.saved, needs: needs)
            precondition(
                results.count == node.inputs.count,
                "\(type(of: op).name): backward returned \(results.count) gradients for \(node.inputs.count) inputs")
            for (index, input) in node.inputs.enumerated() where needs[index] {
                guard let result = results[index], let parent = input.node else {
                    preconditionFailure("\(type(of: op).name): backward left out the gradient of input \(index)")
                }
                add(result.reduced(to: input.shape, op: type(of: op).name), to: parent)
            }
        }
    }

    mutating func add(_ gradient: Tensor, to node: TapeNode) {
        precondition(
            gradient.shape == node.shape, "tape: gradient \(gradient.shape) for a value of shape \(node.shape)")
        let key = ObjectIdentifier(node)
        // A new tensor: an op may have returned its incoming gradient, which others still read.
        gradients[key] = gradients[key].map { elementwise(ck_zip_add, "tape", $0, gradient) } ?? gradient
    }
}

extension Tensor {
    /// Sums the axes along which a value of `target` was broadcast to this tensor's shape.
    func reduced(to target: Shape, op: String) -> Tensor {
        if shape == target { return self }
        let lead = rank - target.rank
        precondition(
            lead >= 0 && target.broadcast(with: shape) == shape,
            "\(op): gradient \(shape) does not fit an input of \(target)")
        let axes = (0..<rank).filter { $0 < lead || (target[$0 - lead] == 1 && shape[$0] != 1) }
        return sum(over: axes).reshapedView(target)
    }
}
