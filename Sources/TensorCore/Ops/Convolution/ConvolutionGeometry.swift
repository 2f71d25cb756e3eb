import CKernels

/// The three products a convolution and its gradients consist of, between an image `[batch, channels, spatial…]`, its features
/// `[batch, outputs, positions…]` and weights `[outputs, channels / groups, kernel…]`. A transposed convolution is the same with
/// image and features exchanged.
///
/// The image is unfolded into the matrix `[channels · taps, positions]` (im2col), a block of positions at a time so that the block
/// stays in the cache, and written directly in the packed form the product reads: no buffer holds the whole matrix.
struct ConvolutionGeometry {
    let groups: Int
    let batch: Int
    let channels: Int
    let outputs: Int
    let image: Shape
    let features: Shape
    let weight: Shape
    var window: ck_window

    /// Elements of one channel of the image, positions of one output, taps of the kernel.
    let plane: Int
    let positions: Int
    let taps: Int

    init(_ op: String, image: Shape, weight: Shape, features: [Int], window: Window, groups: Int) {
        let rank = window.rank
        precondition((1...3).contains(rank), "\(op): \(rank) spatial axes; one to three are supported")
        precondition(
            image.rank == rank + 2 && weight.rank == rank + 2,
            "\(op): x \(image) and weight \(weight) with \(rank) spatial axes")
        precondition(
            groups > 0 && image[1] == weight[1] * groups && weight[0] % groups == 0,
            "\(op): x \(image) and weight \(weight) in \(groups) groups")
        self.groups = groups
        self.batch = image[0]
        self.channels = image[1]
        self.outputs = weight[0]
        self.image = image
        self.weight = weight
        self.features = Shape([image[0], weight[0]] + features)
        let kernel = Array(weight.dimensions.dropFirst(2)), spatial = Array(image.dimensions.dropFirst(2))
        self.window = ck_window(input: spatial, output: features, kernel: kernel, window: window)
        plane = spatial.reduce(1, *)
        positions = features.reduce(1, *)
        taps = kernel.reduce(1, *)
    }

    var groupChannels: Int { channels / groups }
    var groupOutputs: Int { outputs / groups }
    /// Rows of the unfolded matrix of one group.
    var depth: Int { groupChannels * taps }

    /// Positions unfolded at a time: about half of a level-two cache.
    var block: Int { min(max(positions, 1), max(131_072 / max(depth, 1) / 16 * 16, 64)) }

    /// Parts to cut `count` equal pieces of `work` multiply-adds into.
    func parts(_ count: Int, work: Int) -> Int {
        max(1, min(count, count * work / 200_000))
    }
}

extension ck_window {
    /// Leading axes that the arguments lack get the extent one.
    init(input: [Int], output: [Int], kernel: [Int], window: Window) {
        let lead = 3 - window.rank
        func three(_ values: [Int], _ rest: Int) -> [Int] { Array(repeating: rest, count: lead) + values }
        func tuple(_ values: [Int]) -> (Int, Int, Int) { (values[0], values[1], values[2]) }
        self.init(
            input: tuple(three(input, 1)), output: tuple(three(output, 1)), kernel: tuple(three(kernel, 1)),
            stride: tuple(three(window.stride, 1)), dilation: tuple(three(window.dilation, 1)),
            before: tuple(three(window.before, 0)))
    }
}
