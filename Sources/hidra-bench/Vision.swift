import ArgumentParser
import TensorCore

/// Frozen vision networks and the training step of a convolutional autoencoder.
struct Vision: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vision",
        abstract: "MobileNetV2 and ResNet-56 forward, and a convolutional autoencoder's training step.",
        discussion: """
            Tests/Benchmarks/peers_vision.py measures PyTorch and onnxruntime on the same shapes.
            Example: hidra-bench vision --only mobilenet-v2
            """)

    @Option(help: "mobilenet-v2, resnet-56, autoencoder or layouts; all when absent.") var only: String?
    @Option(help: "Measured runs, of which the shortest and the median are printed.") var runs = 9
    @Option(help: "Images that go through the network together on one thread; 0 for all of them layer by layer.")
    var atATime = 1

    func run() throws {
        let peak = Peak.gflops(threads: WorkerPool.shared.threads)
        for (network, batch) in [(VisionNetwork.mobileNetV2(), 8), (.cifarResNet(depth: 56), 64)]
        where only == nil || only == network.name {
            let x = image([batch] + network.input.dimensions.dropFirst())
            measure(network.name, batch, flops: 2.0 * Double(network.multiplies * batch), peak) {
                _ = atATime == 0 ? network(x) : overImages(x, atATime: atATime) { network($0) }
            }
        }
        if only == nil || only == "autoencoder" {
            var autoencoder = ConvolutionalAutoencoder()
            let x = image([32, 3, 32, 32])
            measure("autoencoder step", 32, flops: autoencoder.flops(batch: 32), peak) { autoencoder.step(x) }
        }
        if only == nil || only == "layouts" { layouts(peak) }
    }

    /// The same layers over pixels with packed weights, which the encoders use, and over planes with unfolding, which training uses.
    private func layouts(_ peak: Double) {
        for (channels, outputs, extent, kernel, groups) in [
            (16, 16, 32, 3, 1), (64, 64, 8, 3, 1), (64, 64, 56, 3, 1), (24, 144, 56, 1, 1), (960, 320, 7, 1, 1),
            (144, 144, 56, 3, 144),
        ] {
            let window = Window(rank: 2, padding: kernel / 2),
                weight = image([outputs, channels / groups, kernel, kernel])
            let planes = image([8, channels, extent, extent]), pixels = planes.channelsLast
            let flops = 2.0 * Double(8 * extent * extent * weight.count)
            let name = "\(channels) to \(outputs) channels, \(kernel) × \(kernel), \(extent) × \(extent)"
            let packed = PackedConvolution(weight: weight, window: window, groups: groups)
            measure("\(name), pixels", 8, flops: flops, peak) { _ = packed(pixels) }
            measure("\(name), planes", 8, flops: flops, peak) {
                _ = Convolution(window, groups: groups)(planes, weight)
            }
        }
    }

    private func measure(_ name: String, _ batch: Int, flops: Double, _ peak: Double, _ body: () -> Void) {
        for _ in 0..<3 { body() }
        let memory = StepMemory(), before = processorSeconds()
        let times = (0..<runs).map { _ in best(of: 1, body) }.sorted()
        let processor = (processorSeconds() - before) / Double(runs)
        let calls = memory.calls / runs, peakMemory = memory.peakMegabytes
        let gflops = flops / times[0] / 1e9
        say([
            ("bench", name), ("engine", "hidra"), ("kernels", KernelLevel.current),
            ("threads", WorkerPool.shared.threads),
            ("batch", batch), ("best_ms", times[0] * 1e3), ("median_ms", times[times.count / 2] * 1e3),
            ("cpu_ms", processor * 1e3), ("gflops", gflops), ("share_of_peak", gflops / peak),
            ("allocations_per_run", calls), ("peak_memory_mb", peakMemory),
        ])
    }

    private func image(_ dimensions: [Int]) -> Tensor {
        var random = Random(seed: 2)
        let shape = Shape(dimensions)
        return Tensor((0..<shape.count).map { _ in random.uniform() }, shape)
    }
}
