import Foundation
import HidraClient
import HidraProtocol
import TestSupport
import Testing
import ZeroMQ

@Suite("Keys of clients")
struct ClientKeyTests {
    private static func key(endpoint: String = "tcp://192.0.2.7:7700") throws -> ClientKey {
        let client = try CurveKeyPair.generate(), server = try CurveKeyPair.generate()
        return ClientKey(
            name: "ana", endpoint: endpoint, serverKey: server.publicKey, publicKey: client.publicKey, secretKey: client.secretKey)
    }

    @Test("A key is written for its owner alone, is read as it was, and takes no file's place")
    func roundTrip() throws {
        let folder = try TemporaryFolder(), path = folder.url.appending(path: "ana.key").path, key = try Self.key()
        try key.write(to: path)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect(try ClientKey(file: path) == key)
        #expect(#expect(throws: HidraError.self) { try key.write(to: path) }?.code == .alreadyExists)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(#expect(throws: HidraError.self) { try ClientKey(file: path) }?.code == .permissionDenied)
        #expect(#expect(throws: HidraError.self) { try ClientKey(file: path + "x") }?.code == .notFound)
    }

    @Test("A file that lacks a key, or has one that is none, is refused by name")
    func damaged() throws {
        let text = try Self.key().text
        for (from, to) in [("server-key", "server"), ("secret-key ", "secret-key \u{e4}"), ("public-key", "# public-key")] {
            let error = #expect(throws: HidraError.self) {
                try ClientKey(text: text.replacingOccurrences(of: from, with: to), source: "it")
            }
            #expect(error?.code == .corrupt && error?.message.contains("-key") == true)
        }
        // Z85 has `#` in its alphabet: only a line that begins with "# " is for people.
        #expect(try ClientKey(text: text, source: "it").name == "ana")
    }

    @Test(
        "Addresses of daemons",
        arguments: [
            ("tcp://localhost:7700", true), ("tcp://[::1]:7700", true), ("tcp://0.0.0.0:65533", true), ("tcp://h:65534", false),
            ("tcp://h:0", false), ("tcp://h", false), ("tcp://:7700", false), ("tcp://::1:7700", false), ("ipc:///x", false),
            ("tcp://a b:7700", false), ("tcp://h:7700/x", false), ("", false),
        ])
    func addresses(_ text: String, _ isOne: Bool) throws {
        #expect((ServerAddress(text) != nil) == isOne)
        let key = try Self.key(endpoint: text)
        #expect(((try? RemoteDaemon(key: key)) != nil) == isOne)
        #expect(try RemoteDaemon(server: "tcp://other:1", key: key).address.description == "tcp://other:1")
    }

    @Test("What is no key is not taken for one")
    func z85() throws {
        let pair = try CurveKeyPair.generate()
        #expect(CurveKeyPair.isKey(pair.publicKey) && CurveKeyPair(secretKey: pair.secretKey) == pair)
        for text in ["", String(pair.publicKey.dropLast()), pair.publicKey + "a", String(repeating: "~", count: 40), String(repeating: "\0", count: 40)] {
            #expect(!CurveKeyPair.isKey(text) && CurveKeyPair(secretKey: text) == nil)
        }
        #expect(CurveKeyPair.text(ofKey: [1, 2]) == nil)
    }
}
