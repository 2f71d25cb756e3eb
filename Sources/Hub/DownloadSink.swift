import Foundation
import Synchronization

/// Writes the body of a 200 or 206 into a partial file; ignores the bodies of redirects and errors.
final class DownloadSink: HTTPSink {
    private struct State {
        var file: RawFile?
        /// Where the next byte goes.
        var position: Int64
    }

    private let state: Mutex<State>
    private let partial: URL
    private let validator: URL
    private let offset: Int64
    private let size: Int64
    private let progress: @Sendable (Int64) -> Void

    /// - Parameters:
    ///   - offset: bytes of `partial` that the request leaves out.
    ///   - size: bytes of the whole file; more than these are not accepted.
    init(partial: URL, validator: URL, offset: Int64, size: Int64, progress: @escaping @Sendable (Int64) -> Void) {
        self.partial = partial
        self.validator = validator
        self.offset = offset
        self.size = size
        self.progress = progress
        state = Mutex(State(file: nil, position: offset))
    }

    func begin(_ head: HTTPHead) throws {
        try state.withLock { state in
            state.file = nil
            switch head.status {
            case 206:
                guard head["content-range"] == "bytes \(offset)-\(size - 1)/\(size)" else {
                    // Another stretch, or of a file of another size.
                    try Disk.remove(partial)
                    throw PassingFailure(
                        HubError(
                            .corrupt,
                            "The hub sent '\(head["content-range"] ?? "no range")' of \(partial.lastPathComponent)"
                                + " instead of the bytes from \(offset) of \(size). Pull again."))
                }
                state.position = offset
            case 200:
                state.position = 0
            default:
                return
            }
            let file = try RawFile(partial, .update)
            try file.truncate(to: state.position)
            state.file = file
            try saveValidator(head)
        }
        if head.status == 200 { progress(0) }
    }

    func receive(_ bytes: UnsafeRawBufferPointer) throws {
        let position: Int64? = try state.withLock { state in
            guard let file = state.file else { return nil }
            guard state.position + Int64(bytes.count) <= size else {
                // Kept, it would look complete to the next attempt.
                state.file = nil
                try Disk.remove(partial)
                throw PassingFailure(
                    HubError(.corrupt, "The hub sends more than the \(size) bytes that it promised. Pull again."))
            }
            try file.write(bytes, at: state.position)
            state.position += Int64(bytes.count)
            return state.position
        }
        if let position { progress(position) }
    }

    /// Only a strong ETag proves that two responses hold the same bytes (RFC 9110 § 13.1.5).
    private func saveValidator(_ head: HTTPHead) throws {
        try Disk.remove(validator)
        guard let etag = head["etag"], etag.hasPrefix("\""), etag.utf8.count <= 256 else { return }
        let file = try RawFile(validator, .create)
        try Data(etag.utf8).withUnsafeBytes { try file.write($0, at: 0) }
    }
}
