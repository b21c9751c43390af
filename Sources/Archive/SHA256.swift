import CCrypto

/// A call of libcrypto that failed: the call and the oldest entry of the library's error queue.
package struct CryptoError: Error, CustomStringConvertible, Sendable {
  package let call: String
  package let cause: String

  init(_ call: String) {
    self.call = call
    let code = ERR_get_error()
    ERR_clear_error()
    var text = [CChar](repeating: 0, count: 256)
    ERR_error_string_n(code, &text, text.count)
    cause = code == 0 ? "" : String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  package var description: String { "\(call) failed" + (cause.isEmpty ? "" : ": \(cause)") }
}

/// SHA-256 (FIPS 180-4) of bytes that come in pieces, by libcrypto. How they are cut does not matter.
package struct SHA256: ~Copyable {
  private let context: OpaquePointer

  package init() throws {
    guard let made = EVP_MD_CTX_new() else { throw CryptoError("EVP_MD_CTX_new") }
    guard EVP_DigestInit_ex(made, EVP_sha256(), nil) == 1 else {
      EVP_MD_CTX_free(made)
      throw CryptoError("EVP_DigestInit_ex")
    }
    context = made
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Appends bytes.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) throws {
    guard bytes.isEmpty || EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
      throw CryptoError("EVP_DigestUpdate")
    }
  }

  /// Appends bytes.
  package mutating func update(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try update($0) }
  }

  /// The 64 lower-case hexadecimal digits of the hash.
  package consuming func finalize() throws -> String {
    var hash = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    // The context is freed with this value, after the call.
    let code = withExtendedLifetime(self) { EVP_DigestFinal_ex($0.context, &hash, &length) }
    guard code == 1, length == 32 else { throw CryptoError("EVP_DigestFinal_ex") }
    let digits = Array("0123456789abcdef")
    return String(hash.prefix(32).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}
