import Foundation
import TestSupport
import Testing

@testable import Images

@Suite("Collections of images")
struct CollectionTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func write(_ name: String, _ bytes: Data = Data([1])) throws {
        let url = folder.url.appending(path: name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try bytes.write(to: url)
    }

    private func all(_ collection: any ImageCollection) throws -> [LabelledImage] {
        var images: [LabelledImage] = []
        while let image = try collection.next() { images.append(image) }
        return images
    }

    /// Runs the system's tar; the tests are skipped where there is none.
    private func tar(_ arguments: String...) throws -> URL {
        let url = folder.url.appending(path: "made.tar"), process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["tar", "-C", folder.url.appending(path: "in").path] + arguments.map { $0 == "FILE" ? url.path : $0 }
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return url
    }

    @Test("a folder's images come sorted, the last folder being the class; others are counted")
    func folders() throws {
        for name in [
            "b/2.jpg", "b/10.PNG", "a/x.webp", "deep/c/y.jpeg", "a/.hidden.jpg", ".git/z.jpg", "a/notes.txt", "top.jpg",
        ] {
            try write(name)
        }
        let link = folder.url.appending(path: "a/link.jpg")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: folder.url.appending(path: "b/2.jpg"))
        try FileManager.default.createSymbolicLink(
            at: folder.url.appending(path: "linked"), withDestinationURL: folder.url.appending(path: "b"))
        let collection = try ImageFolder(folder.url)
        let images = try all(collection)
        #expect(images.map(\.name) == ["a/x.webp", "b/10.PNG", "b/2.jpg", "deep/c/y.jpeg", "top.jpg"])
        #expect(images.map(\.label) == ["a", "b", "b", "c", nil])
        let summary = collection.summary
        #expect(summary.images == 5 && summary.hidden == 2 && summary.otherFiles == 1, "\(summary)")
        #expect(summary.problems.map(\.name) == ["a/link.jpg", "linked"])
        #expect(
            "\(summary)" == "5 images used, 2 files left out, 1 file of other kinds ignored, 2 hidden entries ignored")
    }

    @Test("a file over the limit is listed, the rest is used")
    func largeFiles() throws {
        try write("a/1.jpg", Data(count: 11))
        try write("a/2.jpg", Data(count: 10))
        let collection = try ImageFolder(folder.url, limits: ImageLimits(bytes: 10))
        #expect(try all(collection).map(\.name) == ["a/2.jpg"])
        #expect(collection.summary.problems == [ImageProblem(name: "a/1.jpg", reason: "has 11 bytes; the limit is 10")])
    }

    @Test("a folder that is not there, or is a file, throws")
    func noFolder() throws {
        try write("file")
        for name in ["nothing", "file"] {
            #expect(throws: ImageError.self) { try ImageFolder(folder.url.appending(path: name)) }
        }
    }

    @Test("a path is opened as what it is")
    func opening() throws {
        try write("in/a/1.jpg")
        try write("table.csv")
        let made = try tar("-czf", "FILE", "a"), zipped = folder.url.appending(path: "again.TGZ")
        try FileManager.default.copyItem(at: made, to: zipped)
        for url in [folder.url.appending(path: "in"), made, zipped] {
            #expect(try all(ImageCollections.open(url)).map(\.name) == ["a/1.jpg"], "\(url.lastPathComponent)")
        }
        for (name, code) in [("table.csv", ImageError.Code.unsupported), ("nothing.tar", .notFound)] {
            let error = #expect(throws: ImageError.self) { try ImageCollections.open(folder.url.appending(path: name)) }
            #expect(error?.code == code, "\(String(describing: error))")
        }
    }

    @Test("paths of a table stay within its folder")
    func paths() throws {
        try write("images/1.jpg", Data([1, 2, 3]))
        let paths = ImagePaths(relativeTo: folder.url)
        #expect(try paths.read("images/1.jpg") == Data([1, 2, 3]) && paths.read("./images//1.jpg") == Data([1, 2, 3]))
        for (path, code) in [
            ("../x.jpg", ImageError.Code.refusedPath), ("images/../../x", .refusedPath),
            ("/etc/hostname", .refusedPath),
            ("images/2.jpg", .notFound), ("images", .unreadable), ("", .notFound),
        ] {
            let error = #expect(throws: ImageError.self, "\(path)") { try paths.read(path) }
            #expect(error?.code == code, "\(path): \(String(describing: error))")
        }
    }

    @Test("archives of every tar dialect give the same images", arguments: ["ustar", "pax", "gnu", "gzip"])
    func archives(_ dialect: String) throws {
        let long =
            "train/" + String(repeating: "l", count: 90) + "/"
            + String(repeating: "n", count: dialect == "ustar" ? 80 : 180) + ".jpg"
        let names = ["train/cat/1.jpg", "train/dog/ü.png", long]
        for (index, name) in names.enumerated() {
            try write("in/\(name)", Data(repeating: UInt8(index), count: 700 * index + 3))
        }
        try write("in/train/cat/readme.md")
        try write("in/train/cat/.DS_Store")
        let made =
            dialect == "gzip"
            ? try tar("-czf", "FILE", "--sort=name", "train")
            : try tar("-cf", "FILE", "--format=\(dialect)", "--sort=name", "train")
        let collection = try ImageArchive(made)
        let images = try all(collection)
        #expect(
            images.map(\.name) == names && images.map(\.label) == ["cat", "dog", String(repeating: "l", count: 90)])
        #expect(images.enumerated().allSatisfy { $1.bytes == Data(repeating: UInt8($0), count: 700 * $0 + 3) })
        #expect(collection.summary.images == 3 && collection.summary.otherFiles == 1 && collection.summary.hidden == 1)
    }

    @Test("links, and paths that leave the archive, are refused; the rest is used")
    func hostileArchive() throws {
        try write("in/a/1.jpg")
        let inside = folder.url.appending(path: "in/a")
        try FileManager.default.createSymbolicLink(
            at: inside.appending(path: "2.jpg"), withDestinationURL: URL(filePath: "/etc/hostname"))
        try FileManager.default.linkItem(at: inside.appending(path: "1.jpg"), to: inside.appending(path: "3.jpg"))
        let collection = try ImageArchive(
            try tar(
                "-P", "-cf", "FILE", "--transform=s,^a/1.jpg,../../a/1.jpg,", "a/1.jpg", "--transform=s,^x,x,",
                "a/2.jpg", "a/3.jpg"))
        #expect(try all(collection).map(\.name) == [])
        #expect(
            Set(collection.summary.problems.map(\.reason)) == [
                "its path leaves the archive", "is a link or a device, not a file",
            ])
        #expect(collection.summary.problems.count == 3)
    }

    @Test("an entry over the limit is listed, the rest is used")
    func largeEntries() throws {
        try write("in/a/1.jpg", Data(count: 5_000))
        try write("in/a/2.jpg", Data(count: 10))
        let collection = try ImageArchive(
            try tar("-cf", "FILE", "--sort=name", "a"), limits: ImageLimits(bytes: 4_999))
        #expect(try all(collection).map(\.name) == ["a/2.jpg"])
        #expect(collection.summary.problems.map(\.name) == ["a/1.jpg"])
    }

    @Test("an archive cut short gives its whole entries, then throws; other files throw at once")
    func damagedArchives() throws {
        for index in 0..<3 { try write("in/a/\(index).jpg", Data(repeating: UInt8(index), count: 1_000)) }
        let made = try tar("-cf", "FILE", "--sort=name", "a"), bytes = try Data(contentsOf: made)
        // A folder and three entries, each a header and two blocks.
        for (count, whole) in [(700, 0), (1_536, 0), (2_000, 0), (2_047, 1), (2_100, 1), (4_000, 2), (5_000, 2)] {
            try bytes.prefix(count).write(to: made)
            let collection = try ImageArchive(made)
            var images = 0
            let error = #expect(throws: ImageError.self, "cut to \(count)") {
                while try collection.next() != nil { images += 1 }
            }
            #expect(images == whole, "cut to \(count): \(images) images, \(String(describing: error))")
            #expect(try collection.next() == nil)
        }
        for (text, name) in [("hello world, this is no archive", "text"), ("\u{1f}\u{8b}nothing", "gzip")] {
            let url = folder.url.appending(path: name)
            try Data(text.utf8).write(to: url)
            #expect(throws: ImageError.self, "\(name)") { _ = try ImageArchive(url).next() }
        }
        #expect(throws: ImageError.self) { try ImageArchive(folder.url.appending(path: "nothing.tar")) }
        #expect(throws: ImageError.self) { try ImageArchive(folder.url) }
    }

    @Test("changed bytes of an archive give entries or an error, never a crash")
    func mutatedArchive() throws {
        for index in 0..<3 { try write("in/a/\(index).jpg", Data(repeating: UInt8(index), count: 600)) }
        let made = try tar("-cf", "FILE", "--format=pax", "a"), bytes = [UInt8](try Data(contentsOf: made))
        var random = SplitMix(state: 11)
        for _ in 0..<400 {
            var changed = bytes
            for _ in 0...5 { changed[Int(random.next() % 6_000)] = UInt8(truncatingIfNeeded: random.next()) }
            try Data(changed).write(to: made)
            do {
                let collection = try ImageArchive(made, limits: ImageLimits(bytes: 1 << 20))
                for image in try all(collection) { #expect(image.bytes.count <= 1 << 20 && !image.name.contains("..")) }
            } catch {
                #expect(error is ImageError)
            }
        }
    }
}
