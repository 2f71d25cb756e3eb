import Digests
import Foundation

/// Reads single members of a ZIP file, such as a Python wheel.
///
/// Only what is asked for by its exact name is unpacked, to a place that the caller chooses: names inside the archive
/// never become paths. Archives of several parts, encrypted or ZIP64 members are refused.
/// Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.
struct ZipArchive {
    struct Member: Sendable {
        var isCompressed: Bool
        var compressedSize: Int64
        var size: Int64
        fileprivate var headerOffset: Int64
    }

    private let file: RawFile
    private let fileSize: Int64
    private(set) var members: [String: Member] = [:]

    private static let longestDirectory = 16 << 20

    /// Reads the central directory. Throws `corrupt` when the file is no complete archive.
    init(_ url: URL) throws {
        file = try RawFile(url, .read)
        fileSize = try file.size()
        try readDirectory()
    }

    private mutating func readDirectory() throws {
        let tailSize = min(fileSize, 22 + 0xFFFF)
        let tail = try bytes(at: fileSize - tailSize, count: Int(tailSize))
        // The end record carries a comment of up to 64 KiB, so it is searched from the back; its comment must reach
        // exactly to the end of the file.
        guard
            let end = stride(from: tail.count - 22, through: 0, by: -1).first(where: {
                tail.u32($0) == 0x0605_4B50 && $0 + 22 + tail.u16($0 + 20) == tail.count
            })
        else {
            throw damaged("it does not end as a ZIP archive does")
        }
        let count = tail.u16(end + 10), size = tail.u32(end + 12), offset = Int64(tail.u32(end + 16))
        guard tail.u16(end + 4) == 0, count == tail.u16(end + 8), count != 0xFFFF, size <= Self.longestDirectory,
            offset + Int64(size) <= fileSize - tailSize + Int64(end)
        else {
            throw damaged("its directory has several parts, is too large or lies outside of the file")
        }
        let directory = try bytes(at: offset, count: size)
        var position = 0
        for _ in 0..<count {
            guard position + 46 <= directory.count, directory.u32(position) == 0x0201_4B50 else {
                throw damaged("its directory is cut off")
            }
            let nameSize = directory.u16(position + 28)
            let recordSize = 46 + nameSize + directory.u16(position + 30) + directory.u16(position + 32)
            guard position + recordSize <= directory.count else { throw damaged("its directory is cut off") }
            let name = String(decoding: directory[(position + 46)..<(position + 46 + nameSize)], as: UTF8.self)
            guard members[name] == nil else { throw damaged("it holds '\(name)' twice") }
            members[name] = try member(name, directory, position)
            position += recordSize
        }
    }

    private func member(_ name: String, _ directory: [UInt8], _ position: Int) throws -> Member {
        let flags = directory.u16(position + 8), method = directory.u16(position + 10)
        let compressed = Int64(directory.u32(position + 20)), size = Int64(directory.u32(position + 24))
        let offset = Int64(directory.u32(position + 42))
        guard flags & 1 == 0, method == 0 || method == 8, ![compressed, size, offset].contains(0xFFFF_FFFF),
            offset + 30 + compressed <= fileSize, method == 8 || compressed == size
        else {
            throw damaged("'\(name)' is encrypted, larger than 4 GB, cut off or packed in an unknown way")
        }
        return Member(isCompressed: method == 8, compressedSize: compressed, size: size, headerOffset: offset)
    }

    /// Unpacks the member called `name` into the new file `target` and waits for it to reach the disk.
    /// - Parameter progress: told the unpacked bytes of each step, not their sum.
    /// - Returns: the digest of what was written.
    func extract(
        _ name: String, to target: URL, cancellation: CancellationFlag, progress: @escaping (Int64) -> Void
    ) throws -> FileDigest {
        guard let member = members[name] else { throw damaged("it does not hold '\(name)'") }
        let header = try bytes(at: member.headerOffset, count: 30)
        guard header.u32(0) == 0x0403_4B50 else { throw damaged("'\(name)' does not begin where it should") }
        let start = member.headerOffset + 30 + Int64(header.u16(26)) + Int64(header.u16(28))
        guard start + member.compressedSize <= fileSize else { throw damaged("'\(name)' is cut off") }

        let output = MemberWriter(try RawFile(target, .create))
        try copy(member, from: start) { bytes in
            try cancellation.check()
            try output.write(bytes)
            progress(Int64(bytes.count))
        }
        let digest = try output.finish()
        guard digest.size == member.size else {
            throw damaged("'\(name)' has \(digest.size) bytes and claims \(member.size)")
        }
        return digest
    }

    private func copy(
        _ member: Member, from start: Int64, to write: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let input = MemberReader(file, start, member.compressedSize)
        if member.isCompressed {
            do {
                _ = try Inflate.decode(limit: member.size, read: input.read, write: write)
            } catch let error as DeflateError {
                throw HubError(.corrupt, "\(file.path) is damaged: its compressed data are \(error).", cause: error)
            }
        } else {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
            defer { buffer.deallocate() }
            while case let count = try input.read(into: buffer), count > 0 {
                try write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }

    private func bytes(at offset: Int64, count: Int) throws -> [UInt8] {
        guard offset >= 0, count >= 0, offset + Int64(count) <= fileSize else { throw damaged("it is cut off") }
        return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
            initialised = try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
    }

    private func damaged(_ what: String) -> HubError {
        HubError(.corrupt, "\(file.path) is damaged: \(what).")
    }
}

/// A stretch of the archive, read from front to back.
private final class MemberReader {
    private let file: RawFile
    private var offset: Int64
    private let end: Int64

    init(_ file: RawFile, _ start: Int64, _ size: Int64) {
        self.file = file
        offset = start
        end = start + size
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let wanted = Int(min(Int64(buffer.count), end - offset))
        let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: offset)
        offset += Int64(count)
        return count
    }
}

/// The unpacked file, hashed as it is written.
private final class MemberWriter {
    private let file: RawFile
    private var size: Int64 = 0
    private var hash = MessageDigest(.sha256)

    init(_ file: RawFile) {
        self.file = file
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try file.write(bytes, at: size)
        hash.update(bytes)
        size += Int64(bytes.count)
    }

    func finish() throws -> FileDigest {
        try file.synchronise()
        let finished = exchange(&hash, with: MessageDigest(.sha256))
        return FileDigest(size: size, sha256: finished.finalize().hexadecimal)
    }
}

extension [UInt8] {
    /// Little-endian number at `offset`; the caller has checked the range.
    fileprivate func u16(_ offset: Int) -> Int {
        Int(self[offset]) | Int(self[offset + 1]) << 8
    }

    fileprivate func u32(_ offset: Int) -> Int {
        u16(offset) | u16(offset + 2) << 16
    }
}
