import HidraProtocol
import Workbench

/// Who may do what, and how much of it. Asked before a request is looked at any further, so that a refusal says nothing about what there is.
struct AccessControl: Sendable {
    let clients: ClientTable
    let keys: KeyRing
    /// For clients whose key says nothing else, and for those of this machine.
    let defaults: Quota
    private let usage: UsageFile

    init(clients: ClientTable, keys: KeyRing, defaults: Quota, usage: UsageFile) {
        (self.clients, self.keys, self.defaults, self.usage) = (clients, keys, defaults, usage)
    }

    /// nil for a client whose key was revoked.
    func role(of client: ClientIdentity) -> Role? {
        if let key = client.key { return keys.entry(name: key)?.role }
        // The sockets of this machine let in the daemon's own user alone.
        return clients.pluginRole(of: client) ?? .admin
    }

    /// Why the request is not to be served; nil: it may be.
    func refusal(of message: InboundMessage) -> Failure? {
        guard let kind = message.envelope.kind, let needed = kind.leastRole else { return nil }
        let role = role(of: message.client)
        guard let role, role >= needed else {
            return Failure(
                .permissionDenied,
                "This needs the role \"\(needed.rawValue)\"; this client has \(role.map { "\"\($0.rawValue)\"" } ?? "none"). Ask who runs the daemon "
                    + "for a key of that role (`hidra keys new NAME --role \(needed.rawValue)`).",
                details: ["needed": needed.rawValue, "role": role?.rawValue ?? ""])
        }
        guard message.client.key == nil || !kind.readsFilesOfTheDaemon else {
            return Failure(
                .permissionDenied,
                "Files of the daemon's machine are read only for clients there, whatever their role. Upload the file, or do this on "
                    + "that machine.")
        }
        return nil
    }

    /// Admins may cancel anybody's job, others those of their own key or connection.
    func mayCancel(_ job: ClientIdentity, _ client: ClientIdentity) -> Bool {
        job.sharesAccount(with: client) || role(of: client) == .admin
    }

    func quota(of client: ClientIdentity) -> Quota {
        (client.key.flatMap { keys.entry(name: $0)?.quota } ?? Quota()).filled(from: defaults)
    }

    /// Counts what the day's quotas limit. One for each key; clients of this machine share one, because they can connect anew at will.
    func meter(of client: ClientIdentity) -> Meter {
        let quota = quota(of: client), meter = usage.meter(of: client.key ?? "")
        meter.limits = Meter.Limits(coreSeconds: quota.coreSeconds, cacheBytes: quota.cacheBytes)
        return meter
    }
}
