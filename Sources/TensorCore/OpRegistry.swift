/// Every op of the core, by the folder it lives in. The tests walk this list: an op without a golden or finite-difference check
/// fails the suite.
package enum OpRegistry {
    package static let differentiable: [any DifferentiableOp.Type] =
        elementwise + products + shapes + reductions + normalisation + attention + convolution + losses

    static let elementwise: [any DifferentiableOp.Type] = [
        Add.self, Subtract.self, Multiply.self, Divide.self, GELU.self, ReLU.self, Tanh.self, Sigmoid.self,
        Dropout.self,
    ]
    static let products: [any DifferentiableOp.Type] = [LinearProduct.self, LinearGELU.self, MatrixProduct.self, PackedLinear.self]
    static let shapes: [any DifferentiableOp.Type] = [Reshape.self, Permute.self, Embedding.self]
    static let reductions: [any DifferentiableOp.Type] = [Sum.self, Mean.self, MeanPooling.self, Softmax.self]
    static let normalisation: [any DifferentiableOp.Type] = [
        LayerNormalisation.self, L2Normalisation.self, ResidualLayerNormalisation.self,
    ]
    static let attention: [any DifferentiableOp.Type] = [PackedAttention.self]
    static let convolution: [any DifferentiableOp.Type] = [
        Convolution.self, TransposedConvolution.self, MaxPooling.self, AveragePooling.self, AdaptiveAveragePooling.self,
        Upsample.self, Pad.self, BatchNormalisation.self, GroupNormalisation.self,
    ]
    static let losses: [any DifferentiableOp.Type] = [
        CrossEntropy.self, SoftCrossEntropy.self, NegativeLogLikelihood.self, BinaryCrossEntropy.self,
        KullbackLeibler.self, Distillation.self, MeanSquaredError.self, MeanAbsoluteError.self, HuberLoss.self,
        SmoothAbsoluteError.self, GaussianDivergence.self, GaussianLikelihood.self, CosineSimilarity.self,
        CosineEmbeddingLoss.self, TripletMarginLoss.self, MarginRankingLoss.self, MultipleNegativesRanking.self,
        SupervisedContrastive.self, CTCLoss.self, LinearChainCRF.self,
    ]
}
