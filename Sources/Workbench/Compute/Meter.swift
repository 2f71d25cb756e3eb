import Foundation
import State
import Synchronization

/// What a client has used of the engine and of the feature cache since midnight UTC, and how much it may.
///
/// Work is charged to the meter of the task that asks for it.
package final class Meter: Sendable {
    @TaskLocal package static var current: Meter?

    package struct Limits: Sendable, Equatable {
        package var coreSeconds: Double?
        package var cacheBytes: Int?
        package init(coreSeconds: Double? = nil, cacheBytes: Int? = nil) {
            (self.coreSeconds, self.cacheBytes) = (coreSeconds, cacheBytes)
        }
    }

    /// Of one day, counted from 1970.
    package struct Used: Sendable, Equatable, Codable {
        package var day = 0
        package var coreSeconds = 0.0
        package var cacheBytes = 0
        package init(day: Int = 0, coreSeconds: Double = 0, cacheBytes: Int = 0) {
            (self.day, self.coreSeconds, self.cacheBytes) = (day, coreSeconds, cacheBytes)
        }
    }

    private let state: Mutex<(limits: Limits, used: Used)>
    private let today: @Sendable () -> Int
    /// Is charged, and asked, as well.
    private let payer: Meter?

    /// - Parameters:
    ///   - used: what was used before; of another day it counts for nothing.
    ///   - today: days since 1970, UTC.
    package init(
        _ limits: Limits = Limits(), used: Used = Used(), today: @escaping @Sendable () -> Int = { Int(Date().timeIntervalSince1970) / 86_400 }
    ) {
        state = Mutex((limits, used))
        self.today = today
        payer = nil
    }

    /// Measures one piece of work, however many days it takes, and charges `payer` for it.
    package init(for payer: Meter?) {
        state = Mutex((Limits(), Used()))
        today = { 0 }
        self.payer = payer
    }

    package var limits: Limits {
        get { state.withLock { $0.limits } }
        set { state.withLock { $0.limits = newValue } }
    }

    package var used: Used { with { $0.used } }

    package func charge(coreSeconds: Double) {
        with { $0.used.coreSeconds += coreSeconds }
        payer?.charge(coreSeconds: coreSeconds)
    }

    /// Fails with `limitExceeded` when the day's core-seconds are used up.
    package func requireTime() throws {
        try payer?.requireTime()
        let excess = with { state in state.limits.coreSeconds.flatMap { state.used.coreSeconds >= $0 ? $0 : nil } }
        if let limit = excess { throw Self.exceeded("core_seconds", "\(Self.text(limit)) core-seconds a day") }
    }

    /// Fails with `limitExceeded`, and charges nothing, when so much more may not go into the cache today.
    package func spend(cacheBytes bytes: Int) throws {
        try payer?.spend(cacheBytes: bytes)
        let excess: Int? = with { state in
            if let limit = state.limits.cacheBytes, state.used.cacheBytes + bytes > limit { return limit }
            state.used.cacheBytes += bytes
            return nil
        }
        if let limit = excess { throw Self.exceeded("cache_bytes", "\(limit) bytes added to the feature cache a day") }
    }

    private func with<Value>(_ body: (inout (limits: Limits, used: Used)) -> Value) -> Value {
        let day = today()
        return state.withLock { state in
            if state.used.day != day { state.used = Used(day: day) }
            return body(&state)
        }
    }

    private static func text(_ seconds: Double) -> String {
        seconds == seconds.rounded() && abs(seconds) < 1e15 ? String(Int(seconds)) : String(seconds)
    }

    private static func exceeded(_ name: String, _ limit: String) -> WorkbenchError {
        WorkbenchError(
            .limitExceeded,
            "Your quota of \(limit) is used up. Go on after midnight UTC, or ask who runs the daemon for more.",
            details: ["quota": name, "limit": limit])
    }
}
