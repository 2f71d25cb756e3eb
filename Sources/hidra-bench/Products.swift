import ArgumentParser
import TensorCore

/// GFLOP/s of the packed product at an encoder's shapes, on one thread and on all.
struct Products: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "products", abstract: "Matrix products at an encoder's shapes.")

    func run() throws {
        let pool = WorkerPool.shared
        var peaks: [Int: Double] = [:]
        for (rows, depth, columns) in [
            (1, 384, 77), (17, 384, 1536), (64, 384, 1536), (64, 1536, 384), (64, 384, 1152), (512, 384, 1536),
        ] {
            let packed = PackedMatrix(transposing: [Tensor(repeating: 0.01, [columns, depth])])
            let flops = 2.0 * Double(rows * depth * columns)
            let repeats = max(1, Int(2e8 / flops))
            for threads in Set([1, pool.threads]).sorted() {
                let seconds = best(of: 40) {
                    pool.parallel(threads) { _ in
                        let x = Tensor(repeating: 0.5, [rows, depth])
                        for _ in 0..<repeats { _ = packed.multiply(x) }
                    }
                }
                // Measured anew beside each product: others may use the machine.
                peaks[threads] = max(peaks[threads, default: 0], Peak.gflops(threads: threads))
                let gflops = flops * Double(repeats * threads) / seconds / 1e9
                say([
                    ("bench", "product"), ("kernels", KernelLevel.current), ("rows", rows), ("depth", depth),
                    ("columns", columns),
                    ("threads", threads), ("gflops", gflops), ("share_of_peak", gflops / peaks[threads, default: .nan]),
                ])
            }
        }
    }
}
