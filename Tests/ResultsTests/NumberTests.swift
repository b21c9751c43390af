import Testing

import Results

/// Numbers with their errors as people read them.
@Suite struct NumberTests {
  @Test(
    "Digits of a value and of its error",
    arguments: [
      (0.52261, 0.0015, "0.5226(15)"), (-76.034, 0.0512, "-76.034(51)"), (1200, 32, "1200(32)"), (0, 0.01, "0.000(10)"),
      (9.7739e-169, 3.2e-170, "9.77(32)e-169"), (9.9072e199, 3.5e198, "9.91(35)e+199"),
      (-6.6e-17, 3.5e-18, "-6.60(35)e-17"),
      (3e16, 1.2e16, "3.0(12)e+16"), (1e-20, 2e-3, "0.0000(20)"), (0x1.7p-1030, 0x1.7p-1032, "1.25(31)e-310"),
    ])
  func digits(value: Double, error: Double, text: String) { #expect(TextWriter.withError(value, error) == text) }
}
