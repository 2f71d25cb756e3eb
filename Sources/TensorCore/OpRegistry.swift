/// Every op of the core. The tests walk this list: an op without a golden or finite-difference check fails the suite.
package enum OpRegistry {
    package static let differentiable: [any DifferentiableOp.Type] = [
        Add.self, Subtract.self, Multiply.self, Divide.self,
        LinearProduct.self, MatrixProduct.self,
        GELU.self, ReLU.self, Tanh.self, Sigmoid.self, Softmax.self, Dropout.self,
        LayerNormalisation.self, L2Normalisation.self,
        Reshape.self, Permute.self, Embedding.self,
        Sum.self, Mean.self, MeanPooling.self,
        PackedAttention.self,
        CrossEntropy.self, BinaryCrossEntropy.self, MeanSquaredError.self,
        PackedLinear.self, ResidualLayerNormalisation.self,
    ]
}
