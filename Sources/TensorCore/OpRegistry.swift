/// Every op of the core, by the folder it lives in. The tests walk this list: an op without a golden or finite-difference check
/// fails the suite.
package enum OpRegistry {
    package static let differentiable: [any DifferentiableOp.Type] =
        elementwise + products + shapes + reductions + normalisation + attention + convolution + losses

    static let elementwise: [any DifferentiableOp.Type] =
        [
            Add.self, Subtract.self, Multiply.self, Divide.self, Power.self, Maximum.self, Minimum.self, Where.self,
            MaskedFill.self, Dropout.self, PReLU.self, SwiGLU.self,
        ] + unary
    private static let unary: [any DifferentiableOp.Type] = [
        Negate.self, AbsoluteValue.self, Reciprocal.self, SquareRoot.self, ReciprocalSquareRoot.self, ScalarPower.self,
        Exponential.self, Logarithm.self, ErrorFunction.self, Clamp.self, Floor.self, Ceiling.self, Round.self,
        Sign.self,
        Sine.self, Cosine.self, Tangent.self, ArcSine.self, ArcCosine.self, ArcTangent.self, HyperbolicSine.self,
        HyperbolicCosine.self, Tanh.self, AreaSine.self, AreaCosine.self, AreaTangent.self,
        ReLU.self, ReLU6.self, LeakyReLU.self, ThresholdedReLU.self, ELU.self, SELU.self, CELU.self, Softplus.self,
        Softsign.self, Sigmoid.self, HardSigmoid.self, GELU.self, TanhGELU.self, QuickGELU.self, SiLU.self,
        HardSwish.self, Mish.self,
    ]
    static let products: [any DifferentiableOp.Type] = [LinearProduct.self, LinearGELU.self, MatrixProduct.self, PackedLinear.self, AdaptedLinear.self]
    static let shapes: [any DifferentiableOp.Type] = [
        Reshape.self, Permute.self, Expand.self, Tile.self, Slice.self, Flip.self, Concatenate.self, Stack.self,
        Embedding.self, Gather.self, IndexSelect.self, GatherBlocks.self, Scatter.self, ScatterBlocks.self,
        Triangle.self, Diagonal.self,
    ]
    static let reductions: [any DifferentiableOp.Type] = [
        Sum.self, Mean.self, Variance.self, Product.self, LogSumExp.self, L1Norm.self, L2Norm.self, SumOfSquares.self,
        Largest.self, Smallest.self, LargestAlongAxis.self, SmallestAlongAxis.self, TopK.self, CumulativeSum.self,
        Softmax.self, LogSoftmax.self, MeanPooling.self,
    ]
    static let normalisation: [any DifferentiableOp.Type] = [
        LayerNormalisation.self, RMSNormalisation.self, L2Normalisation.self, ResidualLayerNormalisation.self,
    ]
    static let attention: [any DifferentiableOp.Type] = [PackedAttention.self, Attention.self, RotaryEmbedding.self]
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
