/// Which input elements lie under each position of a pooling window: for each axis and output index, the first element inside the
/// input and the number of taps inside. Axes are padded with ones to three.
struct PoolingGeometry {
    struct Run {
        /// First input index under the window that exists.
        var start: Int
        /// Taps on existing elements.
        var count: Int
        /// Taps on existing elements or on padding: what lies behind the padding never counts.
        var padded: Int
    }

    let output: Shape
    let planes: Int
    let input: [Int]
    /// Distance between two taps along each axis.
    let dilation: [Int]
    let runs: [[Run]]
    let cells: Int
    var plane: Int { input.reduce(1, *) }

    init(_ op: String, _ x: Shape, kernel: [Int], window: Window, ceil: Bool) {
        let rank = window.rank
        precondition((1...3).contains(rank), "\(op): \(rank) spatial axes; one to three are supported")
        precondition(x.rank == rank + 2, "\(op): x \(x) with \(rank) spatial axes")
        let spatial = Array(x.dimensions.dropFirst(2))
        let cells = window.output(op, spatial, kernel: kernel, ceil: ceil)
        self.init(
            x, cells: cells, dilation: window.dilation,
            runs: (0..<rank).map { axis in
                (0..<cells[axis]).map { cell in
                    let origin = cell * window.stride[axis] - window.before[axis], step = window.dilation[axis]
                    let skipped = origin < 0 ? (-origin + step - 1) / step : 0
                    func taps(below bound: Int) -> Int {
                        min(kernel[axis], origin >= bound ? 0 : (bound - 1 - origin) / step + 1)
                    }
                    return Run(
                        start: origin + skipped * step, count: max(taps(below: spatial[axis]) - skipped, 0),
                        padded: max(taps(below: spatial[axis] + window.after[axis]), 0))
                }
            })
    }

    /// Cell `i` of an axis covers `⌊i · in / out⌋ ..< ⌈(i + 1) · in / out⌉`.
    init(_ op: String, _ x: Shape, adaptiveTo size: [Int]) {
        precondition(
            (1...3).contains(size.count) && x.rank == size.count + 2 && size.allSatisfy { $0 > 0 },
            "\(op): x \(x) to \(size)")
        self.init(
            x, cells: size, dilation: size.map { _ in 1 },
            runs: size.indices.map { axis in
                let extent = x[axis + 2], cells = size[axis]
                return (0..<cells).map { cell in
                    let start = cell * extent / cells, count = ((cell + 1) * extent + cells - 1) / cells - start
                    return Run(start: start, count: count, padded: count)
                }
            })
    }

    private init(_ x: Shape, cells: [Int], dilation: [Int], runs: [[Run]]) {
        let lead = 3 - cells.count
        output = Shape([x[0], x[1]] + cells)
        planes = x[0] * x[1]
        input = Array(repeating: 1, count: lead) + x.dimensions.dropFirst(2)
        self.dilation = Array(repeating: 1, count: lead) + dilation
        self.runs = Array(repeating: [Run(start: 0, count: 1, padded: 1)], count: lead) + runs
        self.cells = cells.reduce(1, *)
    }

    /// Calls `body` with a cell's number and its runs along the three axes, in row-major order.
    @inline(__always)
    func forEachCell(_ body: (Int, Run, Run, Run) -> Void) {
        var cell = 0
        for z in runs[0] {
            for y in runs[1] {
                for x in runs[2] {
                    body(cell, z, y, x)
                    cell += 1
                }
            }
        }
    }

    /// Calls `body` with the flat position in the plane of each element under a cell, in row-major order.
    @inline(__always)
    func forEachElement(_ z: Run, _ y: Run, _ x: Run, _ body: (Int) -> Void) {
        for kz in 0..<z.count {
            for ky in 0..<y.count {
                var element =
                    ((z.start + kz * dilation[0]) * input[1] + y.start + ky * dilation[1]) * input[2] + x.start
                for _ in 0..<x.count {
                    body(element)
                    element += dilation[2]
                }
            }
        }
    }

    /// Planes are shared out over the worker threads.
    func eachPlane(_ body: (Int) -> Void) {
        let parts = max(1, min(planes, WorkerPool.shared.threads * 4, planes * max(cells, plane) / 20_000))
        WorkerPool.shared.parallel(parts) { part in
            for plane in planes * part / parts..<planes * (part + 1) / parts { body(plane) }
        }
    }
}
