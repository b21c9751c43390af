import Experiments
import Kernels
import Randomness

/// Sums of products of matrices that learn a diagonal matrix Y of singular values s from every entry, by gradient descent:
///
///     objective = |Z - Y|^2/2 + penalty,   Z = sum_j W_1j W_2j ... W_Lj,   j = 1..m branches.
///
/// **Weight decay** (parallel networks have no duality gap, arXiv:2110.06482). The penalty is (b/2) sum |W_lj|^2 (`squares`) or (b/2) sum |W_lj|^L (`powers`).
/// At balanced layers a singular value x of a branch costs $\frac{bL}{2} x^{2/L}$ or, alone in its branch, $\frac{bL}{2} x$: powers make the problem convex in Z once there
/// are as many branches as singular values, with the soft threshold $x = (s - bL/2)_+$ as its optimum; squares have, for L > 2, a local minimum at x = 0 besides.
///
/// **Deep linear networks** (arXiv:1312.6120): one branch and no penalty. From $W_l = \alpha 1$ every singular value is a chain of its own,
/// a' = a + h a^{L-1} (s - a^L), of which $u = a^L$; the flow of two layers is $u = s e^{2 s t}/(e^{2 s t} - 1 + s/u_0)$.
package struct LinearChains: TrainingProblem {
  enum Penalty: String, CaseIterable { case powers, squares }
  enum Start: String, CaseIterable { case random, balanced }

  let depth, branches, width: Int
  /// s.
  let target: [Double]
  /// b.
  let decay: Double
  let penalty: Penalty
  let start: Start
  let alpha: Double
  /// A gap below it is none, and a singular value below it is 0.
  let tolerance: Double
  /// Whether the observables are those of descent without a penalty.
  let isFree: Bool
  /// The least objective of any factors.
  package let optimum: Double

  /// n_0 to n_L: rows of a layer and columns of the one before.
  private func size(_ layer: Int) -> Int { layer == 0 || layer == depth ? target.count : width }
  private func rowStride(_ layer: Int) -> Int { MatrixProduct.padded(size(layer), Double.self) }
  private func room(_ rows: Int, _ layer: Int) -> Int { Triangular.padded(rows * rowStride(layer)) }

  package final class State {
    /// W_lj at [j L + l - 1], and W_1j ... W_lj.
    package let weights: [UnsafeMutablePointer<Double>]
    let products: [UnsafeMutablePointer<Double>]
    /// Z - Y, and derivatives with respect to the products on the way back.
    package let residual: UnsafeMutablePointer<Double>
    let back, below, transposed: UnsafeMutablePointer<Double>
    let squares, values: UnsafeMutablePointer<Double>
    /// Scalar chains of the flow, and their half times; negative until then.
    let flow, halfTimes: UnsafeMutablePointer<Double>
    var time = 0.0

    fileprivate init(_ p: LinearChains) {
      let (r, layers) = (p.target.count, 1...p.depth)
      weights = (0..<p.branches).flatMap { _ in layers.map { .allocateZeros(p.room(p.size($0 - 1), $0)) } }
      products = (0..<p.branches).flatMap { _ in layers.map { .allocateZeros(p.room(r, $0)) } }
      let wide = max(r, p.width)
      let most = Triangular.padded(wide * MatrixProduct.padded(wide, Double.self))
      (residual, back, below, transposed) = (
        .allocateZeros(most), .allocateZeros(most), .allocateZeros(most), .allocateZeros(most)
      )
      (squares, values) = (.allocateZeros(r), .allocateZeros(most))
      (flow, halfTimes) = (.allocateZeros(r), .allocateZeros(r))
    }

    deinit {
      for place in weights + products + [residual, back, below, transposed, squares, values, flow, halfTimes] {
        place.deallocate()
      }
    }
  }

  package var observables: [Observable] {
    let modes = target.indices
    var found = [
      Observable("objective", role: .objective, "|Z - Y|^2 / 2 and the penalty"),
      Observable("loss", "|Z - Y|^2 / 2"),
      Observable("rank", "singular values of Z above the tolerance"),
    ]
    found += modes.map { Observable("mode", [$0], "Z_ii, of singular value \($0) of Y") }
    if isFree {
      found.append(Observable("imbalance", "largest |W_l^T W_l - W_{l+1} W_{l+1}^T|, Frobenius, kept by the flow"))
      found += modes.map {
        Observable("flow_mode", [$0], "Z_ii of the flow from balanced layers alpha, at the same time")
      }
      found += modes.map {
        Observable(
          "half_time", [$0],
          "time (the sum of the rates) at which Z_ii first reached s_i/2; the present time until it has")
      }
      found += modes.map { Observable("learned", [$0], role: .event, "1 once Z_ii has reached s_i/2, else 0") }
    } else {
      found += [
        Observable(
          "optimum", "the least objective of any factors; of powers with fewer branches than singular values a bound"),
        Observable("gap", "objective - optimum"),
        Observable("at_optimum", role: .event, "1 where the gap is below the tolerance, else 0"),
      ]
    }
    return found
  }

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    state.time = 0
    for i in target.indices { (state.flow[i], state.halfTimes[i]) = (alpha, -1) }
    let scale = alpha / Double(width).squareRoot()
    for (place, weights) in state.weights.enumerated() {
      let layer = place % depth + 1
      for i in 0..<size(layer - 1) {
        for k in 0..<size(layer) {
          weights[i * rowStride(layer) + k] =
            start == .random ? scale * stream.normal() : i == k && i < target.count ? alpha : 0
        }
      }
    }
  }

  /// Z - Y and the products that it is made of; |Z - Y|^2 / 2.
  private func evaluate(_ state: State) -> Double {
    let r = target.count
    let count = room(r, depth)
    for i in 0..<count { state.residual[i] = 0 }
    for i in target.indices { state.residual[i * rowStride(depth) + i] = -target[i] }
    for j in 0..<branches {
      for layer in 1...depth {
        let (weights, product) = (state.weights[j * depth + layer - 1], state.products[j * depth + layer - 1])
        if layer == 1 {
          product.update(from: weights, count: room(r, 1))
          continue
        }
        MatrixProduct.add(
          product, rowStride(layer), fresh: true, rows: r, columns: size(layer), state.products[j * depth + layer - 2],
          rowStride: rowStride(layer - 1), columnStride: 1, inner: size(layer - 1), weights, rowStride(layer))
      }
      let last = state.products[j * depth + depth - 1]
      for i in 0..<count { state.residual[i] += last[i] }
    }
    return 0.5 * Triangular.dot(state.residual, state.residual, count)
  }

  /// |W_lj|^2 at a place.
  private func square(_ state: State, _ place: Int) -> Double {
    let layer = place % depth + 1
    return Triangular.dot(state.weights[place], state.weights[place], room(size(layer - 1), layer))
  }

  private func penalty(_ state: State) -> Double {
    guard decay > 0 else { return 0 }
    var sum = 0.0
    for place in 0..<branches * depth {
      let square = square(state, place)
      sum += penalty == .squares ? square : Self.power(square.squareRoot(), depth)
    }
    return 0.5 * decay * sum
  }

  private static func power(_ x: Double, _ n: Int) -> Double {
    var value = 1.0
    for _ in 0..<n { value *= x }
    return value
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    let loss = evaluate(state) + penalty(state)
    for i in target.indices where state.halfTimes[i] < 0 && mode(state, i) >= 0.5 * target[i] {
      state.halfTimes[i] = state.time
    }
    return loss
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    let r = target.count
    state.time += rate
    for j in 0..<branches {
      var (delta, next) = (state.back, state.below)
      delta.update(from: state.residual, count: room(r, depth))
      for layer in stride(from: depth, through: 1, by: -1) {
        let place = j * depth + layer - 1
        let (weights, rows, columns) = (state.weights[place], size(layer - 1), size(layer))
        let (own, before) = (rowStride(layer), rowStride(layer - 1))
        if layer > 1 {
          for k in 0..<columns { for i in 0..<rows { state.transposed[k * before + i] = weights[i * own + k] } }
          MatrixProduct.add(
            next, before, fresh: true, rows: r, columns: rows, delta, rowStride: own, columnStride: 1, inner: columns,
            state.transposed, before)
        }
        if decay > 0 {
          let slope =
            penalty == .squares
            ? decay : 0.5 * decay * Double(depth) * Self.power(square(state, place).squareRoot(), depth - 2)
          let keep = 1 - rate * slope
          for i in 0..<rows * own { weights[i] *= keep }
        }
        if layer == 1 {
          for i in 0..<rows * own { weights[i] -= rate * delta[i] }
        } else {
          MatrixProduct.add(
            weights, own, scale: -rate, rows: rows, columns: columns, state.products[place - 1], rowStride: 1,
            columnStride: before, inner: r, delta, own)
        }
        (delta, next) = (next, delta)
      }
    }
    guard isFree else { return }
    for i in target.indices { state.flow[i] = Self.flow(state.flow[i], target[i], depth, time: rate) }
  }

  private func mode(_ state: State, _ i: Int) -> Double { state.residual[i * rowStride(depth) + i] + target[i] }

  /// The chain a' = a^{L-1} (s - a^L) of the flow after a time, by four steps of the Runge-Kutta method: its error is far below that of descent.
  package static func flow(_ a: Double, _ s: Double, _ depth: Int, time: Double) -> Double {
    func slope(_ a: Double) -> Double {
      let before = power(a, depth - 1)
      return before * (s - before * a)
    }
    var a = a
    let h = 0.25 * time
    for _ in 0..<4 {
      let k1 = slope(a)
      let k2 = slope(a + 0.5 * h * k1)
      let k3 = slope(a + 0.5 * h * k2)
      let k4 = slope(a + h * k3)
      a += h / 6 * (k1 + 2 * (k2 + k3) + k4)
    }
    return a
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    let r = target.count
    let loss = evaluate(state)
    let objective = loss + penalty(state)
    for i in 0..<r {
      for k in 0..<r { state.values[i * r + k] = state.residual[i * rowStride(depth) + k] + (i == k ? target[i] : 0) }
    }
    SingularValues.squares(state.values, m: r, into: state.squares)
    let rank = (0..<r).filter { state.squares[$0] > tolerance * tolerance }.count
    (values[0], values[1], values[2]) = (objective, loss, Double(rank))
    for i in 0..<r { values[3 + i] = mode(state, i) }
    let place = values + 3 + r
    guard isFree else {
      let gap = objective - optimum
      (place[0], place[1], place[2]) = (optimum, gap, gap < tolerance ? 1 : 0)
      return
    }
    place[0] = imbalance(state)
    for i in 0..<r {
      let isLearned = state.halfTimes[i] >= 0 || mode(state, i) >= 0.5 * target[i]
      place[1 + i] = Self.power(state.flow[i], depth)
      place[1 + r + i] = state.halfTimes[i] >= 0 ? state.halfTimes[i] : state.time
      place[1 + 2 * r + i] = isLearned ? 1 : 0
    }
  }

  /// Largest |W_l^T W_l - W_{l+1} W_{l+1}^T| of the first branch.
  private func imbalance(_ state: State) -> Double {
    var largest = 0.0
    for layer in 1..<depth {
      let (left, right) = (state.weights[layer - 1], state.weights[layer])
      let (n, own, next) = (size(layer), rowStride(layer), rowStride(layer + 1))
      var sum = 0.0
      for i in 0..<n {
        for k in 0..<n {
          var entry = 0.0
          for a in 0..<size(layer - 1) { entry += left[a * own + i] * left[a * own + k] }
          for a in 0..<size(layer + 1) { entry -= right[i * next + a] * right[k * next + a] }
          sum += entry * entry
        }
      }
      largest = max(largest, sum.squareRoot())
    }
    return largest
  }
}

