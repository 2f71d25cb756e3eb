package import Foundation

/// The one folder that holds everything Hidra remembers.
///
///     registry.sqlite   what is registered, and every run
///     features.sqlite   cached features; can always be deleted
///     encoders/NAME/    one bundle each: files and `manifest.json`
///     heads/NAME/
///     runs/ID/
///     sessions/ID/      a session's own copy of its rows, and its checkpoints
///     keys/             the daemon's own key for connections over the network
///     uploads/          files that clients send, until they are swept
///     staging/          what is being written; emptied at start
///     quarantine/       what was found damaged, kept for inspection
///     lock              held by the daemon that uses the folder
///
/// A bundle is written in `staging/`, synced, and renamed into place (`StateDirectory+Install.swift`), so a folder
/// under `encoders/` or `heads/` is always whole.
package struct StateDirectory: Sendable {
    package enum Shelf: String, Sendable, CaseIterable {
        case encoders, heads, runs, sessions
    }

    package let root: URL
    /// What opening had to put right, one sentence each, for the log.
    package let repairs: [String]
    private let lock: DirectoryLock

    /// Creates what is missing (mode 0700), takes the lock, and undoes what an interrupted process left behind.
    ///
    /// Fails with `alreadyExists` when another process uses the directory.
    package init(root: URL) throws {
        self.root = root
        do {
            try FileManager.default.createDirectory(
                at: root, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            lock = try DirectoryLock(at: root.appendingPathComponent("lock"))
            for name in Shelf.allCases.map(\.rawValue) + ["staging", "keys", "uploads"] {
                try FileSystem.makeFolder(root.appendingPathComponent(name))
            }
            repairs = try Self.recover(root)
        } catch {
            throw WorkbenchError.wrapping(error, while: "opening the state directory", at: root)
        }
    }

    package var registry: URL { root.appendingPathComponent("registry.sqlite") }
    package var features: URL { root.appendingPathComponent("features.sqlite") }
    package var staging: URL { root.appendingPathComponent("staging", isDirectory: true) }
    package var keys: URL { root.appendingPathComponent("keys", isDirectory: true) }
    package var uploads: URL { root.appendingPathComponent("uploads", isDirectory: true) }
    package var quarantine: URL { root.appendingPathComponent("quarantine", isDirectory: true) }

    package func shelf(_ shelf: Shelf) -> URL { root.appendingPathComponent(shelf.rawValue, isDirectory: true) }

    /// The bundle's folder, whether or not it exists. `name` must have passed `BundleName.validate`.
    package func folder(_ shelf: Shelf, _ name: String) -> URL {
        self.shelf(shelf).appendingPathComponent(name, isDirectory: true)
    }

    /// Names of the folders on a shelf, sorted. Hidden names are work in progress and not listed.
    package func names(on shelf: Shelf) throws -> [String] {
        do {
            let url = self.shelf(shelf)
            return try FileSystem.names(in: url).filter {
                !$0.hasPrefix(".") && FileSystem.isFolder(url.appendingPathComponent($0))
            }
        } catch {
            throw WorkbenchError.wrapping(error, while: "listing \(shelf.rawValue)", at: root)
        }
    }

    /// A fresh, empty folder on the file system of the bundles. Whatever is still there at the next start is deleted.
    package func stage() throws -> URL {
        let url = staging.appendingPathComponent(UUID().uuidString.lowercased(), isDirectory: true)
        do {
            try FileSystem.makeFolder(url)
        } catch {
            throw WorkbenchError.wrapping(error, while: "making a staging folder", at: root)
        }
        return url
    }

    /// Moves a damaged file or folder aside, to `quarantine/NAME-TIME`, and says where it went.
    @discardableResult
    package func quarantine(_ item: URL) throws -> URL {
        do {
            try FileSystem.makeFolder(quarantine)
            let time = Date.now.formatted(.iso8601.dateSeparator(.omitted).timeSeparator(.omitted))
            let name = "\(item.lastPathComponent)-\(time)"
            var destination = quarantine.appendingPathComponent(name)
            var attempt = 2
            while FileSystem.exists(destination) {
                destination = quarantine.appendingPathComponent("\(name)-\(attempt)")
                attempt += 1
            }
            try FileSystem.rename(item, to: destination)
            return destination
        } catch {
            throw WorkbenchError.wrapping(error, while: "moving \(item.path) to quarantine", at: root)
        }
    }

    /// Room that is left free for SQLite's own journals, so that a large write cannot starve the registry.
    static let reserve = 32 << 20

    /// Fails with `diskFull` unless `bytes` can be written and `reserve` is still free afterwards.
    ///
    /// - parameter purpose: What the space is for, as a noun: "encoder 'minilm'".
    package func requireSpace(bytes: Int, for purpose: String) throws {
        let free: Int
        do {
            free = try FileSystem.freeSpace(at: root)
        } catch {
            throw WorkbenchError.wrapping(error, while: "measuring the free space for \(purpose)", at: root)
        }
        let needed = bytes.addingReportingOverflow(Self.reserve)
        guard !needed.overflow, free >= needed.partialValue else {
            throw WorkbenchError.diskFull(
                while: purpose, at: root, needed: needed.overflow ? Int.max : needed.partialValue)
        }
    }
}
