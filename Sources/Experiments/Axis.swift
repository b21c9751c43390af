/// What the records of a draw are numbered by: the layer of a network, the step of a particle system, a time, an epoch, a sample size.
public struct Axis: Sendable, Equatable, Codable {
  /// Name of the coordinate in files, e.g. `layer`.
  public let name: String
  /// Unit as the catalog names it; `1` for pure numbers.
  public let unit: String
  /// One sentence for readers of the file.
  public let summary: String
  /// Where it is measured, strictly ascending.
  public let values: [Double]

  public init(name: String, unit: String = "1", summary: String, values: [Double]) {
    self.name = name
    self.unit = unit
    self.summary = summary
    self.values = values
  }

  public var count: Int { values.count }

  /// A coordinate as people write it: whole numbers without a point.
  public static func label(_ value: Double) -> String {
    value.rounded() == value && value.magnitude < 1e15 ? String(Int64(value)) : String(value)
  }

  public static func layers(_ layers: [Int]) -> Axis {
    Axis(name: "layer", summary: "number of hidden layers passed", values: layers.map(Double.init))
  }

  public static func steps(_ steps: [Int]) -> Axis {
    Axis(name: "step", unit: "steps", summary: "steps made at the end of the record", values: steps.map(Double.init))
  }
}
