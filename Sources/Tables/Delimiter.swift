import SwiftCSV

/// What separates the fields of a row.
enum Delimiter: Sendable {
    case comma
    case tab

    var byte: UInt8 {
        switch self {
        case .comma: UInt8(ascii: ",")
        case .tab: UInt8(ascii: "\t")
        }
    }

    var parsed: CSVDelimiter {
        switch self {
        case .comma: .comma
        case .tab: .tab
        }
    }
}
