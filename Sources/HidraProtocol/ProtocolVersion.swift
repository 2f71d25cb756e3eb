/// The versions of the protocol that this code speaks, and the choice of one to speak with a peer.
public enum ProtocolVersion {
    public static let supported: ClosedRange<UInt32> = 1...1

    /// The highest version both sides speak, or nil when there is none or the peer's range is upside down.
    public static func negotiated(
        minimum: UInt32, maximum: UInt32, supported: ClosedRange<UInt32> = supported
    ) -> UInt32? {
        guard minimum <= maximum else { return nil }
        let highest = min(maximum, supported.upperBound)
        return highest >= max(minimum, supported.lowerBound) ? highest : nil
    }
}
