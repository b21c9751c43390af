import Experiments
import Kernels
import Randomness

/// What a box holds: its size, the mass in it, its signals and how it starts.
package struct BoxSettings: Sendable {
  package let modes: CosineModes
  /// M, the mean of the density.
  package let mass: Double
  package let tau, epsilon: Double
  /// h.
  package let step: Double
  /// The density at the start is $M (1 + A \cos(\pi m x_1/L))$.
  package let amplitude: Double
  package let startMode: Int
  /// Whether the signals begin in balance with it, or at 0.
  package let startsInBalance: Bool
  /// Modes that are measured: wave numbers up to this one in each dimension.
  package let observed: Int
  package let schedule: Schedule

  package static let methods = ["particles", "density"]
  /// Most modes of a box, over all dimensions.
  static let mostModes = 1 << 16
  /// Most observables of one job.
  static let mostObserved = 512

  private static let companions = ["steps", "warm_up", "measure_every", "records", "draws"]

  static let parameters: [Parameter] =
    [
      Parameter("dimension", .integer(1...3), default: .integer(1), "d"),
      Parameter("length", .real(.init(0, 1e6, openBelow: true)), default: .real(1), "L, side of the box [0, L]^d"),
      Parameter("mass", .real(.init(0, 1e9, openBelow: true)), "M, mean of the density over the box"),
      Parameter(
        "tau", .real(.init(0, 1e9)), default: .real(0), "diffusion of the second signal w"),
      Parameter(
        "eps", .real(.init(0, 1e9)), unit: "time",
        small: .init(.direct, "eps", companions: companions + ["step"], ratios: ["tau"]),
        "time that the signals take; 0: they follow at once"),
      Parameter(
        "method", .choice(methods), default: .text("particles"),
        "particles: N particles, draws are replicas; density: the equation of infinitely many, without chance"),
      Parameter(
        "number", .integer(1...(1 << 22 - 1)), optional: true,
        small: .init(.inverse, "N", companions: companions, fluctuations: true), "N, particles of one system"),
      Parameter("modes", .integer(1...1024), default: .integer(32), "K: cosine modes 0 … K in each dimension"),
      Parameter(
        "step", .real(.init(0, 1e6, openBelow: true)), unit: "time",
        small: .init(.direct, "h", companions: companions), "step size h"),
      Parameter(
        "start_amplitude", .real(.init(-1, 1)), default: .real(0),
        "A: particles start with the density M (1 + A cos(pi m x_1/L))"),
      Parameter("start_mode", .integer(1...1024), default: .integer(1), "m"),
      Parameter(
        "start_signals", .choice(["zero", "balance"]), default: .text("zero"),
        "zero: c = w = 0; balance: as they are where the density does not change"),
      Parameter(
        "observed_modes", .integer(1...1024), default: .integer(1),
        "modes that are measured: wave numbers up to this one in each dimension"),
    ] + Schedule.parameters + [
      Parameter(
        "frame_every", .integer(1...1_000_000_000), optional: true, unit: "steps",
        "steps between frames: positions of replica 0 with c there, and a series of every replica, are kept"),
      Parameter(
        "framed_particles", .integer(1...1_000_000), default: .integer(64), "particles of a frame, the first ones"),
    ]

  init(_ p: Parameters) throws {
    let (dimension, highest) = (p.integer("dimension"), p.integer("modes"))
    var count = 1
    for _ in 0..<dimension { count *= highest + 1 }
    guard count <= Self.mostModes else {
      let most = dimension == 2 ? 255 : 39
      throw p.invalid(
        "modes", "must be at most \(most) in dimension \(dimension): at most \(Self.mostModes) modes in all")
    }
    modes = CosineModes(dimension: dimension, highest: highest, length: p.real("length"))
    (mass, tau, epsilon, step) = (p.real("mass"), p.real("tau"), p.real("eps"), p.real("step"))
    (amplitude, startMode) = (p.real("start_amplitude"), p.integer("start_mode"))
    startsInBalance = p.text("start_signals") == "balance"
    observed = p.integer("observed_modes")
    schedule = try Schedule(p)
    for key in ["start_mode", "observed_modes"] where p.integer(key) > highest {
      throw p.invalid(key, "must be at most modes = \(highest); the nearest is \(highest)")
    }
    let width = (modes.multiples(upTo: observed).count * 4 + dimension + 3)
    guard width <= Self.mostObserved else {
      throw p.invalid("observed_modes", "would be \(width) observables; at most \(Self.mostObserved) can be kept")
    }
  }

  /// Of other signals; for limits.
  package init(
    modes: CosineModes, mass: Double, tau: Double, epsilon: Double, step: Double, amplitude: Double, startMode: Int,
    startsInBalance: Bool, observed: Int, schedule: Schedule
  ) {
    (self.modes, self.mass, self.tau, self.epsilon, self.step) = (modes, mass, tau, epsilon, step)
    (self.amplitude, self.startMode, self.startsInBalance) = (amplitude, startMode, startsInBalance)
    (self.observed, self.schedule) = (observed, schedule)
  }

  /// The same with other modes, signals or steps.
  package func with(highest: Int? = nil, tau: Double? = nil, epsilon: Double? = nil) -> BoxSettings {
    BoxSettings(
      modes: highest.map { CosineModes(dimension: modes.dimension, highest: $0, length: modes.length) } ?? modes,
      mass: mass, tau: tau ?? self.tau, epsilon: epsilon ?? self.epsilon, step: step, amplitude: amplitude,
      startMode: startMode, startsInBalance: startsInBalance, observed: observed, schedule: schedule)
  }

  // MARK: The start

  /// a of every mode, the density in the limit of infinitely many particles.
  package var startDensity: [Double] {
    var a = Array(repeating: 0.0, count: modes.count)
    a[0] = mass
    a[modes.place([startMode] + Array(repeating: 0, count: modes.dimension - 1))] += mass * amplitude
    return a
  }

  /// c and w of every mode at the start.
  /// - Parameter a: the density.
  package func startSignals(_ a: [Double]) -> (c: [Double], w: [Double]) {
    let zeros = Array(repeating: 0.0, count: a.count)
    guard startsInBalance || epsilon == 0 else { return (zeros, zeros) }
    let found = zip(a, modes.squares).map { a, q in
      let at = SignalStep.balance(q: q, tau: tau)
      return (a * at.c, a * at.w)
    }
    return (found.map(\.0), found.map(\.1))
  }

  /// Where in [0, 1] the share u of the particles lies on the left at the start: $x + A \sin(\pi m x)/(\pi m) = u$, by Newton's steps within bounds.
  func startPlace(_ u: Double) -> Double {
    guard amplitude != 0 else { return u }
    let m = Double(startMode)
    var (low, high, x) = (0.0, 1.0, u)
    for _ in 0..<200 {
      let (s, c) = Elementary.sinCosTurns(0.5 * m * x)
      let rest = x.addingProduct(amplitude / (Double.pi * m), s) - u
      if rest > 0 { high = x } else { low = x }
      let next = x - rest / (1 + amplitude * c)
      let inside = next > low && next < high ? next : 0.5 * (low + high)
      if (inside - x).magnitude < 0x1p-52 { return inside }
      x = inside
    }
    return x
  }

  // MARK: What is measured

  package var observedModes: [[Int]] { modes.multiples(upTo: observed) }

  /// Names with the wave numbers as indices: `a[1]`, in two dimensions `a[1,0]`.
  /// - Parameter hasFluctuations: of particles: structure factors and second moments as well.
  package func observables(hasFluctuations: Bool, isExact: Bool) -> [Observable] {
    var found: [Observable] = []
    func family(_ name: String, _ words: String) {
      for k in observedModes {
        found.append(Observable(name, k, isExact: isExact, "\(words) of the wave numbers \(k)"))
      }
    }
    family("a", "mode of the density, M 2^(wave numbers not 0) times the mean of the cosines over the particles,")
    family("c", "mode of the first signal")
    family("w", "mode of the second signal")
    if hasFluctuations {
      family("S", "structure factor N a^2/(M^2 2^(wave numbers not 0)), whose mean is 1 without interaction,")
    }
    found.append(Observable("mean_c", isExact: isExact, "mean of the first signal over the box"))
    found.append(Observable("mean_w", isExact: isExact, "mean of the second signal over the box"))
    found.append(
      Observable(
        "peak", isExact: isExact,
        "largest value of the density over M, as its modes show it at 3K/2 + 2 points of each dimension"))
    if hasFluctuations {
      for j in 0..<modes.dimension {
        found.append(Observable("x^2", modes.dimension == 1 ? [] : [j], "mean over the particles of (x/L)^2"))
      }
    }
    return found
  }
}
