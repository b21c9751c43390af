/// Numbers as text files hold them: an optional sign, digits with at most one point, an optional exponent. No hexadecimal numbers, grouped
/// digits, decimal commas or words such as inf.
enum DecimalNumber {
  /// 10^0 ... 10^22, which doubles hold exactly.
  private static let powers: [Double] = (0..<22).reduce(into: [1.0]) { powers, _ in powers.append(powers.last! * 10) }

  /// The nearest double, infinite beyond the largest one; nil for anything that is not such a number.
  ///
  /// Up to 2^53 with a power of ten up to 22 both factors are exact, so one operation rounds correctly (Clinger, 1990); other numbers go
  /// through `Double.init`.
  static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
    var at = 0
    func isDigit() -> Bool { at < text.count && text[at] >= 0x30 && text[at] <= 0x39 }
    let negative = !text.isEmpty && text[0] == 0x2D
    if negative || (!text.isEmpty && text[0] == 0x2B) { at = 1 }
    var mantissa: UInt64 = 0
    var digits = 0
    var scale = 0
    func digit(_ scaled: Int) {
      if mantissa < 1 << 53 { mantissa = mantissa * 10 + UInt64(text[at] - 0x30) }
      digits += 1
      scale -= scaled
      at += 1
    }
    while isDigit() { digit(0) }
    if at < text.count, text[at] == 0x2E {
      at += 1
      while isDigit() { digit(1) }
    }
    guard digits > 0 else { return nil }
    if at < text.count, text[at] | 0x20 == 0x65 {
      at += 1
      let below = at < text.count && text[at] == 0x2D
      if below || (at < text.count && text[at] == 0x2B) { at += 1 }
      guard isDigit() else { return nil }
      var exponent = 0
      while isDigit() {
        exponent = min(exponent * 10 + Int(text[at] - 0x30), 1_000_000)
        at += 1
      }
      scale += below ? -exponent : exponent
    }
    guard at == text.count else { return nil }
    guard mantissa <= 1 << 53, abs(scale) <= 22 else { return Double(String(decoding: text, as: UTF8.self)) }
    let magnitude = scale < 0 ? Double(mantissa) / powers[-scale] : Double(mantissa) * powers[scale]
    return negative ? -magnitude : magnitude
  }
}
