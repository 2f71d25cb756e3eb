/// A loop over the elements of a shape for several operands at once, each with its own strides. Axes of one element are dropped
/// and neighbours that every operand walks alike are merged, so that the innermost run is as long as it can be.
struct LoopNest {
    let operands: Int
    /// Elements of one run, and how far each operand moves from one to the next.
    let runLength: Int
    let runStrides: [Int]
    /// The axes around the run, outermost first, and how far each operand moves along them: `[axis · operands + operand]`.
    let extents: [Int]
    let steps: [Int]

    /// Number of runs.
    let runs: Int

    init(_ shape: Shape, _ strides: [[Int]]) {
        var extents: [Int] = [], axes: [[Int]] = []
        for axis in 0..<shape.rank where shape[axis] != 1 {
            let step = strides.map { $0[axis] }
            if let outer = axes.last, zip(outer, step).allSatisfy({ $0 == $1 * shape[axis] }) {
                extents[extents.count - 1] *= shape[axis]
                axes[axes.count - 1] = step
            } else {
                extents.append(shape[axis])
                axes.append(step)
            }
        }
        self.init(
            operands: strides.count, run: extents.popLast() ?? 1,
            axes.popLast() ?? [Int](repeating: 1, count: strides.count), extents, axes.flatMap { $0 })
    }

    private init(operands: Int, run: Int, _ runStrides: [Int], _ extents: [Int], _ steps: [Int]) {
        self.operands = operands
        runLength = run
        self.runStrides = runStrides
        self.extents = extents
        self.steps = steps
        runs = extents.reduce(1, *)
    }

    /// The same loop without one of its outer axes.
    func removing(axis: Int) -> LoopNest {
        var extents = extents, steps = steps
        extents.remove(at: axis)
        steps.removeSubrange(axis * operands..<(axis + 1) * operands)
        return LoopNest(operands: operands, run: runLength, runStrides, extents, steps)
    }

    /// The offset of an operand's element, counted in row-major order.
    func offset(of operand: Int, at index: Int) -> Int {
        var offset = index % runLength * runStrides[operand], rest = index / runLength
        for axis in extents.indices.reversed() {
            offset += rest % extents[axis] * steps[axis * operands + operand]
            rest /= extents[axis]
        }
        return offset
    }

    /// Calls `body` with the offset of each operand at the beginning of each run of `range`, in row-major order.
    @inline(__always)
    func forEachRun(in range: Range<Int>, _ body: (UnsafePointer<Int>) -> Void) {
        guard !range.isEmpty, runLength > 0 else { return }
        withUnsafeTemporaryAllocation(of: Int.self, capacity: operands + extents.count) { memory in
            guard let offsets = memory.baseAddress else { return }
            memory.initialize(repeating: 0)
            let index = offsets + operands
            var rest = range.lowerBound
            for axis in extents.indices.reversed() {
                index[axis] = rest % extents[axis]
                rest /= extents[axis]
                for operand in 0..<operands { offsets[operand] += index[axis] * steps[axis * operands + operand] }
            }
            for _ in range {
                body(UnsafePointer(offsets))
                var axis = extents.count - 1
                while axis >= 0 {
                    index[axis] += 1
                    for operand in 0..<operands { offsets[operand] += steps[axis * operands + operand] }
                    if index[axis] < extents[axis] { break }
                    for operand in 0..<operands {
                        offsets[operand] -= extents[axis] * steps[axis * operands + operand]
                    }
                    index[axis] = 0
                    axis -= 1
                }
            }
        }
    }

    /// The same over all runs.
    @inline(__always)
    func forEachRun(_ body: (UnsafePointer<Int>) -> Void) { forEachRun(in: 0..<runs, body) }

    /// The same, the runs divided among the worker threads when there are more than about `grain` elements.
    @inline(__always)
    func forEachRunInParallel(grain: Int = 1 << 15, _ body: (UnsafePointer<Int>) -> Void) {
        WorkerPool.shared.forRanges(runs, grain: grain / max(runLength, 1) + 1) { forEachRun(in: $0, body) }
    }
}

extension WorkerPool {
    /// Cuts `0..<count` into a range for each thread, of at least `grain`, and calls `body` with each.
    @inline(__always)
    package func forRanges(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
        let parts = max(1, min(threads, count / max(grain, 1)))
        if parts == 1 { return body(0..<count) }
        parallel(parts) { body(count * $0 / parts..<count * ($0 + 1) / parts) }
    }

    /// The same, undivided while the other threads are at work. Only for what does not depend on where the ranges are cut.
    @inline(__always)
    package func forFreeRanges(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
        isBusy ? body(0..<count) : forRanges(count, grain: grain, body)
    }
}
