internal import Glibc

/// A directory that cannot be trusted or made.
package struct DirectoryError: Error, Sendable {
    package var code: ErrorCode
    package var message: String
}

extension Home {
    /// Makes the home, and what is missing above it, for its owner alone.
    package func makeDirectory() throws(DirectoryError) {
        var built = ""
        for part in path.split(separator: "/") {
            built += "/" + part
            guard mkdir(built, 0o700) != 0, errno != EEXIST else { continue }
            let code = errno
            // Some file systems say no before they say that it exists.
            guard access(built, F_OK) != 0 else { continue }
            throw DirectoryError(
                code: code == ENOSPC ? .diskFull : .permissionDenied,
                message:
                    "The home \(path) cannot be made: \(built): \(String(cString: strerror(code))). Set HIDRA_HOME "
                    + "to a directory you may write to.")
        }
    }
}

/// The directory is what keeps other users out, so both sides look at it before they use it.
extension Endpoints {
    /// Makes the directory, 0700, or checks the one that is there. For the daemon.
    package func prepareDirectory() throws(DirectoryError) {
        if mkdir(directory, 0o700) != 0, errno != EEXIST {
            throw failed("cannot be made", errno)
        }
        guard try checkDirectory() else { throw failed("vanished while it was made", ENOENT) }
    }

    /// Whether the directory is there. One that other users own or may enter is an error: whoever listens there could
    /// be anybody.
    package func checkDirectory() throws(DirectoryError) -> Bool {
        var status = stat()
        // lstat: a link would let its owner choose another directory later.
        guard lstat(directory, &status) == 0 else {
            if errno == ENOENT { return false }
            throw failed("cannot be read", errno)
        }
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == getuid(), status.st_mode & 0o077 == 0 else {
            throw DirectoryError(
                code: .permissionDenied,
                message: "\(directory) is not a directory that you alone may enter (mode 0700). Somebody else may have "
                    + "made it: remove it, or set XDG_RUNTIME_DIR to a directory of your own.")
        }
        return true
    }

    private func failed(_ what: String, _ code: Int32) -> DirectoryError {
        DirectoryError(
            code: code == ENOSPC ? .diskFull : .permissionDenied,
            message: "The socket directory \(directory) \(what): \(String(cString: strerror(code))). "
                + "Set XDG_RUNTIME_DIR to a directory you may write to.")
    }
}
