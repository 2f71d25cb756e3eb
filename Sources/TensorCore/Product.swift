import CKernels
import Synchronization

/// A matrix somewhere in memory: element (i, j) at `pointer[i · rowStride + j · columnStride]`.
struct MatrixView {
    let pointer: UnsafePointer<Float>
    let rows: Int, columns: Int
    let rowStride: Int, columnStride: Int

    init(_ pointer: UnsafePointer<Float>, _ rows: Int, _ columns: Int, rowStride: Int, columnStride: Int = 1) {
        self.pointer = pointer
        self.rows = rows
        self.columns = columns
        self.rowStride = rowStride
        self.columnStride = columnStride
    }

    /// A tensor of rank 2, of any strides.
    init(_ tensor: Tensor) {
        self.init(
            tensor.pointer, tensor.shape[0], tensor.shape[1], rowStride: tensor.step(along: 0),
            columnStride: tensor.step(along: 1))
    }

    var transposed: MatrixView {
        MatrixView(pointer, columns, rows, rowStride: columnStride, columnStride: rowStride)
    }
}

/// What a product does with its result while it is still in registers.
struct ProductEpilogue {
    /// One number for each column, added to every row.
    var bias: UnsafePointer<Float>?
    var activation = PackedActivation.identity
    /// Where the activation's derivative goes, laid out as the result.
    var slope: UnsafeMutablePointer<Float>?
    /// Adds to what the result holds; there is no bias or activation then.
    var accumulate = false
}

/// `c = activation(a b + bias)`: a `[m, k]`, b `[k, n]` of any strides, c `[m, n]` with rows `rowStride` apart.
///
/// One operand is packed into panels, the other is streamed past it; which, the cost decides, and the result is stored transposed
/// when it is a. An element's bits depend on neither that nor on the number of threads: it is summed in the order of k.
func product(
    _ a: MatrixView, _ b: MatrixView, into c: UnsafeMutablePointer<Float>, rowStride: Int,
    _ epilogue: ProductEpilogue = .init(),
    pool: WorkerPool? = .shared
) {
    precondition(a.columns == b.rows, "product: [\(a.rows), \(a.columns)] by [\(b.rows), \(b.columns)]")
    if a.rows == 0 || b.columns == 0 { return }
    let direct = ProductPlan(packed: b, streamed: a, transposed: false)
    let exchanged = ProductPlan(packed: a.transposed, streamed: b.transposed, transposed: true)
    (direct.cost <= exchanged.cost ? direct : exchanged).run(into: c, rowStride: rowStride, epilogue, pool: pool)
}

/// One way to compute a product: `streamed · packed`, stored as it is or transposed.
private struct ProductPlan {
    /// `[k, columns]`
    let packed: MatrixView
    /// `[rows, k]`
    let streamed: MatrixView
    let transposed: Bool

    private var depth: Int { packed.rows }
    private var panels: Int { (packed.columns + ck_panel - 1) / ck_panel }

    /// About the cycles of 16-wide instructions: multiply-adds, packing and storing. Transposing costs some seven times a copy.
    var cost: Int { multiplying + packing + streamed.rows * panels * (transposed ? 12 : 1) }
    private var multiplying: Int { streamed.rows * panels * depth }
    private var packing: Int { panels * depth * (packed.columnStride == 1 ? 2 : 7) }

