import TensorCore

/// Networks of packed convolutions with the layer shapes of the real ones and random weights: time does not depend on the values.
struct VisionNetwork {
    enum Step {
        case convolution(PackedConvolution)
        /// Layers whose input is added to the last one's result before its activation.
        case residual([PackedConvolution], shortcut: PackedConvolution?)
        case bottleneck(PackedBottleneck, adds: Bool)
        case mean
        case linear(FrozenLinear)
    }

    let name: String
    let input: Shape
    private(set) var steps: [Step] = []
    /// Multiply-adds for one image.
    private(set) var multiplies = 0
    private var random = Random(seed: 1)
    private var extent: Int
    private var width: Int

    private init(_ name: String, input: Shape) {
        self.name = name
        self.input = input
        extent = input[1]
        width = input[3]
    }

    /// x `[batch, height, width, 3]` → logits.
    func callAsFunction(_ x: Tensor) -> Tensor {
        steps.reduce(x) { x, step in
            switch step {
            case .convolution(let layer): return layer(x)
            case .residual(let layers, let shortcut):
                let kept = shortcut?(x) ?? x
                let inner = layers.dropLast().reduce(x) { $1($0) }
                return layers[layers.count - 1](inner, residual: kept)
            case .bottleneck(let layers, let adds): return layers(x, adds: adds)
            case .mean: return PixelPooling.mean(x)
            case .linear(let weights): return PackedLinear(weights)(x)
            }
        }
    }

    private mutating func layer(
        _ outputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1, _ activation: Rectifier
    ) -> PackedConvolution {
        let shape: Shape = [outputs, width / groups, kernel, kernel]
        let scale = (6 / Float(shape.count / outputs)).squareRoot()
        let weight = Tensor((0..<shape.count).map { _ in (random.uniform() * 2 - 1) * scale }, shape)
        let norm: FrozenBatchNorm = (
            nil, nil, Tensor(repeating: 0.1, [outputs]), Tensor(repeating: 1, [outputs]), 1e-5
        )
        extent = (extent + stride - 1) / stride
        width = outputs
        multiplies += extent * extent * shape.count
        return PackedConvolution(
            weight: weight, batchNorm: norm, window: Window(rank: 2, stride: stride, padding: kernel / 2),
            groups: groups,
            activation: activation)
    }

    private mutating func classifier(_ classes: Int) {
        let weight = Tensor((0..<classes * width).map { _ in random.uniform() - 0.5 }, [classes, width])
        steps += [.mean, .linear(FrozenLinear([weight], biases: [Tensor(repeating: 0, [classes])]))]
        multiplies += classes * width
    }

    /// Sandler et al. 2018, 224 × 224, width 1.0.
    static func mobileNetV2() -> VisionNetwork {
        var net = VisionNetwork("mobilenet-v2", input: [1, 224, 224, 3])
        net.steps.append(.convolution(net.layer(32, kernel: 3, stride: 2, .relu6)))
        let stages = [
            (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
        ]
        for (expansion, outputs, repeats, stride) in stages {
            for block in 0..<repeats {
                let inputs = net.width, hidden = inputs * expansion, step = block == 0 ? stride : 1
                var layers: [PackedConvolution] = []
                if expansion > 1 { layers.append(net.layer(hidden, kernel: 1, .relu6)) }
                layers.append(net.layer(hidden, kernel: 3, stride: step, groups: hidden, .relu6))
                layers.append(net.layer(outputs, kernel: 1, .identity))
                if layers.count == 3 {
                    let bottleneck = PackedBottleneck(expand: layers[0], depthwise: layers[1], reduce: layers[2])
                    net.steps.append(.bottleneck(bottleneck, adds: step == 1 && inputs == outputs))
                } else {
                    net.steps += layers.map { .convolution($0) }
                }
            }
        }
        net.steps.append(.convolution(net.layer(1280, kernel: 1, .relu6)))
        net.classifier(1000)
        return net
    }

    /// He et al. 2016, the CIFAR form with `6 n + 2` layers; 1 × 1 shortcuts.
    static func cifarResNet(depth: Int) -> VisionNetwork {
        var net = VisionNetwork("resnet-\(depth)", input: [1, 32, 32, 3])
        net.steps.append(.convolution(net.layer(16, kernel: 3, .relu)))
        for (stage, outputs) in [16, 32, 64].enumerated() {
            for block in 0..<(depth - 2) / 6 {
                let stride = stage > 0 && block == 0 ? 2 : 1
                var branch = net
                let shortcut = stride == 2 ? branch.layer(outputs, kernel: 1, stride: 2, .identity) : nil
                if stride == 2 { net.multiplies = branch.multiplies }
                let layers = [
                    net.layer(outputs, kernel: 3, stride: stride, .relu), net.layer(outputs, kernel: 3, .relu),
                ]
                net.steps.append(.residual(layers, shortcut: shortcut))
            }
        }
        net.classifier(10)
        return net
    }
}
