import CHidraPlugin
import HidraProtocol
import Testing

@Suite("From C, generated code")
struct GeneratedCodeTests {
    @Test("it is that of the .proto files, as Swift's is: otherwise run proto/generate.sh")
    func digest() { #expect(hidra_proto_digest() == protoDigest) }

    @Test("every code of the protocol has a name in C, and the same one")
    func codes() {
        let names = (1...17).map { String(cString: hidra_code_name(hidra_code(rawValue: UInt32($0)))) }
        let ours: [ErrorCode] = [
            .internalError, .invalidArgument, .notFound, .invalidData, .alreadyExists, .conflict, .alreadyRunning,
            .unavailable,
            .incompatibleVersion, .permissionDenied, .timeout, .cancelled, .interrupted, .limitExceeded, .diskFull,
            .corrupt,
            .unsupported,
        ]
        #expect(names == ours.map(\.rawValue))
        #expect(String(cString: hidra_code_name(hidra_code(rawValue: 99))) == "internal")
    }
}
