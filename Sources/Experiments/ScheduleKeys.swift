/// The keys that say how long a process runs and when it is measured.
extension Schedule {
  public static let parameters: [Parameter] = [
    Parameter("steps", .integer(counts), "steps that are measured, after warm-up"),
    Parameter("warm_up", .integer(0...counts.upperBound), default: .integer(0), "steps before them"),
    Parameter(
      "records", .integer(1...10_000), default: .integer(1),
      "equal pieces of the measured steps; a value is kept for each"),
    Parameter(
      "measure_every", .integer(1...1_000_000_000), default: .integer(1), unit: "steps", "time between measurements"),
  ]

  /// The keys of a chain that keeps one record.
  /// - Parameter moves: what its steps are.
  public static func chain(_ moves: String, warmUp: Int64, measureEvery: Int64) -> [Parameter] {
    [
      Parameter("steps", .integer(counts), "\(moves) that are measured, after warm-up"),
      Parameter("warm_up", .integer(counts), default: .integer(warmUp), "\(moves) before them"),
      Parameter(
        "measure_every", .integer(1...1_000_000_000), default: .integer(measureEvery), unit: "steps",
        "between measurements"),
    ]
  }

  private static let counts: ClosedRange<Int64> = 1...1_000_000_000_000

  /// Reads the checked keys, and `records` and `frame_every` where the family has them.
  /// - Throws: `Failure` where one does not divide the other, with the nearest value that does.
  public init(_ p: Parameters, histogramEvery: Int = 10) throws {
    let (steps, measureEvery) = (p.integer("steps"), p.integer("measure_every"))
    let (records, words) = p["records"] == nil ? (1, "") : (p.integer("records"), "records x ")
    let frameEvery = p["frame_every"] == nil ? nil : p.integer("frame_every")
    let unit = records * measureEvery
    guard steps % unit == 0 else {
      throw p.invalid(
        "steps",
        "must be a multiple of \(words)measure_every = \(unit); the nearest is \(Self.multiple(unit, steps))")
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
