import HidraProtocol

/// One event on one line: "12:00:00  run.finished  bank  accuracy=0.93 seconds=5.1".
enum EventLine {
    static func text(_ event: Hidra_V1_Event, style: Style) -> String {
        let values = event.values.sorted { $0.key < $1.key }.map { "\($0.key)=\(Shell.quoteIfNeeded($0.value))" }
        let parts = [
            style.dim(Format.time(event.time)), paint(DisplayWidth.pad(event.name, 20), event.name, style),
            event.subject, style.dim(values.joined(separator: " ")),
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: "  ")
    }

    private static func paint(_ text: String, _ name: String, _ style: Style) -> String {
        if name.hasSuffix(".failed") { return style.red(text) }
        if [".cancelled", ".interrupted", ".restarting"].contains(where: name.hasSuffix) { return style.yellow(text) }
        if name.hasSuffix(".finished") || name.hasSuffix(".registered") { return style.green(text) }
        return text
    }
}
