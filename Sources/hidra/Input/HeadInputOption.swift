import ArgumentParser
import HidraProtocol

/// The value of `train --input`: NAME=COLUMN[,encoder=E][,tap=T].
struct HeadInputOption: ExpressibleByArgument, Sendable, Equatable {
    let name: String
    let column: String
    let encoder: String
    let tap: String

    init?(argument: String) {
        guard let sign = argument.firstIndex(of: "=") else { return nil }
        name = String(argument[..<sign])
        // From the end, so that a column's name may hold a comma.
        var parts = argument[argument.index(after: sign)...].split(separator: ",", omittingEmptySubsequences: false)
        var settings: [Substring: String] = [:]
        while parts.count > 1, let last = parts.last, let key = ["encoder", "tap"].first(where: { last.hasPrefix("\($0)=") }) {
            let value = String(last.dropFirst(key.count + 1))
            guard !value.isEmpty, settings.updateValue(value, forKey: Substring(key)) == nil else { return nil }
            parts.removeLast()
        }
        column = parts.joined(separator: ",")
        encoder = settings["encoder"] ?? ""
        tap = settings["tap"] ?? ""
        guard !name.isEmpty, !column.isEmpty else { return nil }
    }

    var wire: Hidra_V1_HeadInput {
        var input = Hidra_V1_HeadInput()
        input.name = name
        input.column = column
        input.encoder = encoder
        input.tap = tap
        return input
    }
}