/// What is known: the optimum of a penalty, and every step from balanced layers.
extension LinearChains {
  /// The least x of (x - s)^2/2 + (b L/2) x^{2/L} or, of powers, (x - s)^2/2 + (b L/2) x, and its value.
  package static func optimum(_ s: Double, _ decay: Double, depth: Int, squares: Bool) -> (x: Double, value: Double) {
    let (cost, zero) = (0.5 * decay * Double(depth), 0.5 * s * s)
    if !squares || depth == 2 {
      let x = max(0, s - cost)
      return (x, 0.5 * (x - s) * (x - s) + cost * x)
    }
    // The derivative x - s + b x^{-p}, p = 1 - 2/L, is convex: a minimum besides 0 is its larger root, above its own least value.
    let p = 1 - 2 / Double(depth)
    func power(_ x: Double, _ q: Double) -> Double { Elementary.exp(q * Elementary.log(x)) }
    func slope(_ x: Double) -> Double { x - s + decay * power(x, -p) }
    guard decay > 0 else { return (s, 0) }
    var (low, high) = (power(decay * p, 1 / (1 + p)), s)
    guard low < high, slope(low) < 0 else { return (0, zero) }
    for _ in 0..<200 {
      let middle = 0.5 * (low + high)
      if middle <= low || middle >= high { break }
      if slope(middle) < 0 { low = middle } else { high = middle }
    }
    let value = 0.5 * (high - s) * (high - s) + cost * power(high, 1 - p)
    return value < zero ? (high, value) : (0, zero)
  }

