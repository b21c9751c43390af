/// How a statistic behaves as the axis x goes to infinity, as the depth of networks does.
public struct DepthLaw: Sendable, Equatable, Codable {
  public enum Form: String, Sendable, Codable, CaseIterable {
    /// $a x^p$: the exponent p, the constant a.
    case power
    /// $a + r x$, of means: the rate r. Of a logarithm, the exponent of exponential growth.
    case rate
  }

  public let form: Form
  /// A mean or a variance.
  public let statistic: Statistic
  public let observable: String
  /// p, or r.
  public let exponent: Double
  /// a; nil where it is not known.
  public let constant: Double?

  public init(_ form: Form, _ statistic: Statistic, of observable: String, exponent: Double, constant: Double? = nil) {
    (self.form, self.statistic, self.observable) = (form, statistic, observable)
    (self.exponent, self.constant) = (exponent, constant)
  }
}

/// `[exponents]`: which law is fitted over depth, from where on, and which difference of exponents counts.
public struct DepthLawRequest: Sendable, Equatable, Codable {
  public let form: DepthLaw.Form
  /// First point of the axis that is used.
  public let from: Double
  public let tolerance: Double

  public init(_ form: DepthLaw.Form, from: Double, tolerance: Double) {
    (self.form, self.from, self.tolerance) = (form, from, tolerance)
  }

  public static let table = TableEntry(
    name: "exponents",
    summary: "asks for laws over depth: exponents and constants, from the layers of each case or a sweep of depths",
    parameters: [
      Parameter(
        "law", .choice(DepthLaw.Form.allCases.map(\.rawValue)), default: .text(DepthLaw.Form.power.rawValue),
        "power: means and variances like a depth^p; rate: what means gain a layer, of logarithms the rate of exponential growth"
      ),
      Parameter("from", .integer(1...1_000_000_000), default: .integer(1), "first layer that is used"),
      Parameter(
        "tolerance", .real(.above(0)), default: .real(0.1), "of exponents and rates against what is known of them"),
    ])

  public init(_ p: Parameters) {
    self.init(
      DepthLaw.Form(rawValue: p.text("law"))!, from: Double(p.integer("from")), tolerance: p.real("tolerance"))
  }
}
