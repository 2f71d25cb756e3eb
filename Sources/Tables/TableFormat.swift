/// How a table is written down.
package enum TableFormat: String, Sendable, CaseIterable {
    /// Comma-separated values, as RFC 4180 has them, with a header.
    case csv
    /// The same with tabs.
    case tsv
    /// One JSON object a line.
    case jsonl

    /// The format that a file's extension tells.
    ///
    /// Throws: `.unknownFormat`.
    package init(path: String) throws(TableError) {
        let file = path.split(separator: "/").last ?? ""
        let suffix = file.split(separator: ".", omittingEmptySubsequences: false).dropFirst().last ?? ""
        switch suffix.lowercased() {
        case "csv": self = .csv
        case "tsv", "tab": self = .tsv
        case "jsonl", "ndjson": self = .jsonl
        default:
            throw TableError(
                .unknownFormat,
                "the extension is none of .csv, .tsv, .tab, .jsonl, .ndjson; name the format: csv, tsv or jsonl",
                source: path)
        }
    }
}