  /// Where every layer starts as alpha 1 all runs are one, and its modes are scalar chains.
  func means(_ settings: TrainingSettings) -> ReferenceValues {
    let shown = observables
    var chains = target.map { _ in alpha }
    var values: [Double] = []
    var made = 0
    for step in settings.records {
      while made < step {
        made += 1
        for (i, s) in target.enumerated() {
          let before = Self.power(chains[i], depth - 1)
          chains[i] += settings.rate(made) * before * (s - before * chains[i])
        }
      }
      let modes = chains.map { Self.power($0, depth) }
      let loss = zip(modes, target).reduce(0) { $0 + 0.5 * ($1.0 - $1.1) * ($1.0 - $1.1) }
      values += [loss, loss, .nan] + modes
      values += Array(repeating: .nan, count: shown.count - 3 - modes.count)
    }
    return settings.known(shown, means: values)
  }
}

extension LinearChains {
  /// Most numbers of a run: 1 GiB.
  private static let mostNumbers = 1 << 27
  private static let common = ["objective", "loss", "rank", "mode"]

  private static let shape = [
    Parameter("depth", .integer(2...1000), default: .integer(3), "L, layers of a branch"),
    Parameter(
      "width", .integer(1...4096), optional: true, "units of a hidden layer, as many as singular values unless given"),
    Parameter("target", .structured("an array of 1 to 256 positive numbers"), "s, the diagonal of Y"),
    Parameter(
      "tolerance", .real(.above(0)), default: .real(1e-3), "below it a gap is none and a singular value is 0"),
  ]

