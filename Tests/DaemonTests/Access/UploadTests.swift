import Digests
import Foundation
import HidraClient
import HidraProtocol
import State
import TestSupport
import Testing

@testable import Daemon

@Suite("Uploads", .serialized)
struct UploadTests {
    /// A table of letters with a column that nobody needs, as CSV.
    private static func table(_ rows: Int, in folder: URL) throws -> (file: URL, digest: String, bytes: Data) {
        let letters = ["a", "b", "c", "d"]
        let lines = (0..<rows).map { "\(letters[$0 % 4])\(letters[$0 % 4]) \(letters[$0 / 4 % 4]),\(letters[$0 % 4]),\($0)" }
        let bytes = Data(("text,label,number\n" + lines.joined(separator: "\n") + "\n").utf8)
        let file = folder.appending(path: "t.csv")
        try bytes.write(to: file)
        return (file, MessageDigest.sha256(bytes).hexadecimal, bytes)
    }

    private static func request(_ digest: String, _ size: Int, _ offset: Int, _ bytes: Data) -> Hidra_V1_UploadRequest {
        var request = Hidra_V1_UploadRequest()
        (request.digest, request.size, request.offset, request.content) = (digest, UInt64(size), UInt64(offset), bytes)
        return request
    }

    @Test("A table goes up once, over the network, and is trained on by its digest")
    func story() async throws {
        let network = try await NetworkDaemon()
        let client = try await network.connect(as: .train)
        let (file, digest, bytes) = try Self.table(200, in: network.daemon.folder.url)
        try await client.upload(file: file, digest: digest)
        var open = Hidra_V1_OpenDataRequest()
        (open.data, open.digest, open.format, open.columns) = ("d", digest, "csv", ["label", "text"])
        let opening = open
        let reply = try await client.openData(opening)
        #expect(reply.rows == 200 && reply.columns == ["label", "text"] && reply.bytes > 0)
        let trained = try await client.train(trainRequest("letters", "d", epochs: 2)) { _ in }
        #expect(trained.head.labels == ["a", "b", "c", "d"])
        // The same bytes as rows that are appended make the same head.
        let data = try await network.local.upload(columns: [
            UploadColumn("text", (0..<200).map { String(decoding: bytes, as: UTF8.self).split(separator: "\n")[$0 + 1].split(separator: ",")[0] }.map(String.init)),
            UploadColumn("label", (0..<200).map { ["a", "b", "c", "d"][$0 % 4] }),
        ])
        #expect(try await network.local.train(trainRequest("again", data, epochs: 2)) { _ in }.head.digest == trained.head.digest)
        // Another connection of the key has it; another key has not, and cannot tell.
        let other = try await network.connect(as: .train)
        #expect(try await other.openData(opening).rows == 200)
        for stranger in [network.local, try await network.connect(as: .admin)] {
            let error = await #expect(throws: HidraError.self) { try await stranger.openData(opening) }
            #expect(error?.code == .notFound)
        }
        var wrong = open
        wrong.columns = ["nothing"]
        wrong.data = "e"
        let asked = wrong
        let error = await #expect(throws: HidraError.self) { try await client.openData(asked) }
        #expect(error?.code == .notFound && error?.message.contains("/") == false, "\(error?.message ?? "")")
        let taken = await #expect(throws: HidraError.self) { try await client.openData(opening) }
        #expect(taken?.code == .alreadyExists)
        await client.close()
        await other.close()
        // Whoever gets the name of a revoked key does not get what it sent.
        _ = try await network.local.revokeKey("key-train")
        let heir = try await network.connect(try await network.local.createKey("key-train", role: .train))
        let gone = await #expect(throws: HidraError.self) { try await heir.openData(opening) }
        #expect(gone?.code == .notFound)
        await heir.close()
        try await network.stop()
    }

