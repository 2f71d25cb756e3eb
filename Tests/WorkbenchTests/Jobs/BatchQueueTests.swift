import Testing

@testable import Workbench

@Suite("Which inputs go into the next batch")
struct BatchQueueTests {
    private func positions(_ items: [BatchQueue.Item]) -> [[Int]] { items.map { [Int($0.request), $0.index] } }

    @Test("one of each request in turn, so that a short one is answered with the first batch")
    func turns() {
        var queue = BatchQueue()
        queue.add(1, costs: [1, 1, 1, 1, 1])
        queue.add(2, costs: [1])
        #expect(positions(queue.take(limit: 3)) == [[1, 0], [2, 0], [1, 1]])
        #expect(positions(queue.take(limit: 3)) == [[1, 2], [1, 3], [1, 4]])
        #expect(queue.isEmpty && queue.take(limit: 3).isEmpty)
    }

    @Test("who was served last waits behind the others")
    func rotates() {
        var queue = BatchQueue()
        for request in 1...3 { queue.add(UInt64(request), costs: [1, 1]) }
        #expect(positions(queue.take(limit: 2)) == [[1, 0], [2, 0]])
        #expect(positions(queue.take(limit: 2)) == [[3, 0], [1, 1]])
        #expect(positions(queue.take(limit: 2)) == [[2, 1], [3, 1]])
        #expect(queue.isEmpty)
    }

    @Test("an input above the limit makes a batch of its own, and nothing else waits for it in vain")
    func large() {
        var queue = BatchQueue()
        queue.add(1, costs: [1])
        queue.add(2, costs: [50])
        queue.add(3, costs: [1])
        #expect(positions(queue.take(limit: 10)) == [[1, 0]])
        #expect(positions(queue.take(limit: 10)) == [[2, 0]])
        #expect(positions(queue.take(limit: 10)) == [[3, 0]])
    }

    @Test("a request that was taken out is not served any more")
    func removes() {
        var queue = BatchQueue()
        queue.add(1, costs: [1, 1])
        queue.add(2, costs: [1])
        #expect(queue.take(limit: 1).count == 1)
        queue.remove(1)
        #expect(positions(queue.take(limit: 9)) == [[2, 0]])
        #expect(queue.isEmpty)
    }

    @Test("every input is taken exactly once, whatever the costs and the limit", arguments: 0..<20)
    func complete(seed: Int) {
        var queue = BatchQueue(), expected: Set<[Int]> = [], seen: [[Int]] = []
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        func next(_ bound: UInt64) -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state % bound
        }
        for request in 0..<7 {
            let costs = (0..<next(9)).map { _ in Double(next(5)) }
            queue.add(UInt64(request), costs: costs)
            for index in costs.indices { expected.insert([request, index]) }
            if next(2) == 0 { seen += positions(queue.take(limit: Double(next(12)))) }
        }
        while !queue.isEmpty {
            let batch = queue.take(limit: Double(next(12)))
            #expect(!batch.isEmpty)
            seen += positions(batch)
        }
        #expect(seen.count == expected.count && Set(seen) == expected)
    }
}
