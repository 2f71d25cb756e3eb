import CKernels
import Glibc
import Synchronization

/// A run of 64-byte-aligned floats with one owner: allocated here, or borrowed from something that outlives it (a mapped file).
package final class Storage {
    package let pointer: UnsafeMutablePointer<Float>
    package let count: Int
    /// Keeps borrowed memory alive; nil when the memory is ours.
    private let owner: AnyObject?

    package init(count: Int) {
        self.count = count
        self.pointer = BufferCache.shared.take(count)
        self.owner = nil
    }

    /// Borrows read-only memory. Writing through `pointer` is a programmer error: mapped weights trap.
    package init(borrowing pointer: UnsafePointer<Float>, count: Int, owner: AnyObject) {
        self.pointer = UnsafeMutablePointer(mutating: pointer)
        self.count = count
        self.owner = owner
    }

    package var isBorrowed: Bool { owner != nil }

    deinit {
        if owner == nil { BufferCache.shared.give(pointer, count) }
    }
}

/// Keeps freed buffers by size class, so that a steady workload allocates nothing.
///
/// Buffers in use and kept ones together stay within what was in use at most of late: the cache never makes a process larger than
/// its work did, and shrinks when the work does.
final class BufferCache: Sendable {
    static let shared = BufferCache()

    /// Kept whatever the work needs, in floats (32 MiB).
    private static let alwaysKept = 8 << 20
    /// Requests after which an old peak is forgotten.
    private static let epoch = 10_000

    private struct State: ~Copyable {
        var byClass = [[UInt]](repeating: [], count: 256)
        var kept = 0
        var used = 0
        /// Most in use at a time, in this epoch and in the last.
        var peak = 0
        var lastPeak = 0
        var requests = 0

        var bound: Int { max(alwaysKept, peak, lastPeak) }

        mutating func countRequest(_ floats: Int) {
            used += floats
            requests += 1
            if requests == epoch { (requests, lastPeak, peak) = (0, peak, 0) }
            peak = max(peak, used)
        }

        /// Takes out kept buffers, the largest first, until everything is within the bound.
        mutating func surplus() -> [UInt] {
            var addresses: [UInt] = []
            var index = byClass.count - 1
            while kept > 0, kept + used > bound, index >= 0 {
                if let address = byClass[index].popLast() {
                    kept -= floats(ofClass: index)
                    addresses.append(address)
                } else {
                    index -= 1
                }
            }
            return addresses
        }
    }

    private let state = Mutex(State())

    var keptFloats: Int { state.withLock { $0.kept } }

    /// Size classes are powers of two and the three steps between them: at most a quarter is wasted. From 64 floats up.
    private static func sizeClass(_ count: Int) -> Int {
        let floats = max(count, 64)
        let power = Int.bitWidth - 1 - (floats - 1).leadingZeroBitCount
        let base = 1 << power
        let quarters = (floats - base + base / 4 - 1) / (base / 4)
        return (power - 5) * 4 + quarters
    }

    private static func floats(ofClass index: Int) -> Int {
        let base = 1 << (index / 4 + 5)
        return base + index % 4 * (base / 4)
    }

    func take(_ count: Int) -> UnsafeMutablePointer<Float> {
        let index = Self.sizeClass(count), floats = Self.floats(ofClass: index)
        let (address, surplus) = state.withLock { state -> (UInt?, [UInt]) in
            state.countRequest(floats)
            if let address = state.byClass[index].popLast() {
                state.kept -= floats
                return (address, [])
            }
            return (nil, state.surplus())
        }
        for address in surplus { Glibc.free(UnsafeMutableRawPointer(bitPattern: address)) }
        if let address, let pointer = UnsafeMutablePointer<Float>(bitPattern: address) { return pointer }
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, 64, floats * MemoryLayout<Float>.stride) == 0, let memory else {
            fatalError("out of memory: \(floats * 4) bytes for a tensor")
        }
        return memory.bindMemory(to: Float.self, capacity: floats)
    }

    func give(_ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
        let index = Self.sizeClass(count), floats = Self.floats(ofClass: index)
        let kept = state.withLock { state in
            state.used -= floats
            guard state.kept + state.used + floats <= state.bound else { return false }
            state.byClass[index].append(UInt(bitPattern: pointer))
            state.kept += floats
            return true
        }
        if !kept { Glibc.free(pointer) }
    }

    /// Returns everything kept to the system, and forgets what the work so far needed.
    func clear() {
        let addresses = state.withLock { state in
            let addresses = state.byClass.flatMap { $0 }
            for index in state.byClass.indices { state.byClass[index] = [] }
            (state.kept, state.peak, state.lastPeak, state.requests) = (0, state.used, 0, 0)
            return addresses
        }
        for address in addresses { Glibc.free(UnsafeMutableRawPointer(bitPattern: address)) }
    }
}

/// Gives memory kept for reuse back to the system: after work that needed more than what follows.
package func releaseCachedBuffers() {
    BufferCache.shared.clear()
    ck_return_free_memory()
}
