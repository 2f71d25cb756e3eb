/// Token texts and their ids, both ways.
///
/// One copy of the texts: their UTF-8 lies end to end in `text`, with the span of each id beside it and an
/// open-addressing table of (hash, id) over it. A dictionary keyed by `String` would equate canonically equivalent
/// tokens, and would need a new string for each of the many lookups that a longest match makes.
struct Vocabulary: Sendable {
    /// Ids are indices into weights and arrays, so they are bounded; the largest published vocabularies have 10^6.
    static let idLimit = 1 << 22

    private var text: [UInt8] = []
    /// Start of the token of each id in `text`, or `Self.absent`.
    private var starts: [UInt32] = []
    private var lengths: [UInt32] = []
    /// Upper half: hash; lower half: id. `Self.empty` where free.
    private var slots: [UInt64]
    private(set) var count = 0
    /// Scalars of the longest token.
    private(set) var longest = 0

    private static let absent = UInt32.max
    private static let empty = UInt64.max

    init(minimumCapacity: Int = 0) {
        slots = Array(repeating: Self.empty, count: Self.slotCount(for: minimumCapacity))
    }

    /// The smallest number above every id, so the rows of an embedding table that fits.
    var idUpperBound: Int { starts.count }

    /// Adds a token.
    ///
    /// Throws: `.invalid` where the id is out of bounds or taken, or the token is there already.
    mutating func insert(_ token: ArraySlice<UInt8>, id: Int) throws(TokenizerError) {
        guard 0..<Self.idLimit ~= id else {
            throw TokenizerError(
                .invalid, "token '\(Self.display(token))' has id \(id), which is not in 0..<\(Self.idLimit)")
        }
        if id >= starts.count {
            starts.append(contentsOf: repeatElement(Self.absent, count: id + 1 - starts.count))
            lengths.append(contentsOf: repeatElement(0, count: id + 1 - lengths.count))
        }
        if let other = bytes(of: Int32(id)) {
            throw TokenizerError(
                .invalid, "id \(id) is given to both '\(Self.display(other))' and '\(Self.display(token))'")
        }
        if (count + 1) * 2 > slots.count { grow() }
        let (hash, scalars) = Self.hash(token)
        guard find(hash, where: { $0 == token }) == nil else {
            throw TokenizerError(.invalid, "token '\(Self.display(token))' occurs twice in the vocabulary")
        }
        starts[id] = UInt32(text.count)
        lengths[id] = UInt32(token.count)
        text.append(contentsOf: token)
        place(hash, id: Int32(id))
        count += 1
        longest = max(longest, scalars)
    }

    /// UTF-8 of a token, or nil where no token has the id.
    func bytes(of id: Int32) -> ArraySlice<UInt8>? {
        let index = Int(id)
        guard starts.indices.contains(index), starts[index] != Self.absent else { return nil }
        let start = Int(starts[index])
        return text[start..<(start + Int(lengths[index]))]
    }

    func id(of token: ArraySlice<UInt8>) -> Int32? {
        find(Self.hash(token).hash, where: { $0 == token })
    }

    func id(of token: String) -> Int32? {
        id(of: Array(token.utf8)[...])
    }

    /// The id whose text has this hash and satisfies `matches`.
    @inline(__always)
    func find(_ hash: VocabularyHash, where matches: (ArraySlice<UInt8>) -> Bool) -> Int32? {
        let mask = slots.count - 1
        let tag = hash.tag
        var slot = Int(truncatingIfNeeded: tag) & mask
        while slots[slot] != Self.empty {
            if slots[slot] >> 32 == tag {
                let id = Int32(truncatingIfNeeded: slots[slot])
                let start = Int(starts[Int(id)])
                if matches(text[start..<(start + Int(lengths[Int(id)]))]) { return id }
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// Hash of UTF-8, and its number of scalars.
    static func hash(_ token: ArraySlice<UInt8>) -> (hash: VocabularyHash, scalars: Int) {
        var hash = VocabularyHash()
        var count = 0
        var at = token.startIndex
        while at < token.endIndex {
            hash.add(UTF8Text.next(token, &at))
            count += 1
        }
        return (hash, count)
    }

    private mutating func place(_ hash: VocabularyHash, id: Int32) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash.tag) & mask
        while slots[slot] != Self.empty { slot = (slot + 1) & mask }
        slots[slot] = hash.tag << 32 | UInt64(UInt32(bitPattern: id))
    }

    private mutating func grow() {
        slots = Array(repeating: Self.empty, count: Self.slotCount(for: count * 2 + 1))
        for id in starts.indices {
            guard let token = bytes(of: Int32(id)) else { continue }
            place(Self.hash(token).hash, id: Int32(id))
        }
    }

    /// A power of two that leaves at least half of the slots free.
    private static func slotCount(for tokens: Int) -> Int {
        var slots = 64
        while slots < tokens * 2 { slots *= 2 }
        return slots
    }

    private static func display(_ token: ArraySlice<UInt8>) -> String {
        String(decoding: token.prefix(60), as: UTF8.self)
    }
}

/// Hash of a token, taken scalar by scalar, so that the hashes of all beginnings of a word cost one pass over it.
struct VocabularyHash: Sendable {
    private var state = seed

    /// Differs from run to run, so that no file can be made whose tokens all collide.
    private static let seed = UInt64.random(in: .min ... .max)

    mutating func add(_ scalar: UInt32) {
        state = (state ^ UInt64(scalar)) &* 0x9E37_79B9_7F4A_7C15
        // Multiplication carries only upwards; this lets the low half see the high one.
        state ^= state >> 29
    }

    /// 32 well-mixed bits.
    var tag: UInt64 { (state ^ state >> 32) & 0xFFFF_FFFF }
}
