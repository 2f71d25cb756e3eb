import Foundation
import HidraProtocol
import TestSupport
import Testing

@testable import Daemon

@Suite("Data sets of clients")
struct DataStoreTests {
    private let client = ClientIdentity([1])

    private func store(_ limits: Limits) throws -> (DataStore, TemporaryFolder) {
        let folder = try TemporaryFolder()
        return (DataStore(limits: limits, folder: folder.url), folder)
    }

    private func request(_ first: Int, texts: [String] = [], files: [Data] = []) -> Hidra_V1_AppendRowsRequest {
        var request = Hidra_V1_AppendRowsRequest(), column = Hidra_V1_Column()
        request.data = "d"
        request.firstRow = UInt64(first)
        column.name = "x"
        column.values = texts
        column.blobs = files
        request.columns = [column]
        return request
    }

    @Test("a client that is gone takes its rows with it, and appends can be repeated but leave no gaps")
    func texts() throws {
        let (store, folder) = try store(Limits(dataRows: 5, dataBytes: 100))
        func append(_ first: Int, _ values: [String]) throws -> Int {
            try store.append(request(first, texts: values), client: client).rows
        }
        #expect(try append(0, ["a", "b"]) == 2)
        #expect(try append(0, ["a", "b"]) == 2, "a repeat adds nothing")
        #expect(try append(1, ["b", "c"]) == 3)
        #expect(throws: Failure.self) { try append(7, ["z"]) }
        #expect(throws: Failure.self) { try append(3, ["a", "b", "c"]) }
        #expect(throws: Failure.self) { try append(3, [String(repeating: "x", count: 200)]) }
        #expect(try store.table("d", client: client).texts("x") == ["a", "b", "c"])
        #expect(throws: Failure.self) { try store.table("d", client: ClientIdentity([2])) }
        #expect(throws: Failure.self) { try store.table("d", client: client).column("y") }
        store.dropAll(of: client)
        withExtendedLifetime(folder) {}
        #expect(throws: Failure.self) { try store.table("d", client: client) }
    }

    @Test("files come back as they were sent, from a file without a name, and outlive a drop while someone uses them")
    func files() throws {
        let (store, folder) = try store(Limits(blobBytes: 100_000))
        let files = [Data(), Data([1, 2, 3]), Data(repeating: 7, count: 70_000)]
        #expect(try store.append(request(0, files: Array(files[..<2])), client: client).rows == 2)
        #expect(try store.append(request(1, files: Array(files[1...])), client: client).rows == 3)
        #expect(throws: Failure.self, "the limit on files") {
            try store.append(request(3, files: [Data(repeating: 0, count: 50_000)]), client: client)
        }
        #expect(throws: Failure.self, "a column of files stays one") {
            try store.append(request(3, texts: ["a"]), client: client)
        }
        guard case .blobs(let blobs) = try store.table("d", client: client).column("x") else {
            Issue.record("the column holds no files")
            return
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
        #expect(store.drop("d", client: client) == 3)
        #expect(try blobs.map { try $0.read() } == files)
        #expect(Set(blobs.map(\.digest)).count == 3)
        #expect(
            try store.append(request(0, files: [files[2]]), client: client).rows == 1, "dropped bytes count no more")
    }
}
