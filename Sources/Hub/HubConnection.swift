import Foundation

/// Requests to one hub: authorisation, redirects, retries.
struct HubConnection: Sendable {
    /// Scheme and host of the hub, `https://huggingface.co` unless `HF_ENDPOINT` says otherwise.
    let endpoint: URL
    let token: String?
    let transport: CurlTransport
    let settings: FetchSettings

    private static let mostRedirects = 10

    /// Follows redirects until a response that is none; with `stopAtForeignHost`, also stops at a redirect to another
    /// host, whose headers are then the answer.
    ///
    /// The token goes to the hub's own scheme, host and port, and nowhere else.
    func exchange(
        _ request: HTTPRequest, to sink: any HTTPSink, stopAtForeignHost: Bool = false
    ) async throws -> HTTPHead {
        var request = request
        for _ in 0...Self.mostRedirects {
            var hop = request
            if let token, request.url.origin == endpoint.origin {
                hop.headers["Authorization"] = "Bearer \(token)"
            }
            let head = try await transport.send(hop, to: sink)
            guard [301, 302, 303, 307, 308].contains(head.status), let location = head["location"] else { return head }
            guard let target = URL(string: location, relativeTo: request.url)?.absoluteURL, target.host != nil,
                target.scheme == "https" || (target.scheme == "http" && request.url.scheme == "http")
            else {
                throw HubError(
                    .unavailable,
                    "\(request.url.host ?? "The hub") redirects to '\(location)', which is not "
                        + "followed: only http and https are, and never from https to http.")
            }
            if stopAtForeignHost, target.origin != endpoint.origin { return head }
            request.url = target
        }
        throw HubError(
            .unavailable,
            "\(request.url.absoluteString) redirects more than \(Self.mostRedirects) times. "
                + "Check HF_ENDPOINT, or try again later.")
    }

    /// Runs `attempt` until it succeeds, fails for good, or has failed for a passing reason too often in a row.
    /// - Parameter advanced: asked after each failure whether the attempt brought something new, which starts the count
    ///   of tries anew.
    func retrying<Value: Sendable>(
        advanced: () throws -> Bool = { false }, _ attempt: () async throws -> Value
    ) async throws -> Value {
        var failures = 0
        while true {
            do {
                return try await attempt()
            } catch let passing as PassingFailure {
                failures = try advanced() ? 1 : failures + 1
                guard failures < settings.attempts else { throw passing.error }
                if let wish = passing.retryAfter, wish > settings.longestRetryAfter { throw passing.error }
                try await Task.sleep(for: passing.retryAfter ?? pause(afterFailures: failures))
            }
        }
    }

    /// `first · 2ⁿ⁻¹`, at most `longestDelay`, times 0.75 to 1.25 so that many clients do not come back at once.
    private func pause(afterFailures failures: Int) -> Duration {
        let doubled = settings.firstDelay * (1 << min(failures - 1, 16))
        return min(doubled, settings.longestDelay) * Double.random(in: 0.75...1.25)
    }
}

/// A failure that may not happen again.
struct PassingFailure: Error {
    var error: HubError
    /// The pause a server asked for.
    var retryAfter: Duration?

    init(_ error: HubError, retryAfter: Duration? = nil) {
        self.error = error
        self.retryAfter = retryAfter
    }
}

extension URL {
    /// Scheme, host and port: what decides whether a secret may be sent.
    var origin: String {
        let scheme = (scheme ?? "").lowercased()
        let port = port ?? (scheme == "https" ? 443 : 80)
        return "\(scheme)://\((host ?? "").lowercased()):\(port)"
    }
}
