package import Foundation

/// A bundle that has been renamed into place while what it replaced still exists.
///
/// Between `begin` and `commit` the caller records the bundle in the registry; when that fails, `rollBack` restores the
/// former state. Exactly one of the two must be called.
///
/// A process that dies in between leaves one of three states, each repaired by `StateDirectory.init`:
/// 1. former bundle in place, new one in staging: staging is emptied;
/// 2. former bundle aside, nothing in place: it is renamed back;
/// 3. former bundle aside, new one in place: the aside is deleted, and the registry follows the manifest on disk.
package struct Installation: Sendable {
    let destination: URL
    let aside: URL
    let replaces: Bool
    let trash: URL

    /// Deletes what was replaced.
    package func commit() throws {
        guard replaces else { return }
        try FileSystem.remove(aside)
    }

    /// Takes the new bundle away and puts the former one back.
    package func rollBack() throws {
        try FileSystem.rename(destination, to: trash)
        if replaces { try FileSystem.rename(aside, to: destination) }
        try FileSystem.remove(trash)
    }
}

extension StateDirectory {
    private static let asidePrefix = ".replaced-"

    /// Makes `staged` the bundle `name` on `shelf`, replacing any former one; durable when it returns.
    package func install(staged: URL, on shelf: Shelf, as name: String) throws {
        let installation = try beginInstall(staged: staged, on: shelf, as: name)
        do {
            try installation.commit()
        } catch {
            throw WorkbenchError.wrapping(error, while: "replacing '\(name)'", at: root)
        }
    }

    /// First half of `install`: syncs the staged files and renames them into place, keeping what was there aside.
    package func beginInstall(staged: URL, on shelf: Shelf, as name: String) throws -> Installation {
        let destination = folder(shelf, name)
        do {
            try FileSystem.syncTree(staged)
            let installation = Installation(
                destination: destination,
                aside: self.shelf(shelf).appendingPathComponent(Self.asidePrefix + name, isDirectory: true),
                replaces: FileSystem.exists(destination),
                trash: staging.appendingPathComponent(UUID().uuidString.lowercased(), isDirectory: true))
            if installation.replaces {
                try FileSystem.remove(installation.aside)
                try FileSystem.rename(destination, to: installation.aside)
            }
            do {
                try FileSystem.rename(staged, to: destination)
            } catch {
                if installation.replaces { try FileSystem.rename(installation.aside, to: destination) }
                throw error
            }
            return installation
        } catch {
            throw WorkbenchError.wrapping(error, while: "installing '\(name)'", at: root)
        }
    }

    /// Takes a bundle off its shelf in one rename, then deletes it; one that is already gone is no error.
    package func removeBundle(on shelf: Shelf, named name: String) throws {
        let source = folder(shelf, name)
        guard FileSystem.exists(source) else { return }
        do {
            let trash = staging.appendingPathComponent(UUID().uuidString.lowercased(), isDirectory: true)
            try FileSystem.rename(source, to: trash)
            try FileSystem.remove(trash)
        } catch {
            throw WorkbenchError.wrapping(error, while: "deleting '\(name)'", at: root)
        }
    }

    /// Finishes or undoes interrupted replacements and empties staging. Idempotent: it may be interrupted itself.
    static func recover(_ root: URL) throws -> [String] {
        var repairs: [String] = []
        for shelf in Shelf.allCases {
            let url = root.appendingPathComponent(shelf.rawValue, isDirectory: true)
            for name in try FileSystem.names(in: url) where name.hasPrefix(asidePrefix) {
                let aside = url.appendingPathComponent(name)
                let bundle = String(name.dropFirst(asidePrefix.count))
                if FileSystem.exists(url.appendingPathComponent(bundle)) {
                    try FileSystem.remove(aside)
                    repairs.append("Finished the interrupted replacement of \(shelf.rawValue)/\(bundle).")
                } else {
                    try FileSystem.rename(aside, to: url.appendingPathComponent(bundle))
                    repairs.append("Undid the interrupted replacement of \(shelf.rawValue)/\(bundle).")
                }
            }
        }
        let staging = root.appendingPathComponent("staging")
        let leftovers = try FileSystem.names(in: staging)
        for name in leftovers { try FileSystem.remove(staging.appendingPathComponent(name)) }
        if !leftovers.isEmpty {
            repairs.append("Deleted \(leftovers.count) unfinished item(s) from staging.")
        }
        return repairs
    }
}
