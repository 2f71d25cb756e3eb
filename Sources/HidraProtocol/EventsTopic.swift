/// Topics of the events socket: the first frame of every message there.
package enum EventsTopic {
    package static let events = Array("events".utf8)

    /// A subscriber cannot know when its subscription has reached the daemon. So it also subscribes to a topic of its
    /// own, `sync/` and something random; the daemon publishes once to a new topic of this form, and whoever receives
    /// that misses no event from then on.
    package static let syncPrefix = Array("sync/".utf8)
    /// Longer topics are not answered.
    package static let maximumSyncBytes = 64
}
