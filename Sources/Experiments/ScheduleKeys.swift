/// The keys that say how long a process runs and when it is measured.
extension Schedule {
  public static let parameters: [Parameter] = [
    Parameter("steps", .integer(1...1_000_000_000_000), "steps that are measured, after warm-up"),
    Parameter("warm_up", .integer(0...1_000_000_000_000), default: .integer(0), "steps before them"),
    Parameter(
      "records", .integer(1...10_000), default: .integer(1),
      "equal pieces of the measured steps; a value is kept for each"),
    Parameter(
      "measure_every", .integer(1...1_000_000_000), default: .integer(1), unit: "steps", "time between measurements"),
  ]

  /// Reads the checked keys, and `frame_every` where the family has it.
  /// - Throws: `Failure` where one does not divide the other, with the nearest value that does.
  public init(_ p: Parameters, histogramEvery: Int = 10) throws {
    let (steps, records, measureEvery) = (p.integer("steps"), p.integer("records"), p.integer("measure_every"))
    let frameEvery = p["frame_every"] == nil ? nil : p.integer("frame_every")
    let unit = records * measureEvery
    guard steps % unit == 0 else {
      throw p.invalid(
        "steps",
        "must be a multiple of records x measure_every = \(unit); the nearest is \(Self.multiple(unit, steps))")
    }
    if let frameEvery {
      guard frameEvery % measureEvery == 0, frameEvery <= steps else {
        let nearest = Self.multiple(measureEvery, min(frameEvery, steps))
        throw p.invalid(
          "frame_every",
          "must be a multiple of measure_every = \(measureEvery), and at most steps; the nearest is \(nearest)")
      }
    }
    self.init(
      warmUp: p.integer("warm_up"), steps: steps, records: records, measureEvery: measureEvery,
      histogramEvery: histogramEvery, frameEvery: frameEvery)
  }

  /// The positive multiple that is nearest to a value.
  private static func multiple(_ unit: Int, _ value: Int) -> Int { max(1, (value + unit / 2) / unit) * unit }
}
