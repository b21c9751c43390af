import Experiments
import Kernels
import Randomness

/// How a gradient moves the weights.
package struct Optimiser: Sendable {
  package enum Method: Sendable, Equatable {
    /// $w' = w - \eta g$.
    case descent
    /// Heavy ball $v' = \mu v + g$, $w' = w - \eta v'$; averaged: $v' = \mu v + (1 - \mu) g$.
    case momentum(Double, averaged: Bool)
    /// arXiv:1412.6980, with its corrections of the bias.
    case adam(first: Double, second: Double, epsilon: Double)
    /// $w' = w - \eta g + \sqrt{2 \eta T} \xi$.
    case langevin(temperature: Double)
    /// Exponentiated gradient, $w' = w \exp(-\eta\, \mathrm{sign}(w) g)$: no weight changes its sign (Kivinen and Warmuth 1997, doi:10.1006/inco.1996.2612).
    case exponentiatedGradient
  }

  package let method: Method
  /// lambda of $\lambda |w|^2/2$, which adds lambda w to the gradient.
  package let decay: Double
  /// Examples of a step; nil for all.
  package let batch: Int?
  package let replacement: Bool

  package init(_ method: Method = .descent, decay: Double = 0, batch: Int? = nil, replacement: Bool = true) {
    (self.method, self.decay, self.batch, self.replacement) = (method, decay, batch, replacement)
  }

  static let names = ["descent", "momentum", "adam", "langevin", "exponentiated-gradient"]
  static let words =
    "\"descent\" or \"exponentiated-gradient\", or a table: { name = \"momentum\", mu = 0.9, averaged = false }, { name = \"adam\", beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-8 } or { name = \"langevin\", temperature = 0.01 }; each with batch = 32, replacement = true, weight_decay = 0.0"

  static let parameters = [
    Parameter("name", .choice(names), "how the weights move"),
    Parameter("mu", .real(.init(0, 1, openAbove: true)), default: .real(0.9), "of momentum"),
    Parameter(
      "averaged", .boolean, default: .boolean(false),
      "of momentum: whether a gradient enters with weight 1 - mu (dampening = mu of PyTorch) and not 1"),
    Parameter("beta_1", .real(.init(0, 1, openAbove: true)), default: .real(0.9), "of adam"),
    Parameter("beta_2", .real(.init(0, 1, openAbove: true)), default: .real(0.999), "of adam"),
    Parameter("epsilon", .real(.above(0)), default: .real(1e-8), "of adam"),
    Parameter("temperature", .real(.above(0)), default: .real(0.01), "T of langevin"),
    Parameter(
      "weight_decay", .real(.init(0, .infinity, openAbove: true)), default: .real(0),
      "lambda: adds lambda w to the gradient of w"),
    Parameter("batch", .integer(1...10_000_000), optional: true, "examples of a step; all unless given"),
    Parameter(
      "replacement", .boolean, default: .boolean(true),
      "whether the examples of a batch are drawn independently; otherwise an epoch goes through all in a random order"),
  ]

  init(_ value: JobValue?, path: String, train: Int) throws {
    var table = value
    if case .text? = value { table = .table(["name": value!]) }
    let p = try Parameters(table, path: path, allowed: Self.parameters)
    let name = p.text("name")
    let own = [
      "descent": [], "momentum": ["mu", "averaged"], "adam": ["beta_1", "beta_2", "epsilon"],
      "langevin": ["temperature"], "exponentiated-gradient": [],
    ]
    let all = own[name]! + ["name", "weight_decay", "batch", "replacement"]
    if case .table(let given)? = table, let extra = given.keys.sorted().first(where: { !all.contains($0) }) {
      throw p.invalid(extra, "does not belong to \(name)")
    }
    switch name {
    case "momentum": method = .momentum(p.real("mu"), averaged: p.boolean("averaged"))
    case "adam": method = .adam(first: p.real("beta_1"), second: p.real("beta_2"), epsilon: p.real("epsilon"))
    case "langevin": method = .langevin(temperature: p.real("temperature"))
    case "exponentiated-gradient": method = .exponentiatedGradient
    default: method = .descent
    }
    decay = p.real("weight_decay")
    replacement = p.boolean("replacement")
    if p["batch"] != nil {
      let size = p.integer("batch")
      guard size <= train else { throw p.invalid("batch", "must be at most the \(train) examples of training") }
      batch = size == train && !replacement ? nil : size
    } else {
      batch = nil
    }
  }

  /// Buffers beside each weight.
  package var buffers: Int {
    switch method {
    case .descent, .langevin, .exponentiatedGradient: 0
    case .momentum: 1
    case .adam: 2
    }
  }

  /// Moves `count` weights $W = s w$.
  /// - Parameters:
  ///   - gradient: of W.
  ///   - memory: `buffers` rows of `count`, zero at the start.
  ///   - scale: s.
  ///   - rate: that of w.
  ///   - step: from 1.
  package func move<T: NetworkScalar>(
    _ weights: UnsafeMutablePointer<T>, _ gradient: UnsafePointer<T>, _ memory: UnsafeMutablePointer<T>?,
    count: Int, scale: Double, rate: Double, step: Int, _ stream: inout Stream
  ) {
    let shrink = T(1 - rate * decay)
    switch method {
    case .descent:
      let factor = T(-rate * scale * scale)
      for i in 0..<count { weights[i] = shrink * weights[i] + factor * gradient[i] }
    case .langevin(let temperature):
      let factor = T(-rate * scale * scale)
      let noise = scale * (2 * rate * temperature).squareRoot()
      var place = 0
      while place < count {
        let part = min(1024, count - place)
        let xi = stream.normals(part)
        for i in 0..<part {
          weights[place + i] = shrink * weights[place + i] + factor * gradient[place + i] + T(noise * xi[i])
        }
        place += part
      }
    case .exponentiatedGradient:
      let (s, inverse) = (rate * scale, rate * decay / scale)
      for i in 0..<count {
        let w = weights[i].double
        let move = s * gradient[i].double + inverse * w
        weights[i] = T(w * Elementary.exp(w < 0 ? move : -move))
      }
    case .momentum(let mu, let averaged):
      let velocity = memory!
      let (keep, share) = (T(mu), T(averaged ? 1 - mu : 1))
      let (s, inverse, move) = (T(scale), T(decay / scale), T(rate * scale))
      for i in 0..<count {
        let g = s * gradient[i] + inverse * weights[i]
        velocity[i] = keep * velocity[i] + share * g
        weights[i] -= move * velocity[i]
      }
    case .adam(let first, let second, let epsilon):
      let (mean, square) = (memory!, memory! + count)
      let t = Double(step)
      let (m, v) = (T(1 / (1 - Elementary.power(first, t))), T(1 / (1 - Elementary.power(second, t))))
      let (keep, share, keepSquare, shareSquare) = (T(first), T(1 - first), T(second), T(1 - second))
      let (s, inverse, move, epsilon) = (T(scale), T(decay / scale), T(rate * scale), T(epsilon))
      for i in 0..<count {
        let g = s * gradient[i] + inverse * weights[i]
        mean[i] = keep * mean[i] + share * g
        square[i] = keepSquare * square[i] + shareSquare * g * g
        weights[i] -= move * (m * mean[i]) / ((v * square[i]).squareRoot() + epsilon)
      }
    }
  }
}

