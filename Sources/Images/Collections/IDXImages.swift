import CArchive
package import Foundation

/// Images in the IDX format of the MNIST files (LeCun, Cortes & Burges 1998), plain or gzip: magic number 0x00000803, number of images,
/// rows, columns, then a byte for each pixel, black 0. Labels are in the file whose name has `labels-idx1` in the place of
/// `images-idx3`, when it lies beside it. Images are handed out as PNG, named by their row.
package final class IDXImages: ImageCollection {
    package private(set) var summary = CollectionSummary()
    private let bytes: Data
    private let rows: Int, columns: Int, count: Int
    private let labels: Data?
    private var position = 0

    /// Most bytes of a file, unpacked.
    package static let largestFile = 4 << 30
    private static let header = 16, labelHeader = 8

    /// By its name.
    package static func isIDX(_ url: URL) -> Bool { url.lastPathComponent.lowercased().contains("idx3-ubyte") }

    /// - Throws: `ImageError`: not there, cut short, of another kind, or labels that are not as many as the images.
    package init(_ url: URL, limits: ImageLimits = .standard) throws(ImageError) {
        bytes = try Self.unpacked(url)
        func number(_ data: Data, _ index: Int) -> Int { data[index * 4..<index * 4 + 4].reduce(0) { $0 << 8 | Int($1) } }
        guard bytes.count >= Self.header, number(bytes, 0) == 0x803 else {
            throw ImageError(.unsupported, "is not an IDX file of images: bytes in three dimensions", file: url.path)
        }
        (count, rows, columns) = (number(bytes, 1), number(bytes, 2), number(bytes, 3))
        guard rows > 0, columns > 0, rows * columns <= limits.pixels, bytes.count - Self.header == count * rows * columns else {
            throw ImageError(
                .truncated,
                "claims \(count) images of \(columns) × \(rows), and has \(bytes.count - Self.header) bytes of pixels. Fetch it again",
                file: url.path)
        }
        let name = url.lastPathComponent.replacing("images", with: "labels").replacing("idx3", with: "idx1")
        let sibling = url.deletingLastPathComponent().appending(path: name)
        guard name != url.lastPathComponent, FileManager.default.fileExists(atPath: sibling.path) else {
            labels = nil
            return
        }
        let labels = try Self.unpacked(sibling)
        guard labels.count >= Self.labelHeader, number(labels, 0) == 0x801, labels.count - Self.labelHeader == count else {
            throw ImageError(.corrupt, "does not hold \(count) labels, as many as there are images", file: sibling.path)
        }
        self.labels = labels
    }

    package func next() throws -> LabelledImage? {
        guard position < count else { return nil }
        defer { position += 1 }
        let start = Self.header + position * rows * columns
        let pixels = bytes[start..<start + rows * columns].flatMap { [$0, $0, $0] }
        summary.images += 1
        return LabelledImage(
            name: "row \(position + 1)", label: labels.map { String($0[Self.labelHeader + position]) },
            bytes: try RGBImage(width: columns, height: rows, pixels: pixels).png())
    }

    package func report(_ problem: ImageProblem) { summary.report(problem) }

    /// The whole file, unpacked when it is gzip.
    private static func unpacked(_ url: URL) throws(ImageError) -> Data {
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw ImageError(.notFound, "is not there", file: url.path)
        }
        guard let archive = archive_read_new() else {
            throw ImageError(.unreadable, "no memory for reading it", file: url.path)
        }
        defer { archive_read_free(archive) }
        func fail(_ code: ImageError.Code, _ what: String) -> ImageError {
            let reason = archive_error_string(archive).map { " (\(String(cString: $0)))" } ?? ""
            return ImageError(code, what + reason, file: url.path)
        }
        archive_read_support_filter_gzip(archive)
        archive_read_support_format_raw(archive)
        var entry: OpaquePointer?
        guard archive_read_open_filename(archive, url.path, 1 << 16) == ARCHIVE_OK,
            archive_read_next_header(archive, &entry) == ARCHIVE_OK
        else { throw fail(.unreadable, "cannot be read") }
        var result = Data(), block = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let read = archive_read_data(archive, &block, block.count)
            if read == 0 { return result }
            guard read > 0 else { throw fail(.truncated, "is cut short or damaged. Fetch it again") }
            guard result.count + read <= largestFile else {
                throw ImageError(.tooLarge, "has more than \(largestFile) bytes", file: url.path)
            }
            result.append(contentsOf: block[..<read])
        }
    }
}
