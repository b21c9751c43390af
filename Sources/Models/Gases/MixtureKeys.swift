import Experiments

/// The keys of a mixture.
enum MixtureKeys {
  static let mostSpecies = 8
  static let mostParticles = 1 << 30
  /// Steps of one replica; they number random words.
  static let mostSteps: Int64 = 1 << 31

  private static let ofSteps = ["step", "steps", "records", "probability"]
  private static let ofEvents = ["times"]

  static let parameters: [Parameter] = [
    Parameter(
      "masses", .structured("an array of 1 to \(mostSpecies) numbers above 0, one for each species"), "m_a"),
    Parameter("numbers", .structured("an array of an integer of at least 1 for each species"), "N_a"),
    Parameter(
      "multiple", .integer(1...Int64(mostParticles)), default: .integer(1),
      small: .init(.inverse, "N", companions: ["draws"], fluctuations: true), "factor of every number"),
    Parameter(
      "temperatures", .structured("an array of a number above 0 for each species"), "T_a at the start"),
    Parameter(
      "rates", .structured("a number above 0, or a symmetric matrix of numbers above 0, an array of its rows"),
      default: .real(1), unit: "1/time",
      "C_ab: a pair of species a and b with relative velocity g collides at rate C_ab |g|^exponent/N"),
    Parameter(
      "exponent", .real(.init(0, 1)), default: .real(0),
      "gamma: 0 Maxwell molecules, 1 hard spheres, between them variable hard spheres"),
    Parameter(
      "start", .choice(MixtureGas.Law.allCases.map(\.rawValue)), default: .text("maxwellian"),
      "law of the velocities at the start; bkw: that of the exact solution of Bobylev, Krook and Wu"),
    Parameter(
      "shape", .real(.init(0.6, 1)), optional: true, "K_0 of start = \"bkw\"; 0.6 unless given"),
    Parameter(
      "scaled", .boolean, default: .boolean(true),
      "whether each species is centred and scaled to its temperature exactly, which takes the noise of the energy away"),
    Parameter(
      "tails", .structured("an array of at most 8 speeds above 0"), default: .list([]),
      "the share of each species with a greater speed is measured"),
    Parameter(
      "dynamics", .choice(["events", "steps"]), default: .text("events"),
      "events: collision by collision, exact in time; steps: in steps of length h, shared by ranks, with a bias of order h"
    ),
    Parameter(
      "times", .structured("an ascending array of at most \(StepRecords.most) numbers of at least 0"), optional: true,
      unit: "time", "when dynamics = \"events\" is measured"),
    Parameter(
      "step", .real(.init(0, 1e6, openBelow: true)), optional: true, unit: "time",
      small: .init(.direct, "h", companions: ["steps", "draws"]), "h, of dynamics = \"steps\""),
    Parameter("steps", .integer(1...mostSteps), optional: true, "steps of a replica, of dynamics = \"steps\""),
    Parameter(
      "records", .integer(1...Int64(StepRecords.most)), optional: true,
      "equal pieces of the steps of dynamics = \"steps\", each measured at its end; 1 unless given"),
    Parameter(
      "probability", .choice(["exponential", "linear"]), optional: true,
      "p of a pair in a step, of x = C|g|^exponent h f: exponential (unless given), 1 - exp(-x); linear: x, which must not exceed 1. Of dynamics = \"steps\""
    ),
  ]

  static func read(_ p: Parameters) throws -> DrawnProblemModel {
    let gas = try gas(p)
    let tails = try positives(p, "tails", count: nil, most: 8, what: "speeds")
    let isStepped = p.text("dynamics") == "steps"
    for key in isStepped ? ofEvents : ofSteps where p[key] != nil {
      throw p.invalid(
        key, "is a key of dynamics = \"\(isStepped ? "events" : "steps")\" only, not of \"\(p.text("dynamics"))\"")
    }
    guard isStepped else { return DrawnProblemModel(MixtureProblem(gas, tails: tails, times: try times(p)), p) }
    for key in ["step", "steps"] where p[key] == nil {
      throw p.invalid(key, "must be given for dynamics = \"steps\"")
    }
    let (steps, records) = (p.integer("steps"), p["records"] == nil ? 1 : p.integer("records"))
    guard steps % records == 0 else { throw p.invalid("records", "must divide steps, \(steps)") }
    let process = MixtureSteps(
      gas, MixtureMeasurement(gas: gas, tails: tails), step: p.real("step"),
      isLinear: p["probability"] != nil && p.text("probability") == "linear",
      schedule: Schedule(steps: steps, records: records, measureEvery: steps / records))
    if process.isLinear && gas.isMaxwell {
      let worst = gas.pairings.filter { process.pairs($0) > 0 }.map(process.factor).max() ?? 0
      guard worst <= 1 else {
        throw p.invalid(
          "step",
          "must be at most \(process.step / worst) for probability = \"linear\": the probability C h f of a collision would be \(worst)"
        )
      }
    }
    return DrawnProblemModel(MixtureProblem(process), replicas: Experiment(process), p)
  }

