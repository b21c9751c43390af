import Experiments
import Kernels
import Networks
import Randomness

/// Which rows to label: those that make $\log \det(1 + K_S/s^2)$ large, one after another (`GreedySelection`), for the tangent kernel K at infinite width. The choice sees K itself (`kernel`), a sketch of it,
/// $\hat K = Z Z^T/p$ with Z = L G, $L L^T = K$, G of p columns of standard normals (`sketch`), the tangent kernel of a drawn network (`network`), or nothing (`random`); what it is worth is measured with K.
package struct ActiveLearning: DrawnProblem {
  package enum Choice: String, CaseIterable, Sendable { case kernel, sketch, network, random }

  package let network: ShallowNetwork
  package let choice: Choice
  /// n of a network, p of a sketch; 0 otherwise.
  package let size: Int
  /// Numbers of rows after which a choice is judged, ascending.
  package let picks: [Int]
  /// $s^2$.
  package let noise: Double
  /// Labels of all rows.
  package let labels: [Double]
  private let data: String
  /// K, and of a sketch $L^T$, rows of full lanes.
  private let kernel, factor: [Double]
  private var most: Int { picks.last ?? 0 }

  /// - Returns: nil where a sketch needs a kernel that is positive definite in double precision.
  package init?(
    _ network: ShallowNetwork, _ choice: Choice, size: Int, picks: [Int], noise: Double, labels: [Double],
    data: String
  ) {
    (self.network, self.choice, self.size, self.picks, self.noise) = (network, choice, size, picks, noise)
    (self.labels, self.data) = (labels, data)
    let (count, stride) = (network.count, network.stride)
    let kernel = network.limits().tangent
    var factor: [Double] = []
    if choice == .sketch {
      factor = Array(repeating: 0, count: count * stride)
      for a in 0..<count { for b in 0..<count { factor[a * stride + b] = kernel[a * count + b] } }
      guard Cholesky.factor(&factor, stride: stride, count: count) == nil else { return nil }
    }
    (self.kernel, self.factor) = (kernel, factor)
  }

  package final class State {
    fileprivate let network: ShallowNetwork.State
    fileprivate let selection: GreedySelection
    /// A sketch, a row a column of G; G; squares of its columns, or the diagonal of a network's kernel.
    fileprivate let sketch, probes, diagonal: UnsafeMutablePointer<Double>
    fileprivate let room: UnsafeMutablePointer<Double>
    fileprivate let judge: Judge
    fileprivate let order: UnsafeMutablePointer<Int>

    fileprivate init(_ p: ActiveLearning) {
      let (count, stride) = (p.network.count, p.network.stride)
      network = ShallowNetwork.State(p.network, width: p.choice == .network ? p.size : 0)
      selection = GreedySelection(points: count, picks: p.most)
      let rows = p.choice == .sketch ? p.size : 0
      (sketch, probes) = (.allocateZeros(rows * stride), .allocateZeros(rows * count))
      (diagonal, room) = (.allocateZeros(stride), .allocateZeros(stride))
      judge = Judge(picks: p.most, points: count)
      order = .allocate(capacity: count)
      order.initialize(repeating: 0, count: count)
    }

    deinit {
      for place in [sketch, probes, diagonal, room] { place.deallocate() }
      order.deallocate()
    }
  }

  package var axis: Axis {
    Axis(name: "picks", unit: "rows", summary: "rows that are labelled", values: picks.map(Double.init))
  }
  package let observables = [
    Observable("log_det", "log det(1 + K_S/s^2) of the kernel at infinite width"),
    Observable("test_error", "mean square error on all rows of regression with it on those labelled, ridge s^2"),
  ]
  package var attributes: [String: String] { ["data": data] }

  package func makeState() -> State { State(self) }

  package func draw(_ s: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    switch choice {
    case .kernel: chooseByKernel(s.selection)
    case .sketch: chooseBySketch(s, &stream)
    case .network: chooseByNetwork(s, &stream)
    case .random: break
    }
    var chosen = UnsafePointer(s.selection.picks)
    if choice == .random {
      drawRows(s.order, &stream)
      chosen = UnsafePointer(s.order)
    }
    judge(s.judge, chosen, into: values)
  }

  private func chooseByKernel(_ selection: GreedySelection) {
    let count = network.count
    kernel.withUnsafeBufferPointer { kernel in
      selection.choose(noise: noise, diagonal: { kernel[$0 * (count + 1)] }) { b, column in
        for a in 0..<count { column[a] = kernel[b * count + a] }
      }
    }
  }

  private func chooseBySketch(_ s: State, _ stream: inout Stream) {
    let (count, stride) = (network.count, network.stride)
    WeightLaw.gaussian.fill(s.probes, size * count, &stream)
    factor.withUnsafeBufferPointer { factor in
      guard let factor = factor.baseAddress else { return }
      MatrixProduct.add(
        s.sketch, stride, fresh: true, rows: size, columns: stride, s.probes, rowStride: count, columnStride: 1,
        inner: count, factor, stride)
    }
    let scale = 1 / Double(size)
    squares(s.sketch, to: s.diagonal)
    s.selection.choose(noise: noise, diagonal: { scale * s.diagonal[$0] }) { b, column in
      products(s.sketch, rows: size, of: b, to: s.room)
      for a in 0..<count { column[a] = scale * s.room[a] }
    }
  }

  private func chooseByNetwork(_ s: State, _ stream: inout Stream) {
    let count = network.count
    network.draw(s.network, &stream)
    // The diagonal: sums of squares, post-activations first.
    let scale = network.gain / Double(size)
    squares(s.network.posts, to: s.diagonal)
    squares(s.network.slopes, to: s.room)
    for a in 0..<count {
      s.diagonal[a] = scale * s.diagonal[a].addingProduct(network.covariances[a * (count + 1)], s.room[a])
    }
    s.selection.choose(noise: noise, diagonal: { s.diagonal[$0] }) { b, column in
      network.tangent(s.network, rows: b..<b + 1, columns: 0..<count, into: column, stride: count, room: s.room)
    }
  }

  /// Sums of squares over the rows of features.
  private func squares(_ features: UnsafePointer<Double>, to result: UnsafeMutablePointer<Double>) {
    let stride = network.stride
    result.update(repeating: 0, count: stride)
    for j in 0..<size {
      let row = features + j * stride
      for a in 0..<stride { result[a] = result[a].addingProduct(row[a], row[a]) }
    }
  }

  private func products(
    _ features: UnsafePointer<Double>, rows: Int, of b: Int, to result: UnsafeMutablePointer<Double>
  ) {
    let stride = network.stride
    MatrixProduct.add(
      result, stride, fresh: true, rows: 1, columns: stride, features + b, rowStride: 1, columnStride: stride,
      inner: rows, features, stride)
  }

  /// The first rows of a random order.
  private func drawRows(_ order: UnsafeMutablePointer<Int>, _ stream: inout Stream) {
    let count = network.count
    for a in 0..<count { order[a] = a }
    for k in 0..<most {
      let other = k + Int(stream.uniform() * Double(count - k))
      (order[k], order[other]) = (order[other], order[k])
    }
  }

  /// What the greedy choice with the kernel itself is worth, record by record.
  package var greedy: (picks: [Int], values: [Double]) {
    let selection = GreedySelection(points: network.count, picks: most)
    chooseByKernel(selection)
    var values = Array(repeating: 0.0, count: picks.count * observables.count)
    judge(Judge(picks: most, points: network.count), selection.picks, into: &values)
    return ((0..<most).map { selection.picks[$0] }, values)
  }
}

