import Experiments
import Kernels

/// Eigenvalues as a job gives them.
enum SpectrumChoice {
  static let words =
    "a table: { decay = 1.5, modes = 500 }, { decay = 2.0, modes = 1e18 }, { decay = 2.0, modes_per_sample = 8 }, { eigenvalues = [1.0, 0.5] } or { file = \"data/digits.csv\" }"

  static let parameters: [Parameter] =
    [
      Parameter(
        "decay", .real(.init(0, 20, openBelow: true)), optional: true, "a of the eigenvalues i^-a, or (1 + x)^-a"),
      Parameter(
        "modes", .real(.init(1, PowerLaw.mostModes)), optional: true,
        "modes of a power law, a whole number; above \(PowerLaw.mostSingle) those beyond the first `single` are in blocks"
      ),
      Parameter(
        "single", .integer(1...Int64(PowerLaw.mostSingle)), default: .integer(1000),
        "modes that are kept one by one where the others are in blocks"),
      Parameter(
        "per_decade", .integer(4...64), default: .integer(16),
        "blocks a decade of modes; a block has the sums of the eigenvalues and of the teacher that it stands for"),
      Parameter(
        "modes_per_sample", .integer(1...64), optional: true,
        "r of a spectrum that grows with the samples: (1 + x)^-a at x = (j - 1/2)/n, j = 1 … r n"),
      Parameter(
        "eigenvalues", .structured("an array of positive numbers"), optional: true, "the eigenvalues themselves"),
    ] + RegressionData.parameters

  /// What a teacher must know of a spectrum.
  enum Kind {
    case power(PowerLaw)
    case scaled(decay: Double, samples: Int, modes: Int)
    case list([Double])
    /// With the squared coefficients of the targets.
    case data([Double], [Double], fingerprint: String)
  }

  static func read(
    _ value: JobValue?, path: String, samples: Int, _ source: any DataSource
  ) throws -> Kind {
    let p = try Parameters(value, path: path, allowed: parameters)
    let given = ["modes", "modes_per_sample", "eigenvalues", "file"].filter { p[$0] != nil }
    guard given.count == 1 else {
      if given.count > 1 { throw p.invalid(given[1], "cannot be given together with \(given[0])") }
      throw Failure.invalid(key: path, value: value?.description, allowed: "must be " + words)
    }
    let isPower = given[0] == "modes" || given[0] == "modes_per_sample"
    if p["decay"] == nil, isPower { throw p.invalid("decay", "must be given with \(given[0])") }
    if p["decay"] != nil, !isPower { throw p.invalid("decay", "cannot be given together with \(given[0])") }
    switch given[0] {
    case "modes":
      let (decay, modes) = (p.real("decay"), p.real("modes"))
      guard modes.rounded() == modes else { throw p.invalid("modes", "must be a whole number") }
      guard modes <= Double(PowerLaw.mostSingle) || decay > 1 else {
        throw p.invalid(
          "decay",
          "must be above 1 with more than \(PowerLaw.mostSingle) modes: the eigenvalues are not summable, and what comes out depends on where they end"
        )
      }
      return .power(
        PowerLaw(
          decay: decay, teacher: nil, modes: modes, single: p.integer("single"), perDecade: p.integer("per_decade")))
    case "modes_per_sample":
      return .scaled(decay: p.real("decay"), samples: samples, modes: samples * p.integer("modes_per_sample"))
    case "eigenvalues":
      guard let found = p.numbers("eigenvalues"), found.allSatisfy({ $0 > 0 }), found.count <= 100_000 else {
        throw p.invalid("eigenvalues", "must be an array of at most 100000 positive finite numbers")
      }
      return .list(found)
    default:
      let data = try RegressionData(p, source)
      let (eigenvalues, squares) = data.spectrum()
      return .data(eigenvalues, squares, fingerprint: data.fingerprint)
    }
  }
}

/// A teacher as a job gives it.
enum TeacherChoice {
  static let words =
    "\"random\", { decay = 1.8 }, { coefficients = [1.0, -0.5] } or, of the spectrum of a file, \"targets\""

  static let parameters: [Parameter] = [
    Parameter(
      "decay", .real(.init(0, 20, openBelow: true)), optional: true,
      "b of the squared coefficients i^-b, or (1 + x)^-b/n of a spectrum that grows with the samples"),
    Parameter(
      "coefficients", .structured("an array of a number for each eigenvalue"), optional: true,
      "v, of listed eigenvalues"),
  ]

  /// The spectrum with this teacher, and whether each draw has a teacher of its own.
  static func read(
    _ value: JobValue?, path: String, _ kind: SpectrumChoice.Kind
  ) throws -> (spectrum: Spectrum, isDrawn: Bool) {
    let wrong = Failure.invalid(key: path, value: value?.description, allowed: "must be \(words)")
    if case .text(let name)? = value {
      switch (name, kind) {
      case ("random", _): return (try drawn(kind), true)
      case ("targets", .data(let eigenvalues, let squares, _)):
        return (spectrum(eigenvalues, squares), false)
      default:
        throw Failure.invalid(
          key: path, value: value?.description,
          allowed: "must be \(words)\(Nearest.hint(name, among: ["random", "targets"]))")
      }
    }
    guard case .table? = value else { throw wrong }
    let p = try Parameters(value, path: path, allowed: parameters)
    guard (p["decay"] == nil) != (p["coefficients"] == nil) else { throw wrong }
    if p["coefficients"] != nil {
      guard case .list(let eigenvalues) = kind else {
        throw p.invalid("coefficients", "needs a spectrum of listed eigenvalues")
      }
      guard let found = p.numbers("coefficients"), found.count == eigenvalues.count else {
        throw p.invalid("coefficients", "must be an array of \(eigenvalues.count) finite numbers, one an eigenvalue")
      }
      return (spectrum(eigenvalues, found.map { $0 * $0 }), false)
    }
    let b = p.real("decay")
    switch kind {
    case .power(let law):
      guard law.modes <= Double(PowerLaw.mostSingle) || b > 1 else {
        throw p.invalid("decay", "must be above 1 with more than \(PowerLaw.mostSingle) modes: |v|^2 is not summable")
      }
      return (
        PowerLaw(decay: law.decay, teacher: b, modes: law.modes, single: law.single, perDecade: law.perDecade).spectrum,
        false
      )
    case .scaled(let decay, let samples, let modes):
      return (ScaledPowerLaw(decay: decay, teacher: b, samples: samples, modes: modes).spectrum, false)
    case .list(let eigenvalues), .data(let eigenvalues, _, _):
      return (
        spectrum(eigenvalues, eigenvalues.indices.map { Elementary.exp(-b * Elementary.log(Double($0 + 1))) }), false
      )
    }
  }

  private static func spectrum(_ eigenvalues: [Double], _ squares: [Double]) -> Spectrum {
    Spectrum(zip(eigenvalues, squares).map { Spectrum.Block(eigenvalue: $0, teacher: $1) })
  }

  /// v ~ N(0, Lambda): in the mean |v|^2 of a block is the sum of its eigenvalues.
  private static func drawn(_ kind: SpectrumChoice.Kind) throws -> Spectrum {
    switch kind {
    case .power(let law): law.spectrum
    case .scaled(let decay, let samples, let modes):
      Spectrum(
        ScaledPowerLaw(decay: decay, teacher: decay, samples: samples, modes: modes).spectrum.blocks.map {
          Spectrum.Block(eigenvalue: $0.eigenvalue, teacher: $0.eigenvalue)
        })
    case .list(let eigenvalues), .data(let eigenvalues, _, _): spectrum(eigenvalues, eigenvalues)
    }
  }
}
