import Foundation
import Glibc
import State
import Synchronization
import Workbench

/// What each account has used today, in memory and, every few seconds and at the end, in `keys/usage.json`: a daemon that is started again
/// goes on counting. One that is killed forgets what it counted since the file was last written.
final class UsageFile: Sendable {
    /// Between two writes.
    static let interval = Duration.seconds(5)

    /// Accounts by the names of their keys; "" is this machine's own.
    private struct Content: Codable, Equatable {
        var format = 1
        var accounts: [String: Meter.Used] = [:]
    }

    private struct State {
        var meters: [String: Meter] = [:]
        var written: Content
    }

    private let path: String
    private let state: Mutex<State>
    private let log: @Sendable (String) -> Void
    /// One at a time.
    private let writing = Mutex(())

    /// A file that cannot be read is as good as none, and is said: nobody is to be locked out by it.
    init(_ folder: URL, log: @escaping @Sendable (String) -> Void) throws {
        let file = folder.appending(path: "usage.json")
        path = file.path
        self.log = log
        var content = Content()
        do {
            content = try JSONDecoder().decode(Content.self, from: Data(contentsOf: file))
        } catch CocoaError.fileReadNoSuchFile {
        } catch {
            log("\(file.path) cannot be read, and the day's quotas are counted anew: \(error.localizedDescription)")
        }
        state = Mutex(State(meters: content.accounts.mapValues { Meter(used: $0) }, written: content))
    }

    func meter(of account: String) -> Meter {
        state.withLock { state in
            let meter = state.meters[account] ?? Meter()
            state.meters[account] = meter
            return meter
        }
    }

    /// Does nothing when nothing has changed. Written beside and renamed.
    func write() {
        writing.withLock { _ in
            let (content, isNew) = state.withLock { state in
                let content = Content(accounts: state.meters.mapValues(\.used).filter { $0.value.coreSeconds > 0 || $0.value.cacheBytes > 0 })
                return (content, content != state.written)
            }
            guard isNew else { return }
            do {
                let fresh = path + ".new", encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys]
                try encoder.encode(content).write(to: URL(filePath: fresh))
                guard chmod(fresh, 0o600) == 0, rename(fresh, path) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
                state.withLock { $0.written = content }
            } catch {
                log("\(path) cannot be written, and a restart will count the day's quotas anew: \(error.localizedDescription)")
            }
        }
    }
}
