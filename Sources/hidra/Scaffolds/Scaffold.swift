/// A plugin to start from: files by their paths, with the plugin's own names in them. It builds and trains as it is.
struct Scaffold {
    enum Language: String, CaseIterable, Sendable { case swift, python, c }

    let files: [(path: String, text: String)]
    /// What to do before `hidra plugin test`, in the plugin's folder.
    let build: String

    /// - Parameters:
    ///   - name: of the plugin and of the head it makes.
    ///   - sdk: absolute path of a checkout of hidra.
    init(_ language: Language, name: String, sdk: String) {
        let files: [(String, String)]
        switch language {
        case .python: (files, build) = (PythonScaffold.files, "pip install \(Shell.quoteIfNeeded(sdk + "/Plugins/python-sdk"))")
        case .c: (files, build) = (CScaffold.files, "make")
        case .swift: (files, build) = (SwiftScaffold.files, "make")
        }
        let shared = [("data/examples.tsv", ExampleData.rows), (".gitignore", ".build/\nbin/\n__pycache__/\n")]
        self.files = (files + shared).map { path, text in
            (
                path,
                text.replacing("{{name}}", with: name).replacing("{{module}}", with: Self.module(name))
                    .replacing("{{sdk}}", with: sdk).replacing("{{identity}}", with: sdk.split(separator: "/").last.map { $0.lowercased() } ?? "")
            )
        }
    }

    /// As the Swift compiler names the module of a target.
    private static func module(_ name: String) -> String {
        let plain = String(name.map { $0.isLetter || $0.isNumber ? $0 : "_" })
        return plain.first?.isNumber == true ? "_" + plain.dropFirst() : plain
    }
}
