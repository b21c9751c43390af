import Experiments
import Kernels

/// The keys of a tagged particle.
enum TaggedKeys {
  static let parameters: [Parameter] = [
    Parameter(
      "gamma", .real(.init(-1, 1, openBelow: true)), default: .real(0),
      "collisions at rate C |w - u|^gamma; 0: Maxwell molecules, 1: hard spheres, below 0: soft"),
    Parameter("rate", .real(.above(0)), default: .real(1), "C"),
    Parameter(
      "theta", .real(.above(0)), default: .real(1),
      "variance of a component of the velocities of the gas about its flow"),
    Parameter("mass", .real(.above(0)), default: .real(1), "of the particle"),
    Parameter("bath_mass", .real(.above(0)), default: .real(1), "of a molecule of the gas"),
    Parameter("shear", .real(.finite), default: .real(0), "K: the flow K x_2 in direction 1; L_0 = K e_1 e_2^T + k I"),
    Parameter("dilation", .real(.finite), default: .real(0), "k: the flow k x/(1 + kt)"),
    Parameter(
      "matrix", .structured("three arrays of three finite numbers"), optional: true,
      "L_0 in place of shear and dilation; the flow is L_0 (I + t L_0)^-1 x"),
    Parameter(
      "times", .structured("\(timesWords)"), "when a path is measured; the last is its end"),
    Parameter(
      "start", .structured(startWords), default: .text("equilibrium"),
      "w at time 0; equilibrium: N(0, theta bath_mass/mass), what it is without a flow"),
    Parameter(
      "moments", .boolean, default: .boolean(true),
      "whether w, S and |w|^4 are measured, besides log |w| and collisions"),
    Parameter(
      "positions", .boolean, default: .boolean(false), "whether the place in the laboratory is measured, from x = 0 on"),
  ]

  private static let timesWords =
    "an ascending array of 1 to \(records) positive numbers, or { first = …, last = …, count = …, spacing = \"log\" or \"linear\" }"
  private static let startWords =
    "\"equilibrium\", or { velocity = [three numbers], covariance = a number of at least 0 or three arrays of three numbers }"

  /// Most proposed collisions that a path may need.
  static let most = 1e9
  /// Most times: the moments of each are worked out.
  static let records = 1000

  static func model(_ p: Parameters) throws -> TaggedParticle {
    let law = TaggedCollisions(
      gamma: p.real("gamma"), rate: p.real("rate"), theta: p.real("theta"), mass: p.real("mass"),
      bathMass: p.real("bath_mass"), sampler: TaggedCollisions.Sampler(rawValue: p.text("sampler"))!)
    let (deformation, key) = try deformation(p)
    let times = try times(p)
    let end = times[times.count - 1]
    if let singular = deformation.singularTime(before: end) {
      throw p.invalid(
        key,
        "det(I + t L_0) must stay above 0 until the last time, \(end); it is 0 at t = \(singular), where the flow has no inverse"
      )
    }
    try checkLength(p, law, deformation, end)
    return TaggedParticle(
      deformation, law, start: try start(p, law), times: times, moments: p.boolean("moments"),
      positions: p.boolean("positions"))
  }

  /// What a path costs, and whether its numbers have a range.
  private static func checkLength(
    _ p: Parameters, _ law: TaggedCollisions, _ deformation: Deformation, _ end: Double
  ) throws {
    let own = law.rate * Elementary.power(law.theta, 0.5 * law.gamma)
    let strength = deformation.start.norm
    // Below 0 a shear that competes with the collisions carries a path away, at the cost of log t. Until then, of equal masses about e^(1.8 own/|gamma| K) collisions pass, 1e6 at the shear that is asked for.
    let least = -0.13 * own / law.gamma
    let escapes = law.gamma < 0 && deformation.kind == .shear && strength >= least
    if !escapes, end * own > most {
      throw p.invalid(
        "times",
        "would need more than \(most) collisions a path: times must end by \(most / own)\(law.gamma < 0 ? ", unless a shear of at least \(least) makes them rare" : "")"
      )
    }
    if escapes {
      let reach = (1 - 1 / law.gamma) * Elementary.log(max(1, end * max(strength, own)))
      guard reach < 320 else {
        throw p.invalid(
          "times", "is too long for gamma = \(law.gamma): |w| would grow like t^\(1 - 1 / law.gamma), beyond 1e139")
      }
    }
  }

  private static func deformation(_ p: Parameters) throws -> (Deformation, key: String) {
    let (shear, dilation) = (p.real("shear"), p.real("dilation"))
    guard let value = p["matrix"] else {
      let matrix = Matrix3(SIMD3(dilation, shear, 0), SIMD3(0, dilation, 0), SIMD3(0, 0, dilation))
      return (Deformation(matrix), "dilation")
    }
    guard let rows = matrix(value) else { throw p.invalid("matrix", "must be three arrays of three finite numbers") }
    guard shear == 0, dilation == 0 else {
      throw p.invalid("matrix", "takes the place of shear and dilation: leave those out")
    }
    return (Deformation(Matrix3(rows)), "matrix")
  }

