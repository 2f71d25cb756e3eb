import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let convolution: [String: GoldenBuilder] = [:]
}
