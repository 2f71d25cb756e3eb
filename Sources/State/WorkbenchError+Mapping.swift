package import Foundation
import GRDB

extension WorkbenchError {
    /// Gives a failure of the file system or of SQLite one of our codes; our own errors pass unchanged.
    ///
    /// - parameter action: What was being done, as a clause: "registering encoder 'minilm'".
    /// - parameter place: Where it was being done; a full disk is reported with what is free there.
    package static func wrapping(_ error: any Error, while action: String, at place: URL) -> WorkbenchError {
        switch error {
        case let error as WorkbenchError:
            return error
        case is CancellationError:
            return WorkbenchError(.cancelled, "Cancelled while \(action).", cause: error)
        case let error as SystemCallError:
            return system(error, while: action, at: place)
        case let error as DatabaseError:
            return database(error, while: action, at: place)
        case let error as CocoaError where error.code == .fileWriteOutOfSpace:
            return diskFull(while: action, at: place, cause: error)
        default:
            return WorkbenchError(.internalError, "Failed while \(action): \(error).", cause: error)
        }
    }

    /// A full disk. `needed` is the size of what was to be written, when that is known beforehand.
    static func diskFull(
        while action: String, at place: URL, needed: Int? = nil, cause: (any Error)? = nil
    ) -> WorkbenchError {
        var details = ["path": place.path]
        var message = "The disk is full: no room while \(action) in \(place.path)."
        if let free = try? FileSystem.freeSpace(at: place) {
            details["free_bytes"] = "\(free)"
            if let needed {
                let missing = max(0, needed - free)
                details["needed_bytes"] = "\(needed)"
                details["missing_bytes"] = "\(missing)"
                message =
                    "Not enough disk space for \(action): \(ByteCount(needed)) are needed in \(place.path), "
                    + "\(ByteCount(free)) are free, \(ByteCount(missing)) are missing."
            } else {
                message += " \(ByteCount(free)) are free."
            }
        }
        message +=
            " Free some space, remove encoders or heads you no longer use, stop the daemon and delete "
            + "features.sqlite (it is only a cache), or move HIDRA_HOME to a larger disk; then try again."
        return WorkbenchError(.diskFull, message, details: details, cause: cause)
    }

    private static func system(_ error: SystemCallError, while action: String, at place: URL) -> WorkbenchError {
        switch error.number {
        case ENOSPC, EDQUOT:
            return diskFull(while: action, at: place, cause: error)
        case ENOENT:
            return WorkbenchError(.notFound, "\(error.path) is missing; it was needed for \(action).", cause: error)
        case EACCES, EPERM, EROFS:
            return WorkbenchError(
                .internalError,
                "No permission for \(error.path) while \(action): \(error.reason). "
                    + "The state directory must belong to the user who runs hidrad and be writable.",
                cause: error)
        default:
            return WorkbenchError(.internalError, "\(error) while \(action).", cause: error)
        }
    }

    private static func database(_ error: DatabaseError, while action: String, at place: URL) -> WorkbenchError {
        switch error.resultCode {
        case .SQLITE_FULL:
            return diskFull(while: action, at: place, cause: error)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return WorkbenchError(
                .corrupt, "A database in \(place.path) is damaged (\(action)). Restart the daemon: it repairs it.",
                cause: error)
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM:
            return WorkbenchError(
                .internalError,
                "The databases in \(place.path) cannot be written (\(action)). "
                    + "The state directory must belong to the user who runs hidrad and be writable.",
                cause: error)
        case .SQLITE_IOERR where (try? FileSystem.freeSpace(at: place)).map({ $0 < 1 << 20 }) ?? false:
            // SQLite reports some failed writes on a full disk (of the -shm file, of a sync) as plain I/O errors.
            return diskFull(while: action, at: place, cause: error)
        default:
            return WorkbenchError(.internalError, "The database failed while \(action): \(error).", cause: error)
        }
    }
}

/// Bytes as a person reads them: `512 B`, `90.9 MB` (powers of ten, as disks are sold).
struct ByteCount: CustomStringConvertible {
    let bytes: Int

    init(_ bytes: Int) { self.bytes = bytes }

    var description: String {
        let units = ["kB", "MB", "GB", "TB", "PB"]
        guard bytes >= 1_000 else { return "\(bytes) B" }
        var value = Double(bytes) / 1_000
        var unit = 0
        while value >= 999.95, unit < units.count - 1 {
            value /= 1_000
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
