import Experiments

/// The `.npy` format of NumPy, versions 1 to 3 (numpy.lib.format): real numbers of fixed size and booleans, either byte order, C or
/// Fortran order. Pickled objects are never opened.
package enum NumPyArray {
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  package static func read(_ bytes: [UInt8], file: String) throws -> NumberArray {
    func refused(_ words: String) -> Failure { Failure(.badData, "\(file): \(words)") }
    guard bytes.starts(with: magic), bytes.count >= 10 else { throw refused("is not a file of numpy.save (.npy)") }
    let version = bytes[6]
    guard (1...3).contains(version) else { throw refused("has version \(version) of the .npy format; 1 to 3 are read") }
    let lengthBytes = version == 1 ? 2 : 4
    let start = 8 + lengthBytes
    guard bytes.count >= start else { throw refused("is cut short in its header") }
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= 1 << 20, bytes.count - start >= length else { throw refused("is cut short in its header") }
    guard var header = Header(bytes[start..<start + length]) else {
      throw refused("has a header that is not that of a plain array of numbers; save it with numpy.save as a 2-D array")
    }

    // '<f8': byte order, kind, bytes a number.
    let order = header.type.first.flatMap { "<>|=".contains($0) ? header.type.removeFirst() : nil } ?? "|"
    guard let kind = header.type.first, let size = Int(header.type.dropFirst()),
      (kind == "f" && [4, 8].contains(size)) || ("iu".contains(kind) && [1, 2, 4, 8].contains(size))
        || (kind == "b" && size == 1)
    else {
      let words =
        switch header.type.first {
        case "O": " are Python objects, which are never unpickled"
        case "f": " are of a size that is not read"
        case "c": " are complex"
        case "S", "U": " are texts"
        case "V": " are records"
        default: " are no real numbers"
        }
      throw refused(
        "its entries (\(header.type))\(words); f4, f8, i1 to i8, u1 to u8 and bool are read: save a.astype(float)")
    }

    var count = 1
    for extent in header.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw refused("its shape \(header.shape) is absurd") }
      count = product
    }
    let body = bytes.count - start - length
    guard count <= body / size else {
      throw refused("is cut short: \(body) bytes of \(count) entries of \(size) bytes each, shape \(header.shape)")
    }
    guard count * size == body else {
      throw refused("holds \(body - count * size) bytes after its array; a file of one array is read")
    }

    let swapped = size > 1 && order == ">"
    var values: [Double] = []
    values.reserveCapacity(count)
    let first = start + length
    for index in 0..<count {
      let entry = header.isFortran ? fortran(index, header.shape) : index
      var bits: UInt64 = 0
      for byte in 0..<size {
        bits = bits << 8 | UInt64(bytes[first + entry * size + (swapped ? byte : size - 1 - byte)])
      }
      guard let value = number(bits, kind, size) else {
        throw refused("entry \(index) (in C order, from 0) is an integer that no double holds exactly")
      }
      values.append(value)
    }
    let type = kind == "b" ? "booleans" : "\(kind)\(size)"
    return try NumberArray(file: file, name: "", type: type, shape: header.shape, values: values)
  }

  /// nil for an integer that would be rounded.
  private static func number(_ bits: UInt64, _ kind: Character, _ size: Int) -> Double? {
    switch kind {
    case "f": size == 8 ? Double(bitPattern: bits) : Double(Float(bitPattern: UInt32(bits)))
    case "i": Double(exactly: Int64(bitPattern: bits << UInt64(64 - 8 * size)) >> Int64(64 - 8 * size))
    case "u": Double(exactly: bits)
    default: bits == 0 ? 0 : 1
    }
  }

  /// Where the entry with number `index` in C order is in Fortran order.
  private static func fortran(_ index: Int, _ shape: [Int]) -> Int {
    var (rest, place) = (index, 0)
    for (axis, extent) in shape.enumerated().reversed() {
      place += rest % extent * shape[..<axis].reduce(1, *)
      rest /= extent
    }
    return place
  }

  /// `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`: a Python dictionary with these three keys.
  private struct Header {
    var type = ""
    var isFortran = false
    var shape: [Int] = []

    init?(_ bytes: ArraySlice<UInt8>) {
      var text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }[...]
      func take(_ word: String) -> Bool {
        guard text.hasPrefix(word) else { return false }
        text = text.dropFirst(word.count)
        return true
      }
      guard take("{") else { return nil }
      var found: Set<String> = []
      while !take("}") {
        guard let key = ["descr", "fortran_order", "shape"].first(where: { take("'\($0)':") }),
          found.insert(key).inserted
        else { return nil }
        switch key {
        case "descr":
          guard take("'"), let end = text.firstIndex(of: "'") else { return nil }
          type = String(text[..<end])
          text = text[text.index(after: end)...]
        case "fortran_order":
          isFortran = text.hasPrefix("True")
          guard take("True") || take("False") else { return nil }
        default:
          guard take("(") else { return nil }
          while !take(")") {
            let digits = text.prefix { $0.isASCII && $0.isNumber }
            guard let extent = Int(digits) else { return nil }
            text = text.dropFirst(digits.count)
            shape.append(extent)
            guard take(",") || text.hasPrefix(")") else { return nil }
          }
        }
        guard take(",") || text.hasPrefix("}") else { return nil }
      }
      guard found.count == 3, text.isEmpty else { return nil }
    }
  }
}
