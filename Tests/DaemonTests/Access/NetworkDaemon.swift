import Foundation
import Glibc
import HidraClient
import HidraProtocol
import TestSupport
import ZeroMQ

@testable import Daemon

/// A daemon in this process that listens on the loopback interface too, and a key of each role.
struct NetworkDaemon {
    let daemon: RunningDaemon
    let address: ServerAddress
    /// Of this machine, with the tiny encoder and a head on it.
    let local: HidraClient
    private(set) var keys: [Role: ClientKey] = [:]

    init(limits: Limits = Limits(), environment: [String: String] = [:]) async throws {
        address = try freeAddress()
        daemon = try RunningDaemon(limits: limits, environment: environment, listen: address)
        local = try await daemon.connectWithEncoder()
        for role in Role.allCases { keys[role] = try await local.createKey("key-\(role.rawValue)", role: role) }
    }

    func key(_ role: Role) throws -> ClientKey {
        guard let key = keys[role] else { throw RawPeer.Failure(message: "no key \(role)") }
        return key
    }

    func connect(_ key: ClientKey, timeout: Duration = .seconds(5)) async throws -> HidraClient {
        try await HidraClient.connect(remote: try RemoteDaemon(key: key), client: "remote", timeout: timeout)
    }

    func connect(as role: Role) async throws -> HidraClient { try await connect(try key(role)) }

    func stop() async throws {
        await local.close()
        try await daemon.stop(grace: .zero)
    }
}

extension ClientKey {
    /// What a socket needs to connect with this key.
    var security: [Socket.Option] {
        CurveKeyPair(secretKey: secretKey).map { [.curveClient($0, server: serverKey)] } ?? []
    }

    /// Of a stranger: known to nobody, but sure of the server.
    func stranger() throws -> ClientKey {
        let pair = try CurveKeyPair.generate()
        return ClientKey(name: "stranger", endpoint: endpoint, serverKey: serverKey, publicKey: pair.publicKey, secretKey: pair.secretKey)
    }
}

/// Three ports in a row that nobody listens at now.
func freeAddress() throws -> ServerAddress {
    for _ in 0..<100 {
        let port = Int.random(in: 20_000...32_000)
        let isFree = (port..<port + 3).allSatisfy { number in
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(number).bigEndian
            address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            return withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            } == 0
        }
        if isFree, let address = ServerAddress("tcp://127.0.0.1:\(port)") { return address }
    }
    throw RawPeer.Failure(message: "no free ports")
}

/// A training that goes on until somebody ends it.
func endlessTraining(_ head: String, _ data: String) -> Hidra_V1_TrainRequest {
    var request = trainRequest(head, data, epochs: 10_000)
    request.hyperparameters.patience = 10_000
    request.hyperparameters.learningRate = 0.001
    request.kind.name = "mlp"
    return request
}