  private static func vector(_ value: JobValue?) -> [Double]? {
    guard case .list(let items)? = value, items.count == 3 else { return nil }
    let found = items.compactMap(\.number).filter(\.isFinite)
    return found.count == 3 ? found : nil
  }

  private static func matrix(_ value: JobValue?) -> [[Double]]? {
    guard case .list(let rows)? = value, rows.count == 3 else { return nil }
    let found = rows.compactMap(vector)
    return found.count == 3 ? found : nil
  }

  static func times(_ p: Parameters) throws -> [Double] {
    let wrong = p.invalid("times", "must be \(timesWords)")
    switch p["times"] {
    case .list(let items)?:
      let found = items.compactMap(\.number).filter { $0 > 0 && $0.isFinite }
      guard (1...records).contains(items.count), found.count == items.count else { throw wrong }
      if let i = (1..<max(1, found.count)).first(where: { found[$0] <= found[$0 - 1] }) {
        throw p.invalid("times", "must be ascending: \(found[i]) comes after \(found[i - 1])")
      }
      return found
    case .table(let table)?:
      let q = try Parameters(
        .table(table), path: "\(p.path).times",
        allowed: [
          Parameter("first", .real(.above(0)), "the first time"), Parameter("last", .real(.above(0)), "the last time"),
          Parameter("count", .integer(2...Int64(records)), "number of times"),
          Parameter("spacing", .choice(["log", "linear"]), default: .text("log"), "of the times"),
        ], isSwept: false)
      let (first, last, count) = (q.real("first"), q.real("last"), q.integer("count"))
      guard first < last else { throw q.invalid("last", "must be above first, \(first)") }
      let inside = (1..<count - 1).map { i -> Double in
        let share = Double(i) / Double(count - 1)
        return q.text("spacing") == "log"
          ? first * Elementary.exp(share * Elementary.log(last / first)) : first + share * (last - first)
      }
      let found = [first] + inside + [last]
      guard zip(found, found.dropFirst()).allSatisfy(<) else {
        throw q.invalid("count", "leaves no room between times: fewer, or further apart")
      }
      return found
    default: throw wrong
    }
  }

  private static func start(_ p: Parameters, _ law: TaggedCollisions) throws -> TaggedStart {
    let wrong = p.invalid("start", "must be \(startWords)\(Nearest.hint(p["start"], among: ["equilibrium"]))")
    switch p["start"] {
    case .text("equilibrium")?: return TaggedStart(variance: law.equilibrium)
    case .table(let table)?:
      let q = try Parameters(
        .table(table), path: "\(p.path).start",
        allowed: [
          Parameter("velocity", .structured("three finite numbers"), optional: true, "the mean of w"),
          Parameter(
            "covariance", .structured("a number of at least 0, or three arrays of three numbers"), optional: true, "S_0"
          ),
        ])
      guard q["velocity"] != nil || q["covariance"] != nil else { throw wrong }
      guard let mean = q["velocity"] == nil ? [0, 0, 0] : vector(q["velocity"]) else {
        throw q.invalid("velocity", "must be three finite numbers")
      }
      let words =
        "must be a number of at least 0, or a symmetric positive definite matrix: three arrays of three numbers"
      var covariance = Array(repeating: [0.0, 0, 0], count: 3)
      if let number = q["covariance"]?.number {
        guard number >= 0, number.isFinite else { throw q.invalid("covariance", words) }
        for i in 0..<3 { covariance[i][i] = number }
      } else if let given = q["covariance"] {
        guard let rows = matrix(given), (0..<3).allSatisfy({ i in (0..<i).allSatisfy { rows[i][$0] == rows[$0][i] } })
        else { throw q.invalid("covariance", words) }
        covariance = rows
      }
      guard let found = TaggedStart(mean: SIMD3(mean), covariance: covariance) else {
        throw q.invalid("covariance", words)
      }
      return found
    default: throw wrong
    }
  }
}

extension TaggedParticle {
  static let entry = GasFamily.entry(
    name: "tagged-particle", summary: "a particle in a gas whose flow is sheared, dilated or deformed in another way",
    equation:
      "dw/dt = -L(t) w, L = L_0 (I + t L_0)^-1; collisions with u ~ N(0, theta I) at rate C |w - u|^gamma, w' = mu_a w + mu_b u + mu_b |w - u| s",
    reference: "arXiv:2506.15449; docs/tagged-particle.md", draws: "independent paths",
    samplers: [
      ("automatic", "windows where they need fewer candidates"),
      ("plain", "one bound of the rate to the next record; slower, of the same law"),
      ("windows", "bounds within windows wherever there are some"),
    ],
    observables: [
      "w", "S", "square", "fourth", "log_speed", "drift", "collisions", "collision_rate", "candidates", "X", "V",
    ],
    parameters: TaggedKeys.parameters
  ) { p, _ in DrawnProblemModel(try TaggedKeys.model(p), p) }
}