  private static func gas(_ p: Parameters) throws -> MixtureGas {
    let masses = try positives(p, "masses", count: nil, most: mostSpecies, what: "masses", least: 1)
    let count = masses.count
    let temperatures = try positives(p, "temperatures", count: count, most: count, what: "temperatures")
    let numbers = try numbers(p, count)
    let rates = try rates(p, count)
    let law = MixtureGas.Law(rawValue: p.text("start"))!
    if p["shape"] != nil && law != .bkw { throw p.invalid("shape", "is a key of start = \"bkw\" only") }
    if law == .bkw && count > 1 { throw p.invalid("start", "must be maxwellian: bkw is a solution for one species") }
    let isScaled = p.boolean("scaled")
    if isScaled, let a = numbers.firstIndex(of: 1) {
      throw p.invalid(
        "numbers",
        "species \(a) has one particle, which cannot be centred and have a temperature: take at least 2, or scaled = false"
      )
    }
    return MixtureGas(
      masses: masses, numbers: numbers, temperatures: temperatures, rates: rates, exponent: p.real("exponent"),
      start: .init(law, shape: p["shape"] == nil ? 0.6 : p.real("shape"), isScaled: isScaled))
  }

  private static func positives(
    _ p: Parameters, _ key: String, count: Int?, most: Int, what: String, least: Int = 0
  ) throws -> [Double] {
    let words =
      count.map { "must be an array of \($0) finite numbers above 0, one for each of the masses" }
      ?? "must be an array of \(least == 0 ? "at most" : "\(least) to") \(most) finite \(what) above 0"
    guard case .list(let items)? = p[key], case let found = items.compactMap(\.number), found.count == items.count,
      (least...most).contains(found.count), count.map({ $0 == found.count }) ?? true,
      found.allSatisfy({ $0 > 1e-100 && $0 < 1e100 })
    else { throw p.invalid(key, words) }
    return found
  }

  private static func numbers(_ p: Parameters, _ count: Int) throws -> [Int] {
    guard case .list(let items)? = p["numbers"], case let found = items.compactMap(\.integer),
      found.count == items.count, found.count == count, found.allSatisfy({ (1...Int64(mostParticles)).contains($0) })
    else {
      throw p.invalid(
        "numbers", "must be an array of \(count) integers in [1, \(mostParticles)], one for each of the masses")
    }
    let multiple = p.integer("multiple")
    let total = found.reduce(0) { $0 + Int($1) }
    guard total <= mostParticles / multiple else {
      throw p.invalid(
        "multiple", "would make \(Double(total) * Double(multiple)) particles, more than \(mostParticles)")
    }
    guard total * multiple >= 2 else {
      throw p.invalid("numbers", "must be 2 particles or more altogether: one has nobody to collide with")
    }
    return found.map { Int($0) * multiple }
  }

  private static func rates(_ p: Parameters, _ count: Int) throws -> [Double] {
    let words =
      "must be a finite number above 0, or a symmetric \(count) x \(count) matrix of such numbers, an array of its rows"
    func isRate(_ x: Double) -> Bool { x > 1e-100 && x < 1e100 }
    if let one = p["rates"]?.number {
      guard isRate(one) else { throw p.invalid("rates", words) }
      return Array(repeating: one, count: count * count)
    }
    guard case .list(let rows)? = p["rates"], rows.count == count else { throw p.invalid("rates", words) }
    let matrix = try rows.map { row -> [Double] in
      guard case .list(let items) = row, case let found = items.compactMap(\.number), found.count == count,
        items.count == count, found.allSatisfy(isRate)
      else { throw p.invalid("rates", words) }
      return found
    }
    for a in 0..<count {
      for b in 0..<a where matrix[a][b] != matrix[b][a] {
        throw p.invalid(
          "rates", "must be symmetric: entry (\(a), \(b)) is \(matrix[a][b]), entry (\(b), \(a)) is \(matrix[b][a])")
      }
    }
    return matrix.flatMap { $0 }
  }

  private static func times(_ p: Parameters) throws -> [Double] {
    guard case .list(let items)? = p["times"], case let found = items.compactMap(\.number),
      found.count == items.count, (1...StepRecords.most).contains(found.count),
      found.allSatisfy({ $0 >= 0 && $0 < 1e12 }), zip(found, found.dropFirst()).allSatisfy(<)
    else {
      throw p.invalid(
        "times", "must be an ascending array of 1 to \(StepRecords.most) finite numbers of at least 0")
    }
    return found
  }
}
