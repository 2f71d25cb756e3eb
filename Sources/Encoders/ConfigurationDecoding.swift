import Checkpoints
import Foundation

/// A configuration read from `config.json`. Nothing is guessed: an absent or unknown value throws.
protocol EncoderConfiguration: Decodable {
    /// - Throws: `CheckpointError.invalidConfiguration` naming a value that cannot be.
    func validate() throws
}

extension EncoderConfiguration {
    static func decoded(_ json: Data) throws -> Self {
        let configuration: Self
        do {
            configuration = try JSONDecoder().decode(Self.self, from: json)
        } catch let error as DecodingError {
            throw CheckpointError(.invalidConfiguration, "config.json: \(error.plainDescription)", cause: error)
        }
        try configuration.validate()
        return configuration
    }

    func require(_ holds: Bool, _ message: @autoclosure () -> String) throws {
        if !holds { throw CheckpointError(.invalidConfiguration, "config.json: \(message())") }
    }

    func require(_ name: String, _ value: Int, atMost limit: Int) throws {
        try require(value > 0 && value <= limit, "\(name) is \(value), expected 1…\(limit)")
    }
}
