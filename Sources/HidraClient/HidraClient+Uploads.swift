public import Foundation
public import HidraProtocol

/// Files sent whole, named by what they contain: what the daemon has of one stays when the connection is lost, and is not sent again.
extension HidraClient {
    /// Bytes in one message: the daemon checks and writes each before it takes other work's next one.
    private static let fileChunkBytes = 4 << 20

    /// Sends a file, or what the daemon lacks of it.
    ///
    /// - Parameters:
    ///   - digest: SHA-256 of the file, 64 lower-case hexadecimal digits.
    ///   - progress: bytes that the daemon has, of all.
    /// - Throws: `limitExceeded` or `diskFull` before anything is sent; `invalidData` when the digest is not the file's.
    public func upload(
        file: URL, digest: String, progress: @Sendable (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) async throws {
        let handle: FileHandle
        do { handle = try FileHandle(forReadingFrom: file) } catch {
            throw HidraError(.notFound, "\(file.path) cannot be read; check the path.", details: ["file": file.path], cause: error)
        }
        defer { handle.closeFile() }
        let size = try handle.seekToEnd()
        // Without bytes: says where to go on, and refuses a file that is too large before it is sent.
        var reply = try await upload(digest, size, 0, Data())
        while !reply.complete {
            progress(reply.received, size)
            try handle.seek(toOffset: reply.received)
            let chunk = try handle.read(upToCount: min(Self.fileChunkBytes, limits.messageBytes / 2)) ?? Data()
            guard !chunk.isEmpty else {
                throw HidraError(.invalidData, "\(file.path) became shorter while it was sent. Send it again.", details: ["file": file.path])
            }
            reply = try await upload(digest, size, reply.received, chunk)
        }
        progress(size, size)
    }

    private func upload(_ digest: String, _ size: UInt64, _ offset: UInt64, _ bytes: Data) async throws -> Hidra_V1_UploadReply {
        var request = Hidra_V1_UploadRequest()
        request.digest = digest
        request.size = size
        request.offset = offset
        request.content = bytes
        return try await ask(.upload(request), on: .work) {
            if case .uploadReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Makes a data set of a table in an uploaded file, or in one that the daemon reads itself, which only clients of its own machine may ask.
    public func openData(_ request: Hidra_V1_OpenDataRequest) async throws -> Hidra_V1_OpenDataReply {
        try await ask(.openData(request), on: .work) {
            if case .openDataReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }
}
