package import Checkpoints
import Layers
package import TensorCore
import Training

/// A built-in head's network: features `[rows, width]` → `[rows, outputs]`.
package struct HeadNetwork: Network {
    private enum Body {
        case linear(Linear)
        case mlp(Linear, Linear, dropout: Double)
    }

    private let body: Body
    package let parameters: [Parameter]
    package let outputs: Int

    package init(_ kind: HeadKind, width: Int, outputs: Int, in scope: ParameterScope) {
        switch kind {
        case .linear: body = .linear(Linear(width, outputs, in: scope.scope("output")))
        case .mlp(let hidden, let dropout):
            body = .mlp(
                Linear(width, hidden, in: scope.scope("hidden")), Linear(hidden, outputs, in: scope.scope("output")),
                dropout: dropout)
        }
        parameters = scope.parameters
        self.outputs = outputs
    }

    package func callAsFunction(_ x: Tensor, dropoutSeed: UInt64?) -> Tensor {
        switch body {
        case .linear(let output): return output(x)
        case .mlp(let hidden, let output, let dropout):
            var inner = hidden.gelu(x)
            if dropout > 0, let dropoutSeed { inner = Dropout(rate: Float(dropout), seed: dropoutSeed)(inner) }
            return output(inner)
        }
    }

    package var parameterCount: Int { parameters.reduce(0) { $0 + $1.value.count } }
}
