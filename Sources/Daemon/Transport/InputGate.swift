/// Decides whether work is read: not above the high-water mark, and again from the low-water mark on.
///
/// What is not read waits in ZeroMQ's queues, and then with its sender: that is the back-pressure.
package struct InputGate {
    package let high: Int
    package let low: Int
    package private(set) var isOpen = true

    package init(high: Int, low: Int) {
        precondition(0 <= low && low < high, "InputGate: low-water mark \(low) must be below the high one, \(high)")
        (self.high, self.low) = (high, low)
    }

    package mutating func update(backlog: Int) -> Bool {
        if backlog >= high { isOpen = false } else if backlog <= low { isOpen = true }
        return isOpen
    }
}
