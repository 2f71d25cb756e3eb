import Foundation

/// An open file, closed when nobody refers to it any more. Errors carry the path and what to do; a full disk is told
/// apart.
///
/// Foundation's `FileHandle` hides `errno`, and with it the difference between a full disk and any other failure.
final class RawFile: Sendable {
    let path: String
    private let descriptor: CInt

    enum Mode {
        case read
        /// For writing, created when absent, content kept.
        case update
        /// For writing, must not exist.
        case create

        fileprivate var flags: CInt {
            switch self {
            // A named pipe would block here until someone writes to it; `size()` refuses it.
            case .read: O_RDONLY | O_NONBLOCK
            case .update: O_RDWR | O_CREAT
            case .create: O_RDWR | O_CREAT | O_EXCL
            }
        }
    }

    init(_ url: URL, _ mode: Mode) throws {
        path = url.path
        descriptor = open(path, mode.flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileFailure.error("open", path, errno) }
    }

    deinit {
        close(descriptor)
    }

    /// Size in bytes of a regular file; anything else (a folder, a device, a pipe) is refused.
    func size() throws -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileFailure.error("read", path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw HubError(.invalidData, "\(path) is not a regular file.")
        }
        return Int64(status.st_size)
    }

    /// Reads up to `buffer.count` bytes at `offset`; fewer only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        var done = 0
        while done < buffer.count, let base = buffer.baseAddress {
            let count = pread(descriptor, base + done, buffer.count - done, off_t(offset) + off_t(done))
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileFailure.error("read", path, errno)
            }
            done += count
        }
        return done
    }

    /// Writes all of `bytes` at `offset`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let count = pwrite(descriptor, base + done, bytes.count - done, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw FileFailure.error("write", path, errno)
            }
            done += count
        }
    }

    func truncate(to size: Int64) throws {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw FileFailure.error("write", path, errno) }
    }

    /// Waits until the content has reached the disk.
    func synchronise() throws {
        guard fsync(descriptor) == 0 else { throw FileFailure.error("write", path, errno) }
    }

    /// Takes an exclusive lock that ends with this value; false when someone else holds it.
    func tryLock() throws -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        if errno == EWOULDBLOCK { return false }
        throw FileFailure.error("lock", path, errno)
    }

    /// Makes this empty file share all blocks of `source`, without copying; false where the file system cannot
    /// (only Btrfs, XFS and a few others can, and only within one file system).
    func share(_ source: RawFile) -> Bool {
        #if os(Linux)
            // FICLONE, `_IOW(0x94, 9, int)` in linux/fs.h; a macro that Swift does not import.
            return ioctl(descriptor, 0x4004_9409, source.descriptor) == 0
        #else
            return false
        #endif
    }
}

/// Turns `errno` into an error a person can act on.
enum FileFailure {
    static func error(_ verb: String, _ path: String, _ number: CInt) -> HubError {
        let reason = String(cString: strerror(number))
        return switch number {
        case ENOSPC, EDQUOT:
            HubError(.diskFull, "No space left for \(path) (\(reason)). Free some and try again.")
        case ENOENT, ENOTDIR:
            HubError(.notFound, "There is no \(path).")
        default:
            HubError(.internalError, "Could not \(verb) \(path): \(reason).")
        }
    }
}
