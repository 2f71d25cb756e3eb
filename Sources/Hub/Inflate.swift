import CZlib

/// What is wrong with compressed data.
enum DeflateError: Error, Equatable {
    /// The stream is not DEFLATE, or was altered.
    case damaged
    /// The input ends before the stream does.
    case truncated
    /// The output is longer than it may be.
    case tooLong
}

/// Decodes DEFLATE (RFC 1951), the compression of ZIP files, with zlib: Foundation offers no decompression on Linux.
enum Inflate {
    private static let blockBytes = 1 << 18

    /// Decodes one stream.
    ///
    /// - Parameters:
    ///   - limit: bytes of output at which decoding stops with `tooLong`.
    ///   - read: fills a buffer with the next compressed bytes; returns 0 at the end.
    ///   - write: takes the decoded bytes, a block at a time.
    /// - Returns: the number of decoded bytes.
    @discardableResult
    static func decode(
        limit: Int64, read: (UnsafeMutableRawBufferPointer) throws -> Int,
        write: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Int64 {
        var stream = z_stream()
        guard hidra_inflate_init_raw(&stream) == Z_OK else {
            throw HubError(.internalError, "zlib could not be started.")
        }
        defer { inflateEnd(&stream) }
        let input = UnsafeMutableRawBufferPointer.allocate(byteCount: blockBytes, alignment: 16)
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: blockBytes, alignment: 16)
        defer {
            input.deallocate()
            output.deallocate()
        }
        var written: Int64 = 0
        // A full block of output may leave more of it inside zlib, after the last byte of input.
        var isFull = false
        while true {
            if stream.avail_in == 0, !isFull {
                let count = try read(input)
                guard count > 0 else { throw DeflateError.truncated }
                stream.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.avail_in = UInt32(count)
            }
            stream.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.avail_out = UInt32(blockBytes)
            let status = inflate(&stream, Z_NO_FLUSH)
            guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else { throw DeflateError.damaged }
            let count = blockBytes - Int(stream.avail_out)
            guard written + Int64(count) <= limit else { throw DeflateError.tooLong }
            if count > 0 { try write(UnsafeRawBufferPointer(rebasing: output[..<count])) }
            written += Int64(count)
            isFull = stream.avail_out == 0
            if status == Z_STREAM_END { return written }
        }
    }
}
