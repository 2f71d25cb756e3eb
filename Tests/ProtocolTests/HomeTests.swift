import Foundation
import HidraProtocol
import Testing

@Suite("Home and endpoints")
struct HomeTests {
    static let homes: [([String: String], String)] = [
        (["HIDRA_HOME": "/srv/hidra", "HOME": "/home/ada"], "/srv/hidra"),
        (["HIDRA_HOME": "", "XDG_DATA_HOME": "/data", "HOME": "/home/ada"], "/data/hidra"),
        (["XDG_DATA_HOME": "relative", "HOME": "/home/ada"], "/home/ada/.local/share/hidra"),
        (["HOME": "/home/ada"], "/home/ada/.local/share/hidra"),
        (["HIDRA_HOME": "/srv//hidra/./x/../y/"], "/srv/hidra/y"),
    ]

    @Test("The home is where the environment says", arguments: homes)
    func home(_ environment: [String: String], _ path: String) {
        #expect(Home.resolve { environment[$0] }.path == path)
    }

    @Test("A relative home begins at the working directory")
    func relative() {
        #expect(Home(path: "x/y").path == FileManager.default.currentDirectoryPath + "/x/y")
    }

    @Test("FNV-1a has its published values", arguments: [("", "811c9dc5"), ("a", "e40c292c"), ("foobar", "bf9cf968")])
    func hash(_ text: String, _ expected: String) {
        var hash = FNV1a()
        hash.update(text.utf8)
        #expect(hash.hexadecimal == expected)
    }

    @Test("Sockets are in the runtime directory when there is one, short enough, and in /tmp otherwise")
    func directory() throws {
        let runtime = FileManager.default.temporaryDirectory.path + "/hidra-runtime-\(UInt32.random(in: 0...(.max)))"
        try FileManager.default.createDirectory(atPath: runtime, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: runtime) }
        let home = Home(path: "/home/ada/.local/share/hidra")
        #expect(Endpoints(home: home, runtimeDirectory: runtime).directory.hasPrefix(runtime + "/hidra-"))
        let long = runtime + "/" + String(repeating: "d", count: 80)
        try FileManager.default.createDirectory(atPath: long, withIntermediateDirectories: true)
        for other in [nil, "", "relative", "/nonexistent", long] {
            let endpoints = Endpoints(home: home, runtimeDirectory: other)
            #expect(endpoints.directory.hasPrefix("/tmp/hidra-"), "\(other ?? "nil")")
            #expect(endpoints.paths.allSatisfy { $0.utf8.count <= 100 })
        }
        #expect(
            Endpoints(home: home, runtimeDirectory: nil) != Endpoints(home: Home(path: "/other"), runtimeDirectory: nil)
        )
    }

    @Test("A socket directory that is a link, or that others may enter, is refused")
    func untrusted() throws {
        let base = "/tmp/hidra-test-\(UInt32.random(in: 0...(.max)))"
        defer { try? FileManager.default.removeItem(atPath: base) }
        let endpoints = Endpoints(directory: base + "/sockets")
        #expect(throws: DirectoryError.self) { try endpoints.prepareDirectory() }
        #expect(try endpoints.checkDirectory() == false)
        try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
        try endpoints.prepareDirectory()
        #expect(try endpoints.checkDirectory())
        try endpoints.prepareDirectory()
        try FileManager.default.setAttributes([.posixPermissions: 0o750], ofItemAtPath: endpoints.directory)
        #expect(throws: DirectoryError.self) { try endpoints.checkDirectory() }
        let link = Endpoints(directory: base + "/link")
        try FileManager.default.createSymbolicLink(atPath: link.directory, withDestinationPath: "/tmp")
        #expect(throws: DirectoryError.self) { try link.prepareDirectory() }
    }

    static let records: [(String, DaemonRecord?)] = [
        (
            "42\n/run/user/1000/hidra-1a2b3c4d\n",
            DaemonRecord(processID: 42, socketDirectory: "/run/user/1000/hidra-1a2b3c4d")
        ),
        ("", nil), ("42", nil), ("42\n/run/us", nil), ("x\n/run\n", nil), ("-1\n/run\n", nil), ("42\nrun\n", nil),
        ("42\n/" + String(repeating: "d", count: 100) + "\n", nil),
    ]

    @Test("A daemon's record is read whole or not at all", arguments: records)
    func record(_ text: String, _ expected: DaemonRecord?) {
        #expect(DaemonRecord(text: text) == expected)
        if let expected { #expect(expected.text == text) }
    }
}
