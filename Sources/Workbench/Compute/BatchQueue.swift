/// Which of the inputs that wait go into the next batch: one of each request in turn, so that a short request is not held up by a long
/// one. A value without threads or clock.
struct BatchQueue {
    /// An input: the request it belongs to, and its position there.
    struct Item: Equatable {
        let request: UInt64
        let index: Int
    }

    private struct Waiting {
        let request: UInt64
        let costs: [Double]
        var next = 0
    }

    private var waiting: [Waiting] = []

    var isEmpty: Bool { waiting.isEmpty }

    mutating func add(_ request: UInt64, costs: [Double]) {
        if !costs.isEmpty { waiting.append(Waiting(request: request, costs: costs)) }
    }

    mutating func remove(_ request: UInt64) { waiting.removeAll { $0.request == request } }

    /// Takes inputs until the next one would exceed `limit`; at least one when there is one.
    mutating func take(limit: Double) -> [Item] {
        var items: [Item] = [], cost = 0.0, position = 0
        while position < waiting.count {
            let entry = waiting[position], next = entry.costs[entry.next]
            guard items.isEmpty || cost + next <= limit else { break }
            items.append(Item(request: entry.request, index: entry.next))
            cost += next
            waiting[position].next += 1
            position = (position + 1) % waiting.count
            if position == 0 { waiting.removeAll { $0.next == $0.costs.count } }
        }
        // Who has been served waits behind the others.
        waiting = Array(waiting[position...] + waiting[..<position])
        waiting.removeAll { $0.next == $0.costs.count }
        return items
    }
}
