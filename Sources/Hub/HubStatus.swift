import Foundation

/// What the hub's status codes mean for a person.
enum HubStatus {
    /// Throws unless `head` reports success (2xx, or a redirect that the caller asked to see).
    /// - Parameters:
    ///   - what: what was asked for: `ORG/NAME` or `ORG/NAME's config.json`.
    static func check(_ head: HTTPHead, _ what: String, of repository: HubRepository, _ hub: HubConnection) throws {
        let page = "\(hub.endpoint.absoluteString)/\(repository.id)"
        switch (head.status, head["x-error-code"]) {
        case (200..<400, _):
            return
        case (_, "GatedRepo"):
            throw HubError(
                .permissionDenied,
                "\(repository.id) is gated: accept its terms at \(page), then set HF_TOKEN to a token of "
                    + "that account (\(hub.endpoint.absoluteString)/settings/tokens) and pull again.")
        case (401, _) where hub.token == nil:
            // Without a token the hub says the same of a private repository and of one that does not exist.
            throw HubError(
                .permissionDenied,
                "The hub has no public \(repository.id): either the name is wrong, or it is private or "
                    + "gated. If the name is right, set HF_TOKEN to a token that may read it "
                    + "(\(hub.endpoint.absoluteString)/settings/tokens) and pull again.")
        case (403, _) where hub.token == nil:
            throw HubError(
                .permissionDenied,
                "The hub refuses \(what)\(said(head)). If \(page) is private or gated, set HF_TOKEN to a "
                    + "token that may read it; otherwise check the proxy settings.")
        case (401, _), (403, _):
            throw HubError(
                .permissionDenied,
                "The hub does not let this token read \(what). Check HF_TOKEN: it must be valid and its "
                    + "account must have access to \(page).")
        case (404, "RevisionNotFound"):
            throw HubError(
                .notFound,
                "\(repository.id) has no branch, tag or commit '\(repository.revision)'. "
                    + "Its branches and tags are listed at \(page)/tree/main.")
        case (404, "EntryNotFound"):
            throw HubError(.notFound, "The hub has no \(what). Try another revision.")
        case (404, _):
            throw HubError(.notFound, "The hub has no repository \(repository.id). Check its spelling.")
        case (408, _), (429, _), (500...599, _):
            let reason = head.status == 429 ? "asks for fewer requests" : "is in trouble"
            throw PassingFailure(
                HubError(.unavailable, "The hub \(reason) (status \(head.status)). Try again later."),
                retryAfter: retryAfter(head))
        default:
            throw HubError(.unavailable, "The hub answered \(head.status) for \(what)\(said(head)).")
        }
    }

    /// The hub's own explanation, if it gives one, cut to a length that fits into a message.
    private static func said(_ head: HTTPHead) -> String {
        head["x-error-message"].map { ": \($0.prefix(200))" } ?? ""
    }

    /// `Retry-After` in either of its forms (RFC 9110 § 10.2.3): seconds or a date.
    private static func retryAfter(_ head: HTTPHead) -> Duration? {
        if let seconds = head.number("retry-after") { return .seconds(max(0, seconds)) }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        guard let date = head["retry-after"].flatMap(format.date(from:)) else { return nil }
        return .seconds(max(0, date.timeIntervalSinceNow))
    }
}
