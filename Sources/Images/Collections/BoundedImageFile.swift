package import Foundation
import Glibc

/// Reads an image's file whole, up to a limit.
package enum BoundedImageFile {
    /// - Parameter followsLinks: whether the last part of the path may be a symbolic link.
    /// - Throws: `ImageError`: not there, not readable, no regular file, a link, or too large.
    package static func read(_ path: String, limits: ImageLimits, followsLinks: Bool) throws(ImageError) -> Data {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followsLinks ? 0 : O_NOFOLLOW))
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR: throw ImageError(.notFound, "is not there")
            case ELOOP: throw ImageError(.refusedPath, "is a link; put the file itself there")
            default: throw ImageError(.unreadable, "cannot be opened: \(String(cString: strerror(errno)))")
            }
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ImageError(.unreadable, "is not a regular file")
        }
        guard status.st_size <= limits.bytes else {
            throw ImageError(.tooLarge, "has \(status.st_size) bytes; the limit is \(limits.bytes)")
        }
        do {
            // A file that grows meanwhile is cut, and found out when it is decoded.
            return try handle.read(upToCount: limits.bytes) ?? Data()
        } catch {
            throw ImageError(.unreadable, "cannot be read", cause: error)
        }
    }
}
