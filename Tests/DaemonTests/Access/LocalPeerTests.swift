import Foundation
import Glibc
import HidraClient
import HidraProtocol
import TestSupport
import Testing

@testable import Daemon

@Suite("Peers of this machine", .serialized)
struct LocalPeerTests {
    /// Connects and reads what a ZeroMQ socket says first; "refused" where it says nothing.
    private static let probe = """
        $s = IO::Socket::UNIX->new($ARGV[0]) or die "connect: $!"; $s->sysread($b, 10); print length $b ? "greeted" : "refused"
        """
    private static let perl = ["perl", "-MIO::Socket::UNIX", "-e", probe]

    private static func run(_ command: [String]) throws -> String {
        let process = Process(), output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.standardOutput = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test(
        "Another user's process gets no greeting on any socket, even when the files' modes would let it in",
        .enabled(if: getuid() == 0 && access("/usr/bin/setpriv", X_OK) == 0, "needs root, to be somebody else"))
    func otherUser() throws {
        let daemon = try EchoDaemon(), endpoints = daemon.home.endpoints
        // As if an administrator had opened everything by mistake.
        chmod(endpoints.directory, 0o777)
        for path in endpoints.paths {
            chmod(path, 0o777)
            #expect(try Self.run(Self.perl + [path]) == "greeted")
            let stranger = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] + Self.perl + [path]
            #expect(try Self.run(stranger) == "refused")
        }
        chmod(endpoints.directory, 0o700)
    }

    @Test("A gigabyte offered, as a frame, as rows or as a file, is refused before it takes memory")
    func gigabyte() async throws {
        let program = Golden.packageRoot.appending(path: ".build/release/hidrad").path
        try #require(FileManager.default.isExecutableFile(atPath: program), "build the product hidrad first")
        let folder = try TemporaryFolder(), home = Home(path: folder.url.appending(path: "home").path)
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.environment = ["HIDRA_HOME": home.path, "HIDRA_QUOTA_DATA_BYTES": String(64 << 20)]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        defer { process.waitUntilExit() }
        while !Endpoints.current(home).areBound { try await Task.sleep(for: .milliseconds(5)) }
        let client = try await HidraClient.connect(home: home, client: "generous", startDaemon: false)
        let before = try await client.status().residentBytes
        let greeting: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0] + Array("NULL".utf8) + [UInt8](repeating: 0, count: 48)
        let properties: [UInt8] = [11] + Array("Socket-Type".utf8) + [0, 0, 0, 6] + Array("DEALER".utf8)
        let ready: [UInt8] = [4, UInt8(6 + properties.count), 5] + Array("READY".utf8) + properties
        // A long frame of 1 GiB, and as much of it as the daemon takes.
        let frame: [UInt8] = [2, 0, 0, 0, 0, 0x40, 0, 0, 0] + [UInt8](repeating: 7, count: 256 << 20)
        for path in [Endpoints.current(home).workPath, Endpoints.current(home).controlPath] {
            try await RawPeer.onThread { try RawPeer.write(greeting + ready + frame, to: path) }
        }
        let file = folder.url.appending(path: "big.csv")
        #expect(FileManager.default.createFile(atPath: file.path, contents: nil) && truncate(file.path, 1 << 30) == 0)
        let error = await #expect(throws: HidraError.self) {
            try await client.upload(file: file, digest: String(repeating: "0", count: 64))
        }
        #expect(error?.code == .limitExceeded)
        let rows = await #expect(throws: HidraError.self) {
            let column = UploadColumn("c", [String](repeating: String(repeating: "x", count: 1 << 20), count: 40))
            for start in stride(from: 0, to: 1024, by: 40) { try await client.append([column], to: "d", after: start) }
        }
        #expect(rows?.code == .limitExceeded)
        try await client.dropRows("d")
        let grown = Int64(try await client.status().residentBytes) - Int64(before)
        #expect(grown < 100 << 20, "\(grown >> 20) MiB more")
        _ = try await client.shutdown(grace: .zero)
        await client.close()
    }
}
