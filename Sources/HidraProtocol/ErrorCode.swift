/// What kind of error it is, for programs: the same words on the wire, in `HidraError`, in JSON and in the log.
///
/// A code this version does not know stays as it is, and counts as `internal`.
public struct ErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    /// A request that makes no sense, whatever the data: a parameter out of range, a message that cannot be read.
    public static let invalidArgument = ErrorCode(rawValue: "invalid_argument")
    /// No encoder, head, run, data set, column or job of that name.
    public static let notFound = ErrorCode(rawValue: "not_found")
    public static let alreadyExists = ErrorCode(rawValue: "already_exists")
    /// Something else is using it: an encoder that still has heads, a head that is being trained.
    public static let conflict = ErrorCode(rawValue: "conflict")
    /// Another daemon holds this home.
    public static let alreadyRunning = ErrorCode(rawValue: "already_running")
    /// Rows that cannot be used: no rows, NaN targets, invalid UTF-8, one class only.
    public static let invalidData = ErrorCode(rawValue: "invalid_data")
    /// No daemon, a daemon that is stopping, or a hub that cannot be reached.
    public static let unavailable = ErrorCode(rawValue: "unavailable")
    public static let timeout = ErrorCode(rawValue: "timeout")
    /// Someone asked for it to stop.
    public static let cancelled = ErrorCode(rawValue: "cancelled")
    /// The daemon stopped, or died, before the work was done.
    public static let interrupted = ErrorCode(rawValue: "interrupted")
    /// A message, a data set or a request is larger than the daemon takes.
    public static let limitExceeded = ErrorCode(rawValue: "limit_exceeded")
    public static let diskFull = ErrorCode(rawValue: "disk_full")
    /// A file is damaged: its digest, its header or its sizes are wrong.
    public static let corrupt = ErrorCode(rawValue: "corrupt")
    /// An architecture, a file format or a message kind this version does not know.
    public static let unsupported = ErrorCode(rawValue: "unsupported")
    /// Client and daemon have no protocol version in common.
    public static let incompatibleVersion = ErrorCode(rawValue: "incompatible_version")
    /// The file system, or the hub, refuses access.
    public static let permissionDenied = ErrorCode(rawValue: "permission_denied")
    /// A fault of Hidra's own.
    public static let internalError = ErrorCode(rawValue: "internal")
}

extension ErrorCode {
    /// The one table from codes to the exit status of `hidra` and `hidrad`.
    public static let exitCodes: [ErrorCode: Int32] = [
        .internalError: 1,
        .invalidArgument: 2,
        .notFound: 3,
        .invalidData: 4,
        .alreadyExists: 5,
        .conflict: 5,
        .alreadyRunning: 5,
        .unavailable: 6,
        .incompatibleVersion: 6,
        .permissionDenied: 6,
        .timeout: 7,
        .cancelled: 8,
        .interrupted: 8,
        .limitExceeded: 9,
        .diskFull: 9,
        .corrupt: 10,
        .unsupported: 10,
    ]

    /// 1 for a code that is not in the table.
    public var exitCode: Int32 { Self.exitCodes[self] ?? 1 }
}
