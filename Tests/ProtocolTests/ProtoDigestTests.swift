import Foundation
import HidraProtocol
import Testing

@Suite("Generated code")
struct ProtoDigestTests {
    /// The package root, three levels above this file.
    private static let proto = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("proto").resolvingSymlinksInPath()

    @Test("The generated code is that of the .proto files: otherwise run proto/generate.sh")
    func digest() throws {
        let paths = try #require(FileManager.default.subpaths(atPath: Self.proto.path))
            .filter { $0.hasSuffix(".proto") }.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        #expect(!paths.isEmpty)
        var hash = FNV1a()
        for path in paths {
            hash.update(path.utf8)
            hash.update([0])
            hash.update(try Data(contentsOf: Self.proto.appendingPathComponent(path)))
            hash.update([0])
        }
        #expect(hash.value == protoDigest)
    }
}
