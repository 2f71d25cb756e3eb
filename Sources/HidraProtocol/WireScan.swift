/// Looks at an envelope without decoding it: whose request it is, when it cannot be decoded, and how many tensors it
/// describes, before a list of that length is made.
///
/// Walks the top-level fields as the protobuf encoding lays them out (https://protobuf.dev/programming-guides/encoding)
/// as far as they make sense.
package enum WireScan {
    /// `request_id` (field 1), or 0 when it is not there.
    package static func requestID(in bytes: [UInt8]) -> UInt64 {
        var found: UInt64 = 0
        walk(bytes) { field, value in
            if field == 1, let value { found = value }
            return found == 0
        }
        return found
    }

    /// Whether there are more than `limit` entries of `tensors` (field 3).
    package static func describesMoreTensors(than limit: Int, in bytes: [UInt8]) -> Bool {
        var count = 0
        walk(bytes) { field, _ in
            if field == 3 { count += 1 }
            return count <= limit
        }
        return count > limit
    }

    /// Calls `visit` with each field's number, and its value if that is a varint, until it returns false.
    private static func walk(_ bytes: [UInt8], _ visit: (_ field: UInt64, _ value: UInt64?) -> Bool) {
        var index = 0
        while let tag = varint(bytes, &index) {
            var value: UInt64?
            switch tag & 7 {
            case 0:
                value = varint(bytes, &index)
                if value == nil { return }
            case 1: index += 8
            case 2:
                guard let length = varint(bytes, &index), length <= UInt64(bytes.count - index) else { return }
                index += Int(length)
            case 5: index += 4
            default: return
            }
            if !visit(tag >> 3, value) { return }
        }
    }

    private static func varint(_ bytes: [UInt8], _ index: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard index < bytes.count else { return nil }
            let byte = bytes[index]
            index += 1
            value |= shift < 64 ? UInt64(byte & 0x7F) << shift : 0
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