    @Test("A file is continued where it was left, by another connection, after a restart, and only what continues it is taken")
    func resuming() async throws {
        let folder = try TemporaryFolder(), directory = try StateDirectory(root: folder.url.appending(path: "home"))
        let (_, digest, bytes) = try Self.table(100, in: folder.url)
        let first = UploadStore(directory, limitBytes: 1 << 20), client = ClientIdentity([1])
        let half = bytes.count / 2
        #expect(try await first.receive(Self.request(digest, bytes.count, 0, bytes.prefix(half)), of: client, quota: nil).bytes == half)
        // Twice, and beyond the end of what is there: not taken.
        #expect(try await first.receive(Self.request(digest, bytes.count, 0, bytes.prefix(half)), of: client, quota: nil).bytes == half)
        #expect(try await first.receive(Self.request(digest, bytes.count, half + 1, bytes.suffix(3)), of: client, quota: nil).bytes == half)
        await #expect(throws: Failure.self) { try await first.url(digest, of: client) }
        let second = UploadStore(directory, limitBytes: 1 << 20), later = ClientIdentity([2])
        #expect(try await second.receive(Self.request(digest, 0, 0, Data()), of: later, quota: nil) == .init(bytes: half, isComplete: false))
        let done = try await second.receive(Self.request(digest, bytes.count, half, bytes.suffix(from: half)), of: later, quota: nil)
        #expect(done == .init(bytes: bytes.count, isComplete: true))
        #expect(try Data(contentsOf: try await second.url(digest, of: client)) == bytes)
        #expect(second.bytesNow(of: later) == max(4096, bytes.count))
    }

    @Test("Another digest than the file's, a name that is none, and a chunk beyond the size are refused; nothing is left")
    func refusals() async throws {
        let folder = try TemporaryFolder(), directory = try StateDirectory(root: folder.url.appending(path: "home"))
        let store = UploadStore(directory, limitBytes: 10_000), client = ClientIdentity([1]), bytes = Data("hello".utf8)
        let wrong = String(repeating: "ab", count: 32)
        for (request, code) in [
            (Self.request(wrong, 5, 0, bytes), ErrorCode.invalidData), (Self.request(wrong, 4, 0, bytes), .invalidArgument),
            (Self.request("../../etc/passwd", 5, 0, bytes), .invalidArgument),
            (Self.request(wrong.uppercased(), 5, 0, bytes), .invalidArgument), (Self.request(wrong, 10_001, 0, Data()), .limitExceeded),
        ] {
            let error = await #expect(throws: Failure.self) { try await store.receive(request, of: client, quota: nil) }
            #expect(error?.code == code, "\(error?.message ?? "")")
        }
        var huge = Self.request(wrong, 0, 0, bytes)
        (huge.size, huge.offset) = (.max, .max)
        let asked = huge
        await #expect(throws: Failure.self) { try await store.receive(asked, of: client, quota: nil) }
        let quota = await #expect(throws: Failure.self) { try await store.receive(Self.request(wrong, 600, 0, Data()), of: client, quota: 500) }
        #expect(quota?.code == .limitExceeded && quota?.details["quota"] == "data_bytes")
        // What is promised counts, whoever promised it.
        _ = try await store.receive(Self.request(wrong, 6000, 0, bytes), of: ClientIdentity([2], key: "a"), quota: nil)
        let full = await #expect(throws: Failure.self) { try await store.receive(Self.request(wrong, 6000, 0, bytes), of: client, quota: nil) }
        #expect(full?.code == .limitExceeded)
        #expect(store.bytesNow(of: client) == 0)
        // A day later there is room again.
        store.sweep(now: Date().addingTimeInterval(UploadStore.keptSeconds + 10))
        #expect(store.bytesNow(of: ClientIdentity([2], key: "a")) == 0)
    }

    @Test("A local file is opened by its path; what is no file is not waited for")
    func paths() async throws {
        let daemon = try RunningDaemon(), client = try await daemon.connect()
        let (file, _, _) = try Self.table(10, in: daemon.folder.url)
        let fifo = daemon.folder.url.appending(path: "pipe.csv").path
        #expect(mkfifo(fifo, 0o600) == 0)
        func open(_ path: String) async throws -> Hidra_V1_OpenDataReply {
            var request = Hidra_V1_OpenDataRequest()
            request.data = "d-\(path.hashValue)"
            request.path = path
            return try await client.openData(request)
        }
        #expect(try await open(file.path).columns == ["text", "label", "number"])
        for (path, code) in [(fifo, ErrorCode.invalidArgument), ("t.csv", .invalidArgument), (file.path + "x.csv", .notFound), ("/tmp", .invalidArgument)] {
            let error = await #expect(throws: HidraError.self) { try await open(path) }
            #expect(error?.code == code, "\(path): \(error?.message ?? "")")
        }
        await client.close()
        try await daemon.stop()
    }
}
