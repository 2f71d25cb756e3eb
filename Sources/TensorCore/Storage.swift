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

/// Keeps freed buffers by size class, so that a steady workload allocates nothing. Bounded; larger buffers go back to the system.
final class BufferCache: Sendable {
    static let shared = BufferCache()

    /// Largest buffer kept, and the most kept in all, in floats (16 MiB, 32 MiB).
    private static let largestKept = 4 << 20
    private static let mostKept = 8 << 20

    private struct Free: ~Copyable {
        var byClass = [[UInt]](repeating: [], count: 64)
        var kept = 0
    }

    private let free = Mutex(Free())

    /// Size classes are powers of two and the three steps between them: at most a quarter is wasted.
    private static func sizeClass(_ count: Int) -> (index: Int, floats: Int) {
        let floats = max(count, 64)
        let power = Int.bitWidth - 1 - (floats - 1).leadingZeroBitCount
        let base = 1 << power
        let step = max(base / 4, 1)
        let quarters = (floats - base + step - 1) / step
        return ((power - 5) * 4 + quarters, base + quarters * step)
    }

    func take(_ count: Int) -> UnsafeMutablePointer<Float> {
        let (index, floats) = Self.sizeClass(count)
        if floats <= Self.largestKept {
            let address: UInt? = free.withLock { free in
                guard index < free.byClass.count, let address = free.byClass[index].popLast() else { return nil }
                free.kept -= floats
                return address
            }
            if let address, let pointer = UnsafeMutablePointer<Float>(bitPattern: address) { return pointer }
        }
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, 64, floats * MemoryLayout<Float>.stride) == 0, let memory else {
            fatalError("out of memory: \(floats * 4) bytes for a tensor")
        }
        return memory.bindMemory(to: Float.self, capacity: floats)
    }

    func give(_ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
        let (index, floats) = Self.sizeClass(count)
        let kept = free.withLock { free in
            guard floats <= Self.largestKept, index < free.byClass.count, free.kept + floats <= Self.mostKept else {
                return false
            }
            free.byClass[index].append(UInt(bitPattern: pointer))
            free.kept += floats
            return true
        }
        if !kept { Glibc.free(pointer) }
    }

    /// Returns everything kept to the system.
    func clear() {
        free.withLock { free in
            for index in free.byClass.indices {
                for address in free.byClass[index] { Glibc.free(UnsafeMutableRawPointer(bitPattern: address)) }
                free.byClass[index] = []
            }
            free.kept = 0
        }
    }
}

/// Gives memory kept for reuse back to the system: after work that needed more than what follows.
package func releaseCachedBuffers() {
    BufferCache.shared.clear()
    ck_return_free_memory()
}
