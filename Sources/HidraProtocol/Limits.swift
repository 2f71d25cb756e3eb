/// What a daemon takes before it says no. Sent in Welcome; checked before anything is allocated.
public struct Limits: Sendable, Equatable {
    /// Largest frame, of an envelope or a tensor, in bytes.
    public var messageBytes: Int
    /// Rows in one data set.
    public var dataRows: Int
    /// Texts and labels of one data set together, in bytes.
    public var dataBytes: Int
    /// Texts or images in one predict or embed request.
    public var textsPerRequest: Int
    /// Uploaded files of all data sets together, in bytes. They are kept on disk.
    public var blobBytes: Int
    /// Texts or images in one predict request whose answers are streamed.
    public var textsPerStream: Int

    public init(
        messageBytes: Int = 64 << 20, dataRows: Int = 5_000_000, dataBytes: Int = 2 << 30, textsPerRequest: Int = 4096,
        blobBytes: Int = 64 << 30, textsPerStream: Int = 65_536
    ) {
        self.messageBytes = messageBytes
        self.dataRows = dataRows
        self.dataBytes = dataBytes
        self.textsPerRequest = textsPerRequest
        self.blobBytes = blobBytes
        self.textsPerStream = textsPerStream
    }

    /// Frames of one message: the envelope and its tensors.
    package static let framesPerMessage = 64
    /// Largest frame on the control and events sockets, where requests are a few hundred bytes.
    package static let controlMessageBytes = 1 << 20
    /// Dimensions of one tensor.
    package static let tensorRank = 8
}

extension Limits {
    /// What a peer announced. A value of zero, which an older peer leaves out, becomes the default.
    public init(_ message: Hidra_V1_Limits) {
        let defaults = Limits()
        func value(_ announced: UInt64, _ fallback: Int) -> Int {
            announced == 0 ? fallback : Int(clamping: announced)
        }
        let perRequest = value(UInt64(message.textsPerRequest), defaults.textsPerRequest)
        self.init(
            messageBytes: value(message.messageBytes, defaults.messageBytes),
            dataRows: value(message.dataRows, defaults.dataRows),
            dataBytes: value(message.dataBytes, defaults.dataBytes),
            textsPerRequest: perRequest, blobBytes: value(message.blobBytes, defaults.blobBytes),
            // A daemon that does not say it does not stream: it takes as many as it answers at once.
            textsPerStream: value(UInt64(message.textsPerStream), perRequest))
    }

    public var message: Hidra_V1_Limits {
        var message = Hidra_V1_Limits()
        message.messageBytes = UInt64(messageBytes)
        message.dataRows = UInt64(dataRows)
        message.dataBytes = UInt64(dataBytes)
        message.textsPerRequest = UInt32(clamping: textsPerRequest)
        message.blobBytes = UInt64(blobBytes)
        message.textsPerStream = UInt32(clamping: textsPerStream)
        return message
    }
}
