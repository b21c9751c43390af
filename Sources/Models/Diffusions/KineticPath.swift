import Experiments
import Kernels
import Randomness

/// What kinetic-optimal probability paths are made of (arXiv:2306.06626): of data with mean 0 and $\mathbb E |x_1|^2 = d$, seen with signal s in unit noise,
///
/// $$ \lambda(s) = \mathbb E\, |\mathbb E[x_1 | s x_1 + x_0]|^2/d, \qquad s = \tan\theta, $$
///
/// at equidistant angles theta. A draw has a fresh pair $(x_1, x_0)$ at every s. From the curve follow the flattened angle
/// $\phi(\theta) = \int \sqrt{1 - (1 - \lambda)/\cos^2 u}\, du$, the optimal path and its energy $4 \sin^2(\Phi/2)$ (`fathom.kinetic_path`). Two estimates with the same mean: $(\langle E, x_1 \rangle + |E|^2)/2d$, and
/// $1 - |x_1 - E|^2/d$, which is the better one where lambda is near 1.
package struct KineticPath: DrawnProblem {
  package enum Data: Sendable {
    /// $\pm \sqrt d\, e_1$.
    case twoPoints(dimension: Int)
    /// N(0, 1_d).
    case normal(dimension: Int)
    /// So many normal points of each draw's own.
    case points(Int, dimension: Int)
    /// Those of a file, centred and scaled.
    case cloud(PointCloud)
  }

  package let data: Data
  package let signals: [Double]
  package let attributes: [String: String]

  package init(_ data: Data, angles: Int, attributes: [String: String] = [:]) {
    self.data = data
    self.attributes = attributes
    signals = (0..<angles).map { i in
      let (sine, cosine) = Elementary.sinCosTurns(0.25 * (Double(i) + 0.5) / Double(angles))
      return sine / cosine
    }
  }

  package init(_ data: Data, signals: [Double]) { (self.data, self.signals, attributes) = (data, signals, [:]) }

  package var dimension: Int {
    switch data {
    case .twoPoints(let d), .normal(let d), .points(_, let d): d
    case .cloud(let cloud): cloud.dimension
    }
  }

  package final class State {
    fileprivate let x, y, mean: UnsafeMutablePointer<Double>
    fileprivate let own, weights: UnsafeMutablePointer<Double>
    fileprivate let room: PointCloud.Room?

    fileprivate init(_ p: KineticPath) {
      let d = p.dimension
      (x, y, mean) = (.allocateZeros(d), .allocateZeros(d), .allocateZeros(d))
      var count = 0
      if case .points(let n, _) = p.data { count = n }
      (own, weights) = (.allocateZeros(count * d), .allocateZeros(count))
      room = if case .cloud(let cloud) = p.data { cloud.makeRoom(block: 1) } else { nil }
    }

    deinit { for place in [x, y, mean, own, weights] { place.deallocate() } }
  }

  package var axis: Axis { Axis(name: "signal", summary: "s, strength of the data in unit noise", values: signals) }
  package let observables = [
    Observable("explained", "lambda: (<E, x_1> + |E|^2)/2d, E = E[x_1 | s x_1 + x_0]"),
    Observable("unexplained", "1 - lambda: |x_1 - E|^2/d"),
  ]

  package var known: [KnownStatistic] {
    signals.enumerated().flatMap { record, s -> [KnownStatistic] in
      guard let rest = unexplained(s) else { return [] }
      return [
        KnownStatistic(.mean, of: "explained", record: record, 1 - rest),
        KnownStatistic(.mean, of: "unexplained", record: record, rest),
      ]
    }
  }

  /// 1 - lambda: of two points $1 - \mathbb E \tanh(s^2 d + s \sqrt d g)$, without cancellation; of normal data $1/(1 + s^2)$.
  package func unexplained(_ s: Double) -> Double? {
    switch data {
    case .normal: return 1 / (1 + s * s)
    case .twoPoints(let d):
      let (shift, spread) = (s * s * Double(d), s * Double(d).squareRoot())
      var sum = 0.0
      GaussLegendre.forEachNode(in: -38...38, breaks: [-shift / spread], panel: min(0.5, 1 / spread)) { g, weight in
        let u = shift + spread * g
        let small = Elementary.exp(-2 * min(u.magnitude, 350))
        sum += weight * Elementary.exp(-0.5 * g * g) * 2 * (u > 0 ? small : 1) / (1 + small)
      }
      return 0.3989422804014327 * sum
    case .points, .cloud: return nil
    }
  }

  package func makeState() -> State { State(self) }

  package func draw(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    let (x, y, mean, d) = (state.x, state.y, state.mean, dimension)
    if case .points(let n, _) = data { for i in 0..<n * d { state.own[i] = stream.normal() } }
    for (record, s) in signals.enumerated() {
      switch data {
      case .twoPoints:
        // All else is noise.
        let root = Double(d).squareRoot()
        let sign = stream.word() & 1 == 0 ? 1.0 : -1
        let e = Elementary.tanh(s * root * (s * root * sign + stream.normal()))
        values[2 * record] = 0.5 * (e * sign + e * e)
        values[2 * record + 1] = (sign - e) * (sign - e)
        continue
      case .normal:
        for j in 0..<d {
          x[j] = stream.normal()
          mean[j] = s / (1 + s * s) * (s * x[j] + stream.normal())
        }
      case .points(let n, _):
        let chosen = min(Int(stream.uniform() * Double(n)), n - 1)
        for j in 0..<d {
          x[j] = state.own[chosen * d + j]
          y[j] = s * x[j] + stream.normal()
        }
        soften(state, n, s)
      case .cloud(let cloud):
        _ = cloud.draw(&stream, into: x)
        // Y = t x + W_t with t = s^2 is s times what is seen.
        for j in 0..<d { y[j] = s * (s * x[j] + stream.normal()) }
        cloud.means(y, rows: 1, signal: s * s, into: mean, state.room!)
      }
      var (product, square, rest) = (0.0, 0.0, 0.0)
      for j in 0..<d {
        product += mean[j] * x[j]
        square += mean[j] * mean[j]
        rest += (x[j] - mean[j]) * (x[j] - mean[j])
      }
      values[2 * record] = 0.5 * (product + square) / Double(d)
      values[2 * record + 1] = rest / Double(d)
    }
  }

  /// E over the draw's own points.
  private func soften(_ state: State, _ n: Int, _ s: Double) {
    let (d, w) = (dimension, state.weights)
    var top = -Double.infinity
    for i in 0..<n {
      var sum = 0.0
      for j in 0..<d {
        let p = state.own[i * d + j]
        sum += p * (state.y[j] - 0.5 * s * p)
      }
      w[i] = s * sum
      top = max(top, w[i])
    }
    var total = 0.0
    for j in 0..<d { state.mean[j] = 0 }
    for i in 0..<n {
      let weight = Elementary.exp(max(w[i] - top, -740))
      total += weight
      for j in 0..<d { state.mean[j] += weight * state.own[i * d + j] }
    }
    for j in 0..<d { state.mean[j] /= total }
  }

  static let entry = DiffusionFamily.entry(
    name: "kinetic-path",
    summary: "how much of the data a noisy sight of them explains, of which kinetic-optimal paths are made",
    equation: "lambda(s) = E |E[x_1 | s x_1 + x_0]|^2/d, s = tan(theta) at equidistant angles",
    reference: "arXiv:2306.06626; docs/diffusions.md", draws: "pairs of data and noise at every signal",
    observables: ["explained", "unexplained"],
    parameters: [
      Parameter(
        "data", .choice(["two-points", "normal", "points", "file"]),
        "+-sqrt(d) e_1; N(0, 1); `points` normal points of each draw; a file, centred and scaled"),
      Parameter("dimension", .integer(1...100_000), optional: true, "d, of data that are no file"),
      Parameter("points", .integer(1...100_000), default: .integer(16), "of data = \"points\""),
      Parameter("angles", .integer(4...4096), default: .integer(64), "m: theta = (i - 1/2) pi/2m"),
      Parameter(
        "signals", .structured("an ascending array of at most 4096 positive numbers"), optional: true,
        "s, instead of angles"),
      Parameter("label", .text, optional: true, "column of a file that is left out"),
    ] + CloudData.parameters
  ) { p, source in
    var attributes: [String: String] = [:]
    var data = Data.normal(dimension: 1)
    if p.text("data") == "file" {
      guard p["dimension"] == nil else { throw p.invalid("dimension", "is that of the file") }
      let table = try CloudData.read(p, source)
      attributes["data"] = table.fingerprint
      data = .cloud(try centred(table, p))
    } else {
      guard p["dimension"] != nil else { throw p.invalid("dimension", "must be given for these data") }
      let d = p.integer("dimension")
      data =
        switch p.text("data") {
        case "two-points": .twoPoints(dimension: d)
        case "points": .points(p.integer("points"), dimension: d)
        default: .normal(dimension: d)
        }
    }
    guard let signals = p["signals"] else {
      return DrawnProblemModel(KineticPath(data, angles: p.integer("angles"), attributes: attributes), p)
    }
    guard case .list(let items) = signals, (1...4096).contains(items.count),
      items.allSatisfy({ ($0.number ?? 0) > 0 && $0.number!.isFinite }),
      zip(items, items.dropFirst()).allSatisfy({ $0.number! < $1.number! })
    else { throw p.invalid("signals", "must be an ascending array of at most 4096 positive numbers") }
    return DrawnProblemModel(KineticPath(data, signals: items.map { $0.number! }, attributes: attributes), p)
  }

  private init(_ data: Data, signals: [Double], attributes: [String: String]) {
    (self.data, self.signals, self.attributes) = (data, signals, attributes)
  }

  /// The columns but the label, of mean 0, scaled to E|x|^2 = d.
  private static func centred(_ table: DataTable, _ p: Parameters) throws -> PointCloud {
    var kept = Array(table.rows[0].indices)
    if p["label"] != nil {
      guard let place = table.columns.firstIndex(of: p.text("label")) else {
        throw p.invalid("label", "must be a column of the file\(Nearest.hint(p.text("label"), among: table.columns))")
      }
      kept.remove(at: place)
    }
    let n = Double(table.rows.count)
    let means = kept.map { j in table.rows.reduce(0) { $0 + $1[j] } / n }
    var rows = table.rows.map { row in zip(kept, means).map { row[$0] - $1 } }
    let square = rows.reduce(0) { $0 + $1.reduce(0) { $0 + $1 * $1 } } / n
    guard square > 0, square.isFinite else { throw p.invalid("file", "has rows that are all equal: nothing to scale") }
    let constant = kept.indices.filter { k in rows.allSatisfy { $0[k] == 0 } }.map {
      table.columns.indices.contains(kept[$0]) ? table.columns[kept[$0]] : "\(kept[$0])"
    }
    if !constant.isEmpty {
      Notes.add(
        "\(p.path).file: columns that never change are kept, and only add noise: \(constant.joined(separator: ", "))")
    }
    let scale = (Double(kept.count) / square).squareRoot()
    for i in rows.indices { for j in kept.indices { rows[i][j] *= scale } }
    return PointCloud(rows)
  }
}