extension ActiveLearning {
  /// $K_S + s^2$ of the rows that were chosen, and its factor.
  fileprivate final class Judge {
    let matrix, solved, weights: UnsafeMutablePointer<Double>
    let outputs: UnsafeMutablePointer<Double>

    init(picks: Int, points: Int) {
      matrix = .allocateZeros(picks * (picks + 1))
      (solved, weights) = (.allocateZeros(picks), .allocateZeros(picks))
      outputs = .allocateZeros(points)
    }

    deinit { for place in [matrix, solved, weights, outputs] { place.deallocate() } }
  }

  /// The factor of all choices has those of the first few in its corner.
  private func judge(_ s: Judge, _ chosen: UnsafePointer<Int>, into values: UnsafeMutablePointer<Double>) {
    let (count, m) = (network.count, most)
    let length = m + 1
    for i in 0..<m {
      for j in i..<m { s.matrix[i * length + j] = kernel[chosen[i] * count + chosen[j]] + (i == j ? noise : 0) }
      s.matrix[i * length + m] = labels[chosen[i]]
    }
    let failed = Cholesky.factor(s.matrix, stride: length, count: m, columns: length) ?? m
    for i in 0..<m { s.solved[i] = s.matrix[i * length + m] }
    var (done, logDet) = (0, 0.0)
    for (record, picks) in picks.enumerated() {
      let place = values + record * observables.count
      guard picks <= failed else {
        (place[0], place[1]) = (.nan, .nan)
        continue
      }
      while done < picks {
        let pivot = s.matrix[done * (length + 1)]
        logDet += Elementary.log(pivot * pivot / noise)
        done += 1
      }
      s.weights.update(from: s.solved, count: picks)
      Cholesky.backward(s.matrix, stride: length, count: picks, s.weights)
      for a in 0..<count { s.outputs[a] = -labels[a] }
      for i in 0..<picks {
        let weight = s.weights[i]
        for a in 0..<count { s.outputs[a] = s.outputs[a].addingProduct(weight, kernel[chosen[i] * count + a]) }
      }
      (place[0], place[1]) = (logDet, Cholesky.dot(s.outputs, s.outputs, count) / Double(count))
    }
  }

