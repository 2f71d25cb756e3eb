import ArgumentParser
import CKernels
import TensorCore

/// What this machine can do at most: multiply-adds on registers alone, at each level its processor has, on one thread and on all.
struct Peak: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peak", abstract: "Multiply-adds a second on registers alone, at every kernel level.")

    func run() throws {
        let chosen = ck_current_level()
        for level in ck_portable.rawValue...ck_best_level().rawValue {
            ck_set_level(ck_level(level))
            for threads in Set([1, WorkerPool.shared.threads]).sorted() {
                say([
                    ("bench", "peak"), ("kernels", KernelLevel.current), ("threads", threads),
                    ("gflops", Peak.gflops(threads: threads)), ("int8", KernelLevel.int8),
                    ("int8_gops", Peak.int8(threads: threads)),
                ])
            }
        }
        ck_set_level(chosen)
        let calls = 1000, pool = WorkerPool.shared
        let seconds = best(of: 60) { for _ in 0..<calls { pool.parallel(pool.threads) { _ in } } }
        say([("bench", "fork and join"), ("threads", pool.threads), ("microseconds", seconds / Double(calls) * 1e6)])
    }

    /// GFLOP/s at the level in use: what the other benchmarks report their share of.
    static func gflops(threads: Int) -> Double { rate(threads: threads, iterations: 200_000, ck_multiply_add_loop) }

    /// The same for eight-bit integers, in GOP/s.
    static func int8(threads: Int) -> Double { rate(threads: threads, iterations: 50_000, ck_int8_multiply_add_loop) }

    private static func rate(threads: Int, iterations: Int, _ loop: (Int) -> Double) -> Double {
        let operations = loop(1) * Double(iterations * threads)
        let seconds = best(of: 60) { WorkerPool.shared.parallel(threads) { _ in _ = loop(iterations) } }
        return operations / seconds / 1e9
    }
}
