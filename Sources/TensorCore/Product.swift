import CKernels

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
    var cost: Int {
        let multiplying = streamed.rows * panels * depth
        let packing = panels * depth * (packed.columnStride == 1 ? 2 : 7)
        return multiplying + packing + streamed.rows * panels * (transposed ? 12 : 1)
    }

    func run(into c: UnsafeMutablePointer<Float>, rowStride: Int, _ epilogue: ProductEpilogue, pool: WorkerPool?) {
        let panel = ck_panel
        let buffer = BufferCache.shared.take(ck_packed_count(depth, packed.columns))
        defer { BufferCache.shared.give(buffer, ck_packed_count(depth, packed.columns)) }

        func pack(_ range: Range<Int>) {
            let column = range.lowerBound * panel
            ck_pack(
                depth, min(range.count * panel, packed.columns - column), packed.pointer + column * packed.columnStride,
                packed.rowStride, packed.columnStride, buffer + range.lowerBound * depth * panel)
        }

        func multiply(_ rows: Range<Int>, _ range: Range<Int>) {
            let row = rows.lowerBound, column = range.lowerBound * panel
            let start = transposed ? column * rowStride + row : row * rowStride + column
            let shift = transposed ? row : column
            var task = ck_product()
            task.m = rows.count
            task.n = min(range.count * panel, packed.columns - column)
            task.k = depth
            task.a = streamed.pointer + row * streamed.rowStride
            task.a_row = streamed.rowStride
            task.a_depth = streamed.columnStride
            task.packed = UnsafePointer(buffer + range.lowerBound * depth * panel)
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

        let threads = pool?.threads ?? 1
        let parts = parts(threads: threads)
        guard let pool, parts > 1 else {
            pack(0..<panels)
            multiply(0..<streamed.rows, 0..<panels)
            return
        }
        if streamed.rows >= parts * 12 {
            // Everybody reads all panels.
            let packers = packed.rows * packed.columns > 1 << 14 ? min(threads, panels) : 1
            pool.parallel(packers) { part in pack(panels * part / packers..<panels * (part + 1) / packers) }
            pool.parallel(parts) { part in
                multiply(streamed.rows * part / parts..<streamed.rows * (part + 1) / parts, 0..<panels)
            }
        } else {
            // Everybody packs the panels it needs.
            let parts = min(parts, panels)
            pool.parallel(parts) { part in
                let own = panels * part / parts..<panels * (part + 1) / parts
                pack(own)
                multiply(0..<streamed.rows, own)
            }
        }
    }

    /// Below some hundred thousand multiply-adds a part, sharing costs more than it saves; several parts for each thread even out
    /// what the others on the machine take.
    private func parts(threads: Int) -> Int {
        let work = streamed.rows * packed.columns * depth
        return max(1, min(threads * 4, max(work / 1_000_000, min(threads, work / 150_000))))
    }
}