    func run(into c: UnsafeMutablePointer<Float>, rowStride: Int, _ epilogue: ProductEpilogue, pool: WorkerPool?) {
        let count = ck_packed_count(depth, packed.columns)
        let threads = pool?.threads ?? 1, parts = parts(threads: threads)
        guard let pool, parts > 1 else {
            withScratch(count) { memory in
                pack(0..<panels, to: memory)
                multiply(0..<streamed.rows, 0..<panels, memory, into: c, rowStride, epilogue)
            }
            return
        }
        func rows(_ part: Int) -> Range<Int> { streamed.rows * part / parts..<streamed.rows * (part + 1) / parts }
        if streamed.rows < parts * 12 {
            // Everybody packs the panels it needs.
            let parts = min(parts, panels)
            pool.parallel(parts) { part in
                let own = panels * part / parts..<panels * (part + 1) / parts
                withScratch(own.count * depth * ck_panel) { memory in
                    pack(own, to: memory)
                    multiply(0..<streamed.rows, own, memory, into: c, rowStride, epilogue)
                }
            }
        } else if packing * threads * 4 <= multiplying, count <= Self.largestScratch {
            // Everybody packs everything: cheaper than to fetch it from another core's cache.
            let number = Self.counter.add(1, ordering: .relaxed).newValue
            pool.parallel(parts) { part in
                guard let scratch = ck_thread_scratch(max(count, 1)) else { return }
                if scratch.pointee.owner != number {
                    pack(0..<panels, to: scratch.pointee.memory)
                    scratch.pointee.owner = number
                }
                multiply(rows(part), 0..<panels, scratch.pointee.memory, into: c, rowStride, epilogue)
            }
        } else {
            // Everybody packs a part, and reads all.
            let buffer = BufferCache.shared.take(count), packers = min(threads, panels)
            defer { BufferCache.shared.give(buffer, count) }
            pool.parallel(packers) { part in
                let own = panels * part / packers..<panels * (part + 1) / packers
                pack(own, to: buffer + own.lowerBound * depth * ck_panel)
            }
            pool.parallel(parts) { part in multiply(rows(part), 0..<panels, buffer, into: c, rowStride, epilogue) }
        }
    }

    /// Most floats a thread keeps to itself between products (2 MiB).
    private static let largestScratch = 1 << 19
    /// Numbers products, so that a thread knows what its scratch holds.
    private static let counter = Atomic<UInt64>(0)

    private func withScratch(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
        if count > Self.largestScratch {
            let buffer = BufferCache.shared.take(count)
            body(buffer)
            BufferCache.shared.give(buffer, count)
        } else if let scratch = ck_thread_scratch(max(count, 1)) {
            scratch.pointee.owner = 0
            body(scratch.pointee.memory)
        }
    }

    /// Panels `range` of the packed operand.
    private func pack(_ range: Range<Int>, to memory: UnsafeMutablePointer<Float>) {
        let column = range.lowerBound * ck_panel
        ck_pack(
            depth, min(range.count * ck_panel, packed.columns - column), packed.pointer + column * packed.columnStride,
            packed.rowStride, packed.columnStride, memory)
    }

    /// Rows `rows` of the streamed operand by panels `range`, which lie at `memory`.
    private func multiply(
        _ rows: Range<Int>, _ range: Range<Int>, _ memory: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
        _ rowStride: Int, _ epilogue: ProductEpilogue
    ) {
        let row = rows.lowerBound, column = range.lowerBound * ck_panel
        let start = transposed ? column * rowStride + row : row * rowStride + column
        let shift = transposed ? row : column
        var task = ck_product()
        task.m = rows.count
        task.n = min(range.count * ck_panel, packed.columns - column)
        task.k = depth
        task.a = streamed.pointer + row * streamed.rowStride
        task.a_row = streamed.rowStride
        task.a_depth = streamed.columnStride
        task.packed = memory
        task.bias = epilogue.bias.map { $0 + shift }
        task.bias_by_row = transposed ? 1 : 0
        task.activation = epilogue.activation.kernel
        task.accumulate = epilogue.accumulate ? 1 : 0
        task.c = c + start
        task.c_row = transposed ? 1 : rowStride
        task.c_column = transposed ? rowStride : 1
        task.slope = epilogue.slope.map { $0 + start }
        ck_gemm_f32(&task)
    }

    /// Below some hundred thousand multiply-adds a part, sharing costs more than it saves; several parts for each thread even out
    /// what the others on the machine take.
    private func parts(threads: Int) -> Int {
        let work = streamed.rows * packed.columns * depth
        return max(1, min(threads * 4, max(work / 1_000_000, min(threads, work / 150_000))))
    }
}
