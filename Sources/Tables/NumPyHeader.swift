/// What stands before the values of an `.npy` file.
struct NumPyHeader {
    let element: NumPyArray.Element
    let shape: [Int]
    let isFortranOrder: Bool
    let isBigEndian: Bool
    /// Where the values begin.
    let end: Int

    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    private static let alignment = 64

    init(element: NumPyArray.Element, shape: [Int]) {
        self.element = element
        self.shape = shape
        (isFortranOrder, isBigEndian, end) = (false, false, 0)
    }

    /// Version 1.0, as `numpy.save` writes it.
    var encoded: [UInt8] {
        let sizes = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
        let order = element.size == 1 ? "|" : "<"
        var text = Array("{'descr': '\(order)\(element.rawValue)', 'fortran_order': False, 'shape': (\(sizes)), }".utf8)
        let prefix = Self.magic.count + 4
        let padding = (Self.alignment - (prefix + text.count + 1) % Self.alignment) % Self.alignment
        text += Array(repeating: 0x20, count: padding) + [0x0A]
        return Self.magic + [1, 0, UInt8(text.count & 0xFF), UInt8(text.count >> 8)] + text
    }

    /// - Throws: `.malformed`.
    init(decoding bytes: [UInt8]) throws(TableError) {
        let start = Self.magic.count
        guard bytes.starts(with: Self.magic), bytes.count >= start + 4 else {
            throw TableError(.malformed, "is no .npy file: it does not begin with NumPy's mark")
        }
        let version = bytes[start], lengthBytes = version == 1 ? 2 : 4
        guard (1...3).contains(version) else {
            throw TableError(.malformed, ".npy version \(version) is not supported; save the array with numpy.save")
        }
        guard bytes.count >= start + 2 + lengthBytes else {
            throw TableError(.malformed, "is cut off inside its header")
        }
        let length = (0..<lengthBytes).reduce(0) { $0 | Int(bytes[start + 2 + $1]) << (8 * $1) }
        let text = start + 2 + lengthBytes
        end = text + length
        guard end <= bytes.count else { throw TableError(.malformed, "is cut off inside its header") }
        let header = String(decoding: bytes[text..<end], as: UTF8.self)

        let type = header.firstRange(of: "'descr': '").map { header[$0.upperBound...].prefix { $0 != "'" } } ?? ""
        guard let order = type.first, "<>|=".contains(order),
            let element = NumPyArray.Element(rawValue: String(type.dropFirst()))
        else {
            throw TableError(
                .malformed, "must hold numbers or booleans of one type, not \(header.prefix(80)); convert with astype")
        }
        self.element = element
        isBigEndian = order == ">"
        guard header.contains("'fortran_order': ") else {
            throw TableError(.malformed, "does not say how it is ordered")
        }
        isFortranOrder = header.contains("'fortran_order': True")
        let sizes = header.firstRange(of: "'shape': (").map { header[$0.upperBound...].prefix { $0 != ")" } }
        guard
            let shape = sizes?.split(separator: ",").map({ $0.filter { $0 != " " } }).filter({ !$0.isEmpty }).map({
                Int($0)
            }),
            shape.allSatisfy({ $0.map { $0 >= 0 } ?? false }), shape.count <= NumPyArray.largestRank
        else {
            throw TableError(
                .malformed, "has no shape of sizes, at most \(NumPyArray.largestRank) of them: \(header.prefix(80))")
        }
        self.shape = shape.compactMap { $0 }
    }
}
