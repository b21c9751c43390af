import Archive
import Testing

/// The examples of FIPS 180-4 (csrc.nist.gov, "SHA256.pdf", and the long message of a million letters a).
@Suite struct SHA256Tests {
  static let examples: [(message: String, hash: String)] = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
  ]

  @Test(arguments: examples.indices)
  func examplesOfTheStandard(index: Int) throws {
    let (message, expected) = Self.examples[index]
    var hasher = try SHA256()
    try hasher.update(Array(message.utf8))
    #expect(try hasher.finalize() == expected)
  }

  /// Pieces of any length, empty ones too, hash as the whole does.
  @Test func piecesDoNotMatter() throws {
    let (message, expected) = Self.examples[3]
    let bytes = Array(message.utf8)
    for length in [1, 63, 64, 65, 4096] {
      var hasher = try SHA256()
      for start in stride(from: 0, to: bytes.count, by: length) {
        try hasher.update(Array(bytes[start..<min(start + length, bytes.count)]))
        try hasher.update([])
      }
      #expect(try hasher.finalize() == expected, "pieces of \(length)")
    }
  }
}
