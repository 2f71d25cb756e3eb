import HidraProtocol
import State

/// What one client may use at a time. nil: without limit.
package struct Quota: Sendable, Equatable {
    var openRequests: Int?
    /// Of data sets and uploads.
    var dataBytes: Int?
    /// Added to the feature cache, for each day.
    var cacheBytes: Int?
    /// Of the engine's threads, for each day.
    var coreSeconds: Double?

    package init() {}

    init(_ record: KeyRecord) {
        openRequests = record.openRequests == 0 ? nil : record.openRequests
        dataBytes = record.dataBytes == 0 ? nil : record.dataBytes
        cacheBytes = record.cacheBytes == 0 ? nil : record.cacheBytes
        coreSeconds = record.coreSeconds == 0 ? nil : record.coreSeconds
    }

    /// What clients may use whose key says nothing else: `HIDRA_QUOTA_OPEN_REQUESTS`, `…_DATA_BYTES`, `…_CACHE_BYTES`, `…_CORE_SECONDS`.
    ///
    /// - Throws: `invalidArgument` with the variable and what it may be.
    package init(_ environment: [String: String]) throws {
        func count(_ name: String) throws -> Int? {
            guard let text = environment[name], !text.isEmpty else { return nil }
            guard let value = Int(text), value > 0 else {
                throw Failure(.invalidArgument, "\(name) is \"\(text)\"; it must be a whole number above 0.")
            }
            return value
        }
        openRequests = try count("HIDRA_QUOTA_OPEN_REQUESTS")
        dataBytes = try count("HIDRA_QUOTA_DATA_BYTES")
        cacheBytes = try count("HIDRA_QUOTA_CACHE_BYTES")
        coreSeconds = try count("HIDRA_QUOTA_CORE_SECONDS").map(Double.init)
    }

    /// This one's limits, and `other`'s where it has none.
    func filled(from other: Quota) -> Quota {
        var filled = self
        filled.openRequests = openRequests ?? other.openRequests
        filled.dataBytes = dataBytes ?? other.dataBytes
        filled.cacheBytes = cacheBytes ?? other.cacheBytes
        filled.coreSeconds = coreSeconds ?? other.coreSeconds
        return filled
    }
}

extension Failure {
    /// - Parameters:
    ///   - limit: as the client may know it.
    ///   - what: the noun and what to do, e.g. "requests open at a time; wait for one of them".
    static func quota(_ name: String, limit: String, _ what: String) -> Failure {
        Failure(.limitExceeded, "Your quota is \(limit) \(what).", details: ["quota": name, "limit": limit])
    }
}
