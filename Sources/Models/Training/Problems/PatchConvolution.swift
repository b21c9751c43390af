import Experiments
import Kernels
import Networks
import Randomness

/// Large steps learn weak features (arXiv:2310.17074) by a convolution over patches,
///
/// $$ f(x) = \frac 1n \sum_j \pm \sum_p \mathrm{relu}(w_j \cdot x_p)^k, $$
///
/// the signs fixed, half of the n filters each, descent on the filters of the mean of $(f - y)^2/2$ with learning rate $2 n \eta$. An example of label y = ±1, as many of each, has the patch
/// y u (weak, $|u|^2 = U$), with probability `share` the patch y v (strong, $|v|^2 = V$, orthogonal to u), and patches of noise $\xi \sim N(0, \sigma^2/d)$ in the d - 2 directions
/// across both. Examples of the test have noise and the weak feature only.
///
/// With k = 2, share 1 and no noise the squares $a^2 = \sum_j \pm \mathrm{relu}(w_j \cdot v)^2/n$ and b^2 of a class follow `TwoMode` where filters of the wrong sign have died out, so that a stable end has
/// $b^2 \ge (V - 1/(2 \eta))/(V - U)$ exactly.
///
/// Exactly reduced: only products of filters with patches matter, $Z' = Z - 2 n \eta\, (\pm k\, \mathrm{relu}^{k-1}(Z)\, (f - y)/(n P))\, K$, K the Gram matrix of the patches: V, U, and for m patches of noise
/// $\sigma^2/d$ times $T T^T$, T Bartlett's factor of d - 2 degrees of freedom; at the start Z = s G T^T, G normal.
package struct PatchConvolution: TrainingProblem {
  package let width, features, train, test, patches, power: Int
  let strong, weak, share, noise, scale: Double
  let isReduced: Bool
  let learningRate: Double

  private var count: Int { train + test }
  /// Patches of noise; columns of Z: those, then v and u; the same padded.
  private var noises: Int { count * patches }
  private var columns: Int { noises + 2 }
  private var stride: Int { Triangular.padded(columns) }
  /// Coordinates of the noise.
  private var directions: Int { isReduced ? noises : features - 2 }

  package final class State {
    /// 1 where an example has the strong feature.
    let hasStrong: UnsafeMutablePointer<Double>
    /// Noise, noises x directions, and its transpose, directions x stride; its Gram matrix, noises x stride.
    let data, transposed, gram: UnsafeMutablePointer<Double>
    /// Filters in the directions of the noise, width x directions; Z, width x stride.
    package let weights, products: UnsafeMutablePointer<Double>
    /// Moves of products, width x the noises of training.
    let moves: UnsafeMutablePointer<Double>
    let outputs: UnsafeMutablePointer<Double>
    let bartlett: UnsafeMutablePointer<Double>
    /// Of one filter, its slopes on the examples of training; the tangent kernel of those, and a vector that it multiplies.
    let kernel, vector: UnsafeMutablePointer<Double>
    var rate = 0.0

    init(_ p: PatchConvolution) {
      hasStrong = .allocateZeros(p.count)
      data = .allocateZeros(p.noises * p.directions)
      transposed = .allocateZeros(p.directions * p.stride)
      gram = .allocateZeros(p.noises * p.stride)
      weights = .allocateZeros(p.width * p.directions)
      products = .allocateZeros(p.width * p.stride)
      moves = .allocateZeros(p.width * p.train * p.patches)
      outputs = .allocateZeros(p.count)
      bartlett = .allocateZeros(p.isReduced ? p.noises * p.noises : 0)
      kernel = .allocateZeros(p.train * p.train)
      vector = .allocateZeros(2 * p.train)
    }

    deinit {
      for place in [
        hasStrong, data, transposed, gram, weights, products, moves, outputs, bartlett, kernel, vector,
      ] { place.deallocate() }
    }
  }

  package var observables: [Observable] {
    [
      Observable("loss", role: .objective, "training loss, mean of (f - y)^2 / 2"),
      Observable("error", "share of the training examples of the wrong sign"),
      Observable("test_error", "the same of the test examples, which have the weak feature only"),
      Observable("strong", "what the strong feature adds to y f, mean of both classes"),
      Observable("weak", "what the weak feature adds to y f, mean of both classes"),
      Observable("edge", "(V - 1/(2 eta)) / (V - U), the least weak of a stable end without noise, k = 2, share 1"),
      Observable(
        "sharpness",
        "rate times half of the largest eigenvalue of the tangent kernel over P, at most 1 at a stable end of loss 0"),
    ]
  }

  package func makeState() -> State { State(self) }

  /// y: classes take turns.
  private func label(_ example: Int) -> Double { example % 2 == 0 ? 1 : -1 }
  /// What filter j adds to f is multiplied by this.
  private func readout(_ filter: Int) -> Double { (filter % 2 == 0 ? 1 : -1) / Double(width) }

  // MARK: Start

  package func start(_ state: State, _ stream: inout Stream) {
    let (m, q) = (noises, directions)
    for a in 0..<count {
      state.hasStrong[a] = a < train && (share == 1 || stream.uniform() < share) ? 1 : 0
    }
    let size = noise / Double(features).squareRoot()
    if isReduced {
      if m > 0 { Bartlett.write(&stream, m, degrees: Double(features - 2), to: state.bartlett) }
      for a in 0..<m { for i in 0...a { state.data[a * q + i] = size * state.bartlett[a * m + i] } }
    } else {
      fill(&stream, state.data, m * q, size)
    }
    fill(&stream, state.weights, width * q, scale)
    for j in 0..<width {
      state.products[j * stride + m] = scale * strong.squareRoot() * stream.normal()
      state.products[j * stride + m + 1] = scale * weak.squareRoot() * stream.normal()
    }
    prepare(state)
    state.rate = learningRate
  }

  private func fill(_ stream: inout Stream, _ place: UnsafeMutablePointer<Double>, _ count: Int, _ size: Double) {
    for first in Swift.stride(from: 0, to: count, by: 1024) {
      let part = min(1024, count - first)
      let normals = stream.normals(part)
      for i in 0..<part { place[first + i] = size * normals[i] }
    }
  }

  /// The Gram matrix of the noise, and its products with the filters.
  package func prepare(_ state: State) {
    let (m, q) = (noises, directions)
    guard m > 0 else { return }
    for a in 0..<m { for i in 0..<q { state.transposed[i * stride + a] = state.data[a * q + i] } }
    MatrixProduct.add(
      state.gram, stride, fresh: true, rows: m, columns: m, state.data, rowStride: q, columnStride: 1, inner: q,
      state.transposed, stride)
    makeProducts(state)
  }

  private func makeProducts(_ state: State) {
    MatrixProduct.add(
      state.products, stride, fresh: true, rows: width, columns: noises, state.weights, rowStride: directions,
      columnStride: 1, inner: directions, state.transposed, stride)
  }

  /// For replays of one sampler by the other: all that a run starts from.
  package func copyStart(from source: State, to target: State) {
    target.hasStrong.update(from: source.hasStrong, count: count)
    target.gram.update(from: source.gram, count: noises * stride)
    target.products.update(from: source.products, count: width * stride)
  }

  // MARK: Passes

  @inline(__always)
  private func rise(_ z: Double) -> Double {
    let x = max(z, 0)
    var result = x
    for _ in 1..<power { result *= x }
    return result
  }

  @inline(__always)
  private func slope(_ z: Double) -> Double {
    guard z > 0 else { return 0 }
    var result = Double(power)
    for _ in 1..<power { result *= z }
    return result
  }

  private func evaluate(_ state: State) {
    if !isReduced && noises > 0 { makeProducts(state) }
    for a in 0..<count { state.outputs[a] = 0 }
    for j in 0..<width {
      let (z, v) = (state.products + j * stride, readout(j))
      let (strongs, weaks) = (both(z[noises]), both(z[noises + 1]))
      for a in 0..<count {
        let isPositive = a % 2 == 0
        var sum = isPositive ? weaks.0 : weaks.1
        if state.hasStrong[a] > 0 { sum += isPositive ? strongs.0 : strongs.1 }
        for p in a * patches..<(a + 1) * patches { sum += rise(z[p]) }
        state.outputs[a] += v * sum
      }
    }
  }

  /// Of the patches of either class.
  @inline(__always)
  private func both(_ z: Double) -> (Double, Double) { (rise(z), rise(-z)) }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    evaluate(state)
    return trainingLoss(state)
  }

  private func trainingLoss(_ state: State) -> Double {
    var sum = 0.0
    for a in 0..<train {
      let r = state.outputs[a] - label(a)
      sum += 0.5 * r * r
    }
    return sum / Double(train)
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    state.rate = rate
    let scale = -2 * Double(width) * rate / Double(train)
    for j in 0..<width {
      let (z, moves, v) = (state.products + j * stride, state.moves + j * train * patches, readout(j))
      var (alongStrong, alongWeak) = (0.0, 0.0)
      for a in 0..<train {
        let (y, r) = (label(a), scale * v * (state.outputs[a] - label(a)))
        alongStrong += state.hasStrong[a] * r * y * slope(y * z[noises])
        alongWeak += r * y * slope(y * z[noises + 1])
        for p in a * patches..<(a + 1) * patches { moves[p] = r * slope(z[p]) }
      }
      z[noises] += strong * alongStrong
      z[noises + 1] += weak * alongWeak
    }
    let inner = train * patches
    guard inner > 0 else { return }
    if isReduced {
      MatrixProduct.add(
        state.products, stride, fresh: false, rows: width, columns: noises, state.moves, rowStride: inner,
        columnStride: 1, inner: inner, state.gram, stride)
    } else {
      MatrixProduct.add(
        state.weights, directions, fresh: false, rows: width, columns: directions, state.moves, rowStride: inner,
        columnStride: 1, inner: inner, state.data, directions)
    }
  }

  // MARK: Measures

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    evaluate(state)
    values[0] = trainingLoss(state)
    func wrong(_ examples: Range<Int>) -> Double {
      var sum = 0.0
      for a in examples where !(label(a) * state.outputs[a] > 0) { sum += 1 }
      return examples.isEmpty ? .nan : sum / Double(examples.count)
    }
    (values[1], values[2]) = (wrong(0..<train), wrong(train..<count))
    (values[3], values[4]) = (0, 0)
    for j in 0..<width {
      let z = state.products + j * stride
      for i in 0..<2 {
        let (positive, negative) = both(z[noises + i])
        values[3 + i] += 0.5 * readout(j) * (positive - negative)
      }
    }
    values[5] = max(0, (strong - 1 / (2 * state.rate)) / (strong - weak))
    values[6] = Double(width) * state.rate * largestEigenvalue(state) / Double(train)
  }

  /// Of the tangent kernel of the examples of training, by the power method.
  private func largestEigenvalue(_ state: State) -> Double {
    let kernel = state.kernel
    kernel.update(repeating: 0, count: train * train)
    for j in 0..<width {
      let (z, v) = (state.products + j * stride, readout(j))
      for a in 0..<train {
        let y = label(a)
        let (ofStrong, ofWeak) = (state.hasStrong[a] * y * slope(y * z[noises]), y * slope(y * z[noises + 1]))
        for b in 0...a {
          let other = label(b)
          var sum = strong * ofStrong * state.hasStrong[b] * other * slope(other * z[noises])
          sum += weak * ofWeak * other * slope(other * z[noises + 1])
          for p in a * patches..<(a + 1) * patches where z[p] > 0 {
            let own = slope(z[p])
            for q in b * patches..<(b + 1) * patches { sum += own * slope(z[q]) * state.gram[p * stride + q] }
          }
          kernel[a * train + b] += v * v * sum
        }
      }
    }
    for a in 0..<train { for b in 0..<a { kernel[b * train + a] = kernel[a * train + b] } }
    let (x, image) = (state.vector, state.vector + train)
    // Of length 1, and not orthogonal to the eigenvector of either class.
    for a in 0..<train { x[a] = (1 + 0.5 * label(a)) / (1.25 * Double(train)).squareRoot() }
    var largest = 0.0
    for _ in 0..<Self.iterations {
      var (product, square) = (0.0, 0.0)
      for a in 0..<train {
        var sum = 0.0
        for b in 0..<train { sum += kernel[a * train + b] * x[b] }
        image[a] = sum
        product += x[a] * sum
        square += sum * sum
      }
      guard square > 0 else { return 0 }
      largest = product
      for a in 0..<train { x[a] = image[a] / square.squareRoot() }
    }
    return largest
  }

  private static let iterations = 60
  /// Most numbers of one state: 2 GiB.
  private static let mostNumbers = 1 << 28

  static let entry = ProblemEntry(
    name: "patches",
    summary: "a convolution over patches with a strong, a weak feature and noise: large steps learn the weak one",
    equation:
      "f = sum_j ± sum_p relu(w_j.x_p)^power/width, patches y u, y v (in a share) and noise; w' = w - 2 width learning_rate grad mean (f - y)^2/2",
    reference: "arXiv:2310.17074; docs/training-problems.md",
    samplers: [
      ("reduced", "products of filters and patches, whatever the number of features"),
      ("weights", "every filter and every patch"),
    ],
    observables: ["loss", "error", "test_error", "strong", "weak", "edge", "sharpness"],
    parameters: [
      Parameter("width", .integer(2...100_000), default: .integer(20), "n, filters, half of each sign"),
      Parameter("features", .integer(3...1_000_000_000), default: .integer(10_000), "d, features of a patch"),
      Parameter("samples", .integer(2...4000), default: .integer(40), "P, examples of training, half of each class"),
      Parameter("test", .integer(0...4000), default: .integer(100), "examples of the test"),
      Parameter("noise_patches", .integer(0...16), default: .integer(1), "patches of noise of an example"),
      Parameter("power", .integer(1...8), default: .integer(2), "k of relu^k; 2 has the edge of two-mode"),
      Parameter("signal", .real(.above(0)), default: .real(1), "V, |v|^2 of the strong feature"),
      Parameter("weak_signal", .real(.above(0)), default: .real(0.1), "U, |u|^2 of the weak feature, below V"),
      Parameter(
        "share", .real(.init(0, 1)), default: .real(1), "share of the training examples with the strong feature"),
      Parameter("noise", .real(.init(0, .infinity)), default: .real(1), "sigma, length of a patch of noise"),
      Parameter("start_std", .real(.above(0)), default: .real(0.05), "s, standard deviation of filters at the start"),
    ]
  ) { p, settings, _ in
    let (strong, weak) = (p.real("signal"), p.real("weak_signal"))
    guard weak < strong else { throw p.invalid("weak_signal", "must be below signal = \(strong)") }
    for key in ["width", "samples"] where p.integer(key) % 2 != 0 {
      throw p.invalid(key, "must be even: half of each sign")
    }
    let problem = PatchConvolution(
      width: p.integer("width"), features: p.integer("features"), train: p.integer("samples"), test: p.integer("test"),
      patches: p.integer("noise_patches"), power: p.integer("power"), strong: strong, weak: weak,
      share: p.real("share"), noise: p.real("noise"), scale: p.real("start_std"),
      isReduced: p.text("sampler") == "reduced", learningRate: settings.rate(1))
    let (numbers, overflow) = problem.directions.multipliedReportingOverflow(by: 2 * problem.stride + problem.width)
    guard !overflow, numbers <= mostNumbers else {
      throw p.invalid(
        problem.isReduced ? "samples" : "features",
        "must keep a run to at most \(mostNumbers) numbers: patches of noise times features, or times themselves"
      )
    }
    return TrainingModel(problem, settings, p)
  }
}
