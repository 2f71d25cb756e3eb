internal import HidraProtocol
internal import Glibc
internal import ZeroMQ

/// A client's key for connections over the network, as `hidra keys new -o FILE` writes it. Whoever has the file is that client.
public struct ClientKey: Sendable, Equatable {
    public var name: String
    /// Where the daemon listens; empty when it said nothing of that.
    public var endpoint: String
    public var serverKey: String
    public var publicKey: String
    public var secretKey: String

    public init(name: String, endpoint: String, serverKey: String, publicKey: String, secretKey: String) {
        (self.name, self.endpoint, self.serverKey) = (name, endpoint, serverKey)
        (self.publicKey, self.secretKey) = (publicKey, secretKey)
    }

    /// Lines of a word and a value; lines that begin with `# ` are for people.
    public var text: String {
        """
        # A key of Hidra. Keep it secret: whoever has it is this client.
        name \(name)
        endpoint \(endpoint)
        server-key \(serverKey)
        public-key \(publicKey)
        secret-key \(secretKey)

        """
    }

    /// - Parameter source: what to call the text in errors.
    public init(text: String, source: String) throws(HidraError) {
        var values: [Substring: String] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("# ") {
            let words = line.split(separator: " ", maxSplits: 1)
            if words.count == 2 { values[words[0]] = String(words[1]) }
        }
        func key(_ name: Substring) throws(HidraError) -> String {
            guard let value = values[name], CurveKeyPair.isKey(value) else {
                throw HidraError(
                    .corrupt, "\(source) has no \(name) of 40 characters. Ask for a new key (`hidra keys new NAME -o FILE`).",
                    details: ["file": source])
            }
            return value
        }
        self.init(
            name: values["name"] ?? "", endpoint: values["endpoint"] ?? "", serverKey: try key("server-key"),
            publicKey: try key("public-key"), secretKey: try key("secret-key"))
    }

    /// - Throws: `notFound`; `permissionDenied` for a file that others may read.
    public init(file path: String) throws(HidraError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code: HidraError.Code = errno == ENOENT ? .notFound : .permissionDenied
            throw HidraError(code, "The key \(path) cannot be read: \(String(cString: strerror(errno))).", details: ["file": path])
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw HidraError(
                .permissionDenied,
                "Others may read the key \(path). chmod 600 it; if somebody may have read it, have it revoked and ask for a new one.",
                details: ["file": path])
        }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &bytes, bytes.count)
        try self.init(text: String(decoding: bytes.prefix(max(0, count)), as: UTF8.self), source: path)
    }

    /// Writes a new file that only its owner may read.
    ///
    /// - Throws: `alreadyExists`, `diskFull`, `permissionDenied`.
    public func write(to path: String) throws(HidraError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failed(path, errno) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw Self.failed(path, errno)
        }
    }

    private static func failed(_ path: String, _ number: Int32) -> HidraError {
        let code: HidraError.Code = number == EEXIST ? .alreadyExists : number == ENOSPC ? .diskFull : .permissionDenied
        return HidraError(code, "The key cannot be written to \(path): \(String(cString: strerror(number))).", details: ["file": path])
    }
}