  static let entry = TangentFamily.entry(
    name: "active-learning",
    summary: "rows to label, chosen by a kernel, a sketch, the kernel of a drawn network, or at random",
    equation: "S grows by argmax_a of log det(1 + K_S/noise): pivoted Cholesky of K + noise, K or what stands for it",
    reference: "docs/tangent.md", draws: "independent choices", observables: ["log_det", "test_error"],
    parameters: [
      ServiceData.parameter,
      Parameter("rows", .structured(RowChoice.words), optional: true, "rows to choose from; all unless given"),
      Parameter("by", .choice(Choice.allCases.map(\.rawValue)), default: .text("sketch"), "what the choice sees"),
      Parameter(
        "size", .integer(1...1_000_000), optional: true,
        "p, columns of a sketch; n, hidden units of a network; of no matter to other choices"),
      Parameter("picks", .structured("an ascending array of numbers of rows"), "rows that are labelled, a record each"),
      Parameter("noise", .real(.above(0)), default: .real(0.01), "s^2, variance of the noise of a label"),
    ] + ShallowNetwork.parameters
  ) { p, source in
    let data = try ServiceData(p, source)
    let rows = try RowChoice.read(p, "rows", of: data.data.count)
    let choice = Choice(rawValue: p.text("by")) ?? .random
    let needsSize = choice == .sketch || choice == .network
    if needsSize, p["size"] == nil { throw p.invalid("size", "must be given with by = \"\(choice.rawValue)\"") }
    let picks = try p.ascending("picks", least: 1, atMost: 64, words: "whole numbers from 1 on").map { Int($0) }
    guard p.numbers("picks") == picks.map(Double.init), (picks.last ?? 0) <= min(rows.count, 1024) else {
      throw p.invalid("picks", "must be whole numbers of at most \(min(rows.count, 1024)) rows")
    }
    let size = needsSize ? p.integer("size") : 0
    let network = try data.network(rows, p)
    let (count, most) = (Double(rows.count), Double(picks.last ?? 0))
    try ServiceData.refuse(
      (choice == .network ? network.size(width: size) : 2 * Double(size) * count) + most * (count + most), p,
      needsSize ? "size" : "picks")
    guard
      let problem = ActiveLearning(
        network, choice, size: size, picks: picks, noise: p.real("noise"), labels: data.targets(rows),
        data: data.data.fingerprint)
    else { throw p.invalid("rows", "must differ from each other: K has no factor that a sketch could be made of") }
    return DrawnProblemModel(problem, p)
  }
}
