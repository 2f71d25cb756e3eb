import CArchive
package import Foundation
import Glibc

/// A tar archive of images (ustar, pax, GNU, plain or gzip), read from front to back by libarchive: entries `class/name.jpg` or
/// `split/class/name.jpg`, in the archive's order. Nothing is written to disk.
package final class ImageArchive: ImageCollection {
    package private(set) var summary = CollectionSummary()
    private let archive: OpaquePointer
    private let file: String
    private let limits: ImageLimits
    private var entries = 0
    private var isAtEnd = false

    /// Most entries an archive may have.
    package static let largestCount = 10_000_000

    /// - Throws: `ImageError` when the file is not there, or no tar archive.
    package init(_ url: URL, limits: ImageLimits = .standard) throws(ImageError) {
        var status = stat()
        guard stat(url.path, &status) == 0 else { throw ImageError(.notFound, "is not there", file: url.path) }
        // Opening a pipe would wait for whoever writes to it.
        guard status.st_mode & S_IFMT == S_IFREG else { throw ImageError(.unreadable, "is not a file", file: url.path) }
        guard let archive = archive_read_new() else {
            throw ImageError(.unreadable, "no memory for an archive", file: url.path)
        }
        self.archive = archive
        self.limits = limits
        file = url.path
        archive_read_support_filter_gzip(archive)
        archive_read_support_format_tar(archive)
        guard archive_read_open_filename(archive, url.path, 1 << 16) == ARCHIVE_OK else {
            throw ImageError(.unreadable, "cannot be read as a tar archive (\(lastMessage))", file: file)
        }
    }

    deinit { archive_read_free(archive) }

    package func next() throws -> LabelledImage? {
        while !isAtEnd {
            var entry: OpaquePointer?
            switch archive_read_next_header(archive, &entry) {
            case ARCHIVE_OK, ARCHIVE_WARN: break
            case ARCHIVE_EOF:
                isAtEnd = true
                return nil
            default:
                isAtEnd = true
                throw ImageError(
                    entries == 0 ? .unreadable : .truncated,
                    entries == 0
                        ? "is not a tar archive, plain or gzip (\(lastMessage))"
                        : "is cut short or damaged after \(entries) entries (\(lastMessage)). Fetch it again",
                    file: file)
            }
            entries += 1
            guard entries <= Self.largestCount else {
                throw ImageError(.tooLarge, "has more than \(Self.largestCount) entries", file: file)
            }
            if let entry, let image = try image(entry) { return image }
        }
        return nil
    }

    package func report(_ problem: ImageProblem) { summary.report(problem) }

    /// nil when the entry is passed over.
    private func image(_ entry: OpaquePointer) throws(ImageError) -> LabelledImage? {
        // The name as UTF-8 where the archive says so, otherwise its bytes.
        guard let path = archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry) else {
            summary.problems.append(ImageProblem(name: "entry \(entries)", reason: "has no readable name"))
            return nil
        }
        let name = EntryName(String(cString: path)), type = Int32(bitPattern: archive_entry_filetype(entry))
        guard type != hidra_archive_directory else { return nil }
        func refuse(_ reason: String) -> LabelledImage? {
            summary.problems.append(ImageProblem(name: String(cString: path), reason: reason))
            return nil
        }
        switch name.kind {
        case .hidden:
            summary.hidden += 1
            return nil
        case .other:
            summary.otherFiles += 1
            return nil
        case .outside: return refuse("its path leaves the archive")
        case .image: break
        }
        guard archive_entry_hardlink(entry) == nil, archive_entry_symlink(entry) == nil, type == hidra_archive_regular
        else {
            return refuse("is a link or a device, not a file")
        }
        let size = archive_entry_size(entry)
        guard size >= 0, size <= Int64(limits.bytes) else {
            return refuse("claims \(size) bytes; the limit is \(limits.bytes)")
        }
        let bytes = try contents(Int(size), of: name.text)
        summary.images += 1
        return LabelledImage(name: name.text, label: name.label, bytes: bytes)
    }

    private func contents(_ size: Int, of name: String) throws(ImageError) -> Data {
        var data = Data(count: size), filled = 0
        while filled < size {
            let count = data.withUnsafeMutableBytes { bytes in
                archive_read_data(archive, bytes.baseAddress.map { $0 + filled }, size - filled)
            }
            guard count > 0 else {
                isAtEnd = true
                throw ImageError(
                    .truncated, "is cut short or damaged at \(name) (\(lastMessage)). Fetch it again", file: file)
            }
            filled += count
        }
        return data
    }

    private var lastMessage: String { archive_error_string(archive).map { String(cString: $0) } ?? "it ends too early" }
}