/// The examples of each step.
package final class Batches {
  package let indices: UnsafeMutablePointer<Int>
  private let order: UnsafeMutablePointer<Int>
  private let train, size: Int
  private let replacement: Bool
  /// Examples of the epoch that have been used.
  private var used = 0

  package init(train: Int, size: Int, replacement: Bool) {
    (self.train, self.size, self.replacement) = (train, size, replacement)
    indices = .allocate(capacity: max(size, 1))
    order = .allocate(capacity: max(train, 1))
    indices.initialize(repeating: 0, count: max(size, 1))
    order.initialize(repeating: 0, count: max(train, 1))
  }

  deinit {
    indices.deallocate()
    order.deallocate()
  }

  package func start() {
    for i in 0..<train { order[i] = i }
    used = train
  }

  /// A batch without replacement that an epoch's end cuts short begins the next epoch.
  package func next(_ stream: inout Stream) {
    for i in 0..<size {
      if replacement {
        indices[i] = below(train, &stream)
        continue
      }
      if used == train { used = 0 }
      // One more step of a shuffle: the rest of the epoch is what is behind.
      let other = used + below(train - used, &stream)
      (order[used], order[other]) = (order[other], order[used])
      indices[i] = order[used]
      used += 1
    }
  }

  /// Uniform in 0..<n, for n far below 2^32.
  private func below(_ n: Int, _ stream: inout Stream) -> Int {
    Int(((stream.word() >> 32) &* UInt64(n)) >> 32)
  }
}
