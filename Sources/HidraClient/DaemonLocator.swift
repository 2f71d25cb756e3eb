internal import Glibc
internal import HidraProtocol

/// Finds the `hidrad` to start: `$HIDRA_DAEMON`, or the one beside this executable, or the first in `PATH`.
enum DaemonLocator {
    static func find() throws(HidraError) -> String {
        if let named = variable("HIDRA_DAEMON") {
            guard access(named, X_OK) == 0 else {
                throw HidraError(.unavailable, "HIDRA_DAEMON names \(named), which cannot be executed.")
            }
            return named
        }
        var places: [String] = []
        if let executable = executablePath(), let slash = executable.lastIndex(of: "/") {
            places.append(String(executable[..<slash]))
        }
        places += (variable("PATH") ?? "").split(separator: ":").map(String.init)
        for place in places where access(place + "/hidrad", X_OK) == 0 { return place + "/hidrad" }
        throw HidraError(
            .unavailable,
            "No daemon is running and hidrad was not found beside this program or in PATH. Start it yourself, or set "
                + "HIDRA_DAEMON to its path.")
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func executablePath() -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink("/proc/self/exe", start, buffer.count)
            guard count > 0 else { return nil }
            return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
        }
    }
}
