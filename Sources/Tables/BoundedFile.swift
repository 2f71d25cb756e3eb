import Foundation

/// Reading of files whose size is bounded.
enum BoundedFile {
    private static let blockSize = 1 << 20

    /// The bytes of a file or a pipe.
    ///
    /// Throws: `.notFound`, `.unreadable`; `.tooLarge` before anything is read if the file system tells the size, and
    /// as soon as the limit is passed if it does not.
    static func read(_ path: String, limit: Int) throws(TableError) -> Data {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw TableError(.notFound, "no such file; check the path")
        }
        guard !isDirectory.boolValue else { throw TableError(.unreadable, "is a folder; name a file in it") }
        var data = Data()
        do {
            if let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int {
                guard size <= limit else { throw tooLarge(size, limit: limit) }
                data.reserveCapacity(size)
            }
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { file.closeFile() }
            while let block = try file.read(upToCount: blockSize), !block.isEmpty {
                data.append(block)
                guard data.count <= limit else { throw tooLarge(data.count, limit: limit) }
            }
        } catch let error as TableError {
            throw error
        } catch {
            throw TableError(.unreadable, "cannot be read; check that you may read it", cause: error)
        }
        return data
    }

    static func tooLarge(_ size: Int, limit: Int) -> TableError {
        TableError(.tooLarge, "\(size) bytes or more, above the limit of \(limit); split the file")
    }
}