  static let parallel = ProblemEntry(
    name: "parallel-branches",
    summary: "weight decay in sums of deep linear branches: how many starts come to the optimum",
    equation:
      "descent on |Z - Y|^2/2 + (b/2) sum |W_lj|^L (powers) or (b/2) sum |W_lj|^2 (squares), Z = sum_j W_1j ... W_Lj, Y = diag(target), entries at the start N(0, alpha^2 / width)",
    reference: "arXiv:2110.06482; docs/training-problems.md",
    observables: common + ["optimum", "gap", "at_optimum"],
    parameters: shape + [
      Parameter("branches", .integer(1...1000), default: .integer(1), "m"),
      Parameter("weight_decay", .real(.init(0, .infinity, openAbove: true)), "b"),
      Parameter(
        "penalty", .choice(Penalty.allCases.map(\.rawValue)), default: .text(Penalty.powers.rawValue),
        "of the Frobenius norm of each layer: its power L or its square"),
      Parameter("alpha", .real(.above(0)), default: .real(1), "size of the start"),
    ]
  ) { p, settings, _ in
    let problem = try LinearChains(
      p, branches: p.integer("branches"), decay: p.real("weight_decay"), penalty: Penalty(rawValue: p.text("penalty"))!,
      start: .random, isFree: false)
    return TrainingModel(problem, settings, p)
  }

  static let deepLinear = ProblemEntry(
    name: "deep-linear", summary: "deep linear networks: one mode after the other, from balanced or random layers",
    equation:
      "descent on |W_1 ... W_L - Y|^2/2, Y = diag(target); layers at the start alpha 1 (balanced) or of entries N(0, alpha^2 / width) (random)",
    reference: "arXiv:1312.6120; docs/training-problems.md",
    observables: common + ["imbalance", "flow_mode", "half_time", "learned"],
    parameters: shape + [
      Parameter(
        "start", .choice(Start.allCases.map(\.rawValue)), default: .text(Start.random.rawValue), "layers at the start"),
      Parameter("alpha", .real(.above(0)), default: .real(0.1), "size of the start"),
    ]
  ) { p, settings, _ in
    let problem = try LinearChains(
      p, branches: 1, decay: 0, penalty: .squares, start: Start(rawValue: p.text("start"))!, isFree: true)
    let isKnown = problem.start == .balanced && problem.width >= problem.target.count && settings.stopBelow == nil
    return TrainingModel(problem, settings, p, known: isKnown ? problem.means(settings) : nil)
  }

  private init(
    _ p: Parameters, branches: Int, decay: Double, penalty: Penalty, start: Start, isFree: Bool
  ) throws {
    target = try p.positives("target", most: 256)
    (depth, self.branches) = (p.integer("depth"), branches)
    width = p["width"] == nil ? target.count : p.integer("width")
    (self.decay, self.penalty, self.start, self.isFree) = (decay, penalty, start, isFree)
    (alpha, tolerance) = (p.real("alpha"), p.real("tolerance"))
    let (depth, isSquares) = (depth, penalty == .squares)
    optimum = target.reduce(0) { $0 + Self.optimum($1, decay, depth: depth, squares: isSquares).value }
    let wide = max(width, target.count)
    let numbers = branches * depth * wide * (wide + target.count)
    guard numbers <= Self.mostNumbers else {
      throw p.invalid("width", "makes \(numbers) numbers a run; at most \(Self.mostNumbers) are kept")
    }
  }
}
