import CKernels
import Synchronization

/// One recorded op, or a leaf. Nodes are numbered as they are made, so that the numbers are a topological order.
package final class TapeNode {
    fileprivate let op: (any DifferentiableOp)?
    /// The inputs with their history, and what `backward` gets of them.
    fileprivate let inputs: [Tensor], detached: [Tensor]
    fileprivate let saved: Saved
    fileprivate let shape: Shape
    fileprivate let number: UInt64

    // What the backward pass in progress knows of the node. Passes are numbered, so that what an earlier one left means nothing.
    /// The pass that has seen the node, the one that finds it on a path to a wanted leaf, and the one that wants its gradient.
    fileprivate var seen: UInt64 = 0, useful: UInt64 = 0, wanted: UInt64 = 0
    /// What has been added up so far; nil again when the pass has ended.
    fileprivate var gradient: Tensor?

    /// A pass inside another one's backward step (`Recomputed`) may share leaves with it, and leaves them as they were.
    fileprivate var mark: (seen: UInt64, useful: UInt64, wanted: UInt64, gradient: Tensor?) {
        get { (seen, useful, wanted, gradient) }
        set { (seen, useful, wanted, gradient) = newValue }
    }

    private static let counter = Atomic<UInt64>(0)

    init(op: (any DifferentiableOp)?, inputs: [Tensor], detached: [Tensor], saved: Saved, shape: Shape) {
        self.op = op
        self.inputs = inputs
        self.detached = detached
        self.saved = saved
        self.shape = shape
        self.number = Self.counter.add(1, ordering: .relaxed).newValue
    }

    convenience init(leaf shape: Shape) {
        self.init(op: nil, inputs: [], detached: [], saved: [], shape: shape)
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
        guard let node else {
            precondition(leaves.allSatisfy(\.isTracked), "gradients: a leaf is not tracked")
            return leaves.map { Tensor(repeating: 0, $0.shape) }
        }
        let marks = leaves.map { $0.node?.mark }
        for leaf in leaves { leaf.node?.gradient = nil }
        let pass = BackwardPass(root: node, wanted: leaves)
        pass.add(seed.detached, to: node)
        pass.run()
        defer {
            pass.forget(leaves)
            for (leaf, mark) in zip(leaves, marks) { if let mark { leaf.node?.mark = mark } }
        }
        return leaves.map { $0.node?.gradient?.contiguous() ?? Tensor(repeating: 0, $0.shape) }
    }
}

/// Walks the tape once, newest first. Broadcast reduction and accumulation happen here and nowhere else.
private struct BackwardPass {
    private static let counter = Atomic<UInt64>(0)
    private let number = Self.counter.add(1, ordering: .relaxed).newValue
    private var order: [TapeNode] = []

    init(root: TapeNode, wanted: [Tensor]) {
        for leaf in wanted {
            guard let node = leaf.node else { preconditionFailure("gradients: a leaf is not tracked") }
            (node.wanted, node.useful) = (number, number)
        }
        // Nodes whose inputs have been looked at come first.
        root.seen = number
        order.reserveCapacity(64)
        order.append(root)
        var next = 0
        while next < order.count {
            for input in order[next].inputs {
                if let parent = input.node, parent.seen != number {
                    parent.seen = number
                    order.append(parent)
                }
            }
            next += 1
        }
        order.sort { $0.number > $1.number }
        // Nodes on a path to a wanted leaf; nothing is computed for the others.
        for node in order.reversed() where node.inputs.contains(where: { $0.node?.useful == number }) {
            node.useful = number
        }
    }

    func run() {
        for node in order where node.useful == number {
            guard let op = node.op, let gradient = node.gradient else { continue }
            if node.wanted != number { node.gradient = nil }
            let needs = node.inputs.map { $0.node?.useful == number }
            let dy = type(of: op).takesStridedGradient ? gradient : gradient.contiguous()
            let results = op.backward(dy, inputs: node.detached, saved: node.saved, needs: needs)
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

    func add(_ gradient: Tensor, to node: TapeNode) {
        precondition(
            gradient.shape == node.shape, "tape: gradient \(gradient.shape) for a value of shape \(node.shape)")
        // A new tensor: an op may have returned its incoming gradient, which others still read.
        node.gradient = node.gradient.map { elementwise(ck_zip_add, "tape", $0, gradient) } ?? gradient
    }

    /// Leaves live on, and must not keep their gradients; nor must other nodes that nothing went on from.
    func forget(_ leaves: [Tensor]) {
        for leaf in leaves { leaf.node?.gradient = nil }
        for node in order { node.gradient = nil }
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
