import CZlib
package import Foundation

/// What is wrong with an archive.
package struct ArchiveError: Error, Sendable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

/// Small ZIP archives in memory. Written without compression, which weights do not take to, and with one date for all members, so that the
/// same members give the same bytes. Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.
package enum ZipFile {
    package struct Member: Sendable, Equatable {
        package var name: String
        package var bytes: Data

        package init(_ name: String, _ bytes: Data) { (self.name, self.bytes) = (name, bytes) }
    }

    /// Bytes of all members together.
    package static let largest = 1 << 30
    private static let mostMembers = 4_096
    /// 1 January 1980, the format's first day.
    private static let date: UInt16 = 0x0021

    /// - Throws: `ArchiveError` for more than the format, or this library, takes.
    package static func encode(_ members: [Member]) throws -> Data {
        guard members.count <= mostMembers, members.reduce(0, { $0 + $1.bytes.count }) <= largest,
            Set(members.map(\.name)).count == members.count, members.allSatisfy({ (1...1_024).contains($0.name.utf8.count) })
        else { throw ArchiveError("an archive holds \(mostMembers) members of 1 GiB together at most, each with a name of its own") }
        var file = Data(), directory = Data()
        for member in members {
            let offset = UInt32(file.count), name = Data(member.name.utf8)
            var common = Data()
            // Version 2.0, names in UTF-8, stored.
            common.append(numbers: [20, 0x0800, 0, 0, date] as [UInt16])
            common.append(numbers: [checksum(member.bytes), UInt32(member.bytes.count), UInt32(member.bytes.count)])
            common.append(numbers: [UInt16(name.count), 0] as [UInt16])
            file.append(numbers: [0x0403_4B50] as [UInt32])
            file.append(common)
            file.append(name)
            file.append(member.bytes)
            directory.append(numbers: [0x0201_4B50] as [UInt32])
            // Made by version 2.0 on Unix; a regular file of mode 0644.
            directory.append(numbers: [0x0314] as [UInt16])
            directory.append(common)
            directory.append(numbers: [0, 0, 0] as [UInt16])
            directory.append(numbers: [0o100644 << 16, offset] as [UInt32])
            directory.append(name)
        }
        let start = UInt32(file.count), count = UInt16(members.count)
        file.append(directory)
        file.append(numbers: [0x0605_4B50] as [UInt32])
        file.append(numbers: [0, 0, count, count] as [UInt16])
        file.append(numbers: [UInt32(directory.count), start])
        file.append(numbers: [0] as [UInt16])
        return file
    }

    /// All members. Names are not paths: what to do with them is the caller's decision.
    ///
    /// - Throws: `ArchiveError` for anything that is no whole archive of stored or deflated members.
    package static func decode(_ data: Data) throws -> [Member] {
        let bytes = [UInt8](data)
        guard let end = stride(from: bytes.count - 22, through: max(0, bytes.count - 22 - 0xFFFF), by: -1).first(where: {
            $0 >= 0 && bytes.u32($0) == 0x0605_4B50 && $0 + 22 + bytes.u16($0 + 20) == bytes.count
        }) else { throw ArchiveError("it is no ZIP archive, or cut off") }
        let count = bytes.u16(end + 10), start = bytes.u32(end + 16), size = bytes.u32(end + 12)
        guard count <= mostMembers, start + size <= end else { throw ArchiveError("its directory does not fit into it") }
        var members: [Member] = [], names: Set<String> = [], position = start, total = 0
        for _ in 0..<count {
            guard position + 46 <= end, bytes.u32(position) == 0x0201_4B50 else { throw ArchiveError("its directory is cut off") }
            let nameSize = bytes.u16(position + 28), next = position + 46 + nameSize + bytes.u16(position + 30) + bytes.u16(position + 32)
            guard next <= end else { throw ArchiveError("its directory is cut off") }
            let name = String(decoding: bytes[position + 46..<position + 46 + nameSize], as: UTF8.self)
            guard names.insert(name).inserted else { throw ArchiveError("it holds '\(name)' twice") }
            total += bytes.u32(position + 24)
            guard total <= largest else { throw ArchiveError("its members are larger than 1 GiB together") }
            members.append(Member(name, try content(bytes, position, name, before: start)))
            position = next
        }
        return members
    }

    private static func content(_ bytes: [UInt8], _ entry: Int, _ name: String, before limit: Int) throws -> Data {
        let method = bytes.u16(entry + 10), packed = bytes.u32(entry + 20), size = bytes.u32(entry + 24), offset = bytes.u32(entry + 42)
        guard bytes.u16(entry + 8) & 1 == 0, method == 0 || method == 8 else {
            throw ArchiveError("'\(name)' is encrypted, or packed in an unknown way")
        }
        guard offset + 30 <= limit, bytes.u32(offset) == 0x0403_4B50 else { throw ArchiveError("'\(name)' does not begin where it should") }
        let start = offset + 30 + bytes.u16(offset + 26) + bytes.u16(offset + 28)
        guard start + packed <= limit, method == 8 || packed == size else { throw ArchiveError("'\(name)' is cut off") }
        let stored = Data(bytes[start..<start + packed])
        let content = method == 0 ? stored : try inflated(stored, size, name)
        guard content.count == size, Int(checksum(content)) == bytes.u32(entry + 16) else {
            throw ArchiveError("'\(name)' is damaged: its checksum does not fit")
        }
        return content
    }

    private static func inflated(_ packed: Data, _ size: Int, _ name: String) throws -> Data {
        // DEFLATE makes at most a thousandth of a byte of one: a claim beyond that would only cost memory.
        guard size <= 1_040 * packed.count + 1_024 else { throw ArchiveError("'\(name)' claims a size that it cannot have") }
        var stream = z_stream(), output = Data(count: size + 1)
        guard hidra_inflate_init_raw(&stream) == Z_OK else { throw ArchiveError("zlib could not be started") }
        defer { inflateEnd(&stream) }
        var input = packed
        let status = input.withUnsafeMutableBytes { source in
            output.withUnsafeMutableBytes { target in
                stream.next_in = source.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.avail_out = UInt32(target.count)
                return inflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END, Int(stream.total_out) == size else { throw ArchiveError("'\(name)' is damaged") }
        return output.prefix(size)
    }

    private static func checksum(_ bytes: Data) -> UInt32 {
        bytes.withUnsafeBytes { raw in
            UInt32(truncatingIfNeeded: crc32_z(0, raw.baseAddress?.assumingMemoryBound(to: UInt8.self), raw.count))
        }
    }
}

extension Data {
    fileprivate mutating func append<Number: FixedWidthInteger>(numbers: [Number]) {
        for number in numbers { Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) } }
    }
}

extension [UInt8] {
    fileprivate func u16(_ offset: Int) -> Int { Int(self[offset]) | Int(self[offset + 1]) << 8 }
    fileprivate func u32(_ offset: Int) -> Int { u16(offset) | u16(offset + 2) << 16 }
}
