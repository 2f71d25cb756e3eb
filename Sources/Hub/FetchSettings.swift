/// Limits and patience of a fetch.
package struct FetchSettings: Sendable {
    /// Largest encoder that is fetched, in bytes over all of its files.
    package var sizeLimit: Int64 = 20_000_000_000
    /// A connection on which nothing arrives for so long is given up. Whole seconds.
    package var idleTimeout: Duration = .seconds(30)
    /// A request for metadata must be answered completely in this time. Whole seconds.
    package var metadataTimeout: Duration = .seconds(60)
    /// Tries of one request or transfer which brings nothing new.
    package var attempts = 5
    /// Pause after the first failed try; doubles with each further one.
    package var firstDelay: Duration = .milliseconds(500)
    package var longestDelay: Duration = .seconds(30)
    /// A server that asks for a longer pause than this is not waited for.
    package var longestRetryAfter: Duration = .seconds(120)
    /// `pip` is stopped when it neither prints nor writes anything for so long.
    package var pipStallTimeout: Duration = .seconds(180)

    package init() {}
}
