import Experiments
import Kernels
import Networks
import Randomness

/// Controlled residual network of N units along paths x in M steps:
///
/// $$Y_0 = \sigma_a \xi, \qquad Y_{s+1} = Y_s + \sum_k \Bigl(\tfrac{\sigma_A}{\sqrt N} A_k \phi(Y_s) + \sigma_b b_k\Bigr)\, dx^k_s,$$
///
/// all entries N(0, 1), the same weights at every step (homogeneous), or fresh ones and increments over $\sqrt{dt}$, dt = 1/M (inhomogeneous). A draw drives one network along
/// all paths; what is measured is $K_{ab} = \langle Y^a, Y^b \rangle / N$.
///
/// Homogeneous: the stacked $A_1, \dots, A_d$ are asked for their products with the span of $\phi(Y)$ only (`LazyMatrix`): at most N d m M normals of m paths, instead
/// of d N^2. Inhomogeneous: given $\phi(Y)$ the units' increments are independent and normal, of covariance
/// $(\sigma_A^2 \langle \phi_a, \phi_b \rangle / N + \sigma_b^2)\, dx_a \cdot dx_b / dt$.
package struct ControlledNetwork: Draw {
  package let settings: SignatureSettings
  package let schema: Schema
  /// $dx^k_s$ of path a at `(a * M + s) * d + k`.
  private let moves: [Double]
  /// $dx_a \cdot dx_b / dt$ of step s at `(s * m + a) * m + b`, where increments are drawn by their covariance.
  private let products: [Double]

  package final class Scratch {
    /// Y and phi(Y), a path a column.
    let state, post: Columns
    /// A phi, and b.
    let image, biases: Columns
    let matrix: (any WeightMatrix)?
    let gram: UnsafeMutablePointer<Double>

    /// - Parameter matrix: the stacked weights; those of `settings` unless given.
    package init(_ settings: SignatureSettings, matrix given: (any WeightMatrix)? = nil) {
      let (m, n, d) = (settings.paths.count, settings.width, settings.components)
      (state, post) = (Columns(m, rows: n), Columns(m, rows: n))
      matrix = given ?? settings.makeMatrix()
      image = Columns(1, rows: matrix == nil ? 1 : d * n)
      biases = Columns(matrix == nil ? 1 : d, rows: n)
      gram = .allocate(capacity: 2 * m * m)
    }

    deinit { gram.deallocate() }
  }

  package init(_ settings: SignatureSettings) {
    self.settings = settings
    schema = Schema(axis: settings.axis, observables: settings.observables)
    let (m, steps, d) = (settings.paths.count, settings.steps, settings.components)
    let all = settings.paths.map { $0.increments(steps: steps) }
    moves = (0..<m * steps * d).map { place in all[place / (steps * d)][place % d * steps + place / d % steps] }
    guard settings.isDrawnByCovariance else {
      products = []
      return
    }
    products = (0..<steps * m * m).map { place in
      let (s, a, b) = (place / (m * m), place / m % m, place % m)
      return Double(steps) * (0..<d).reduce(0.0) { $0 + all[a][$1 * steps + s] * all[b][$1 * steps + s] }
    }
  }

  package func makeScratch() -> Scratch { Scratch(settings) }

  package func draw(
    using stream: inout Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let (m, n) = (settings.paths.count, settings.width)
    let state = scratch.state
    WeightLaw.gaussian.fill(state[0], n, &stream)
    for i in 0..<state.stride { state[0][i] = i < n ? settings.start * state[0][i] : 0 }
    for a in 1..<max(m, 1) { state[a].update(from: state[0], count: state.stride) }
    var record = 0
    for step in 0..<settings.steps {
      activate(scratch)
      if let matrix = scratch.matrix {
        move(scratch, matrix, step, &stream)
      } else {
        moveByCovariance(scratch, step, &stream)
      }
      guard step &+ 1 == settings.records[record] else { continue }
      measure(scratch, to: values + record &* schema.observables.count)
      record &+= 1
      if record == settings.records.count { break }
    }
    return []
  }

  private func activate(_ scratch: Scratch) {
    let (post, state, n) = (scratch.post, scratch.state, settings.width)
    post.data.update(from: state.data, count: settings.paths.count &* state.stride)
    for a in 0..<settings.paths.count {
      settings.activation.apply(post[a], post.stride)
      for i in n..<post.stride { post[a][i] = 0 }
    }
  }

  private func move(_ scratch: Scratch, _ matrix: any WeightMatrix, _ step: Int, _ stream: inout Stream) {
    let (n, d, m) = (settings.width, settings.components, settings.paths.count)
    let (biases, image) = (scratch.biases, scratch.image)
    if step == 0 || !settings.isHomogeneous {
      matrix.renew(&stream)
      if settings.bias != 0 { for k in 0..<d { WeightLaw.gaussian.fill(biases[k], n, &stream) } }
    }
    let root = settings.isHomogeneous ? 1 : Double(settings.steps).squareRoot()
    let weight = settings.weight / Double(n).squareRoot()
    for a in 0..<m {
      matrix.multiply(scratch.post[a], into: image[0], &stream)
      let y = scratch.state[a]
      for k in 0..<d {
        let dx = root * moves[(a &* settings.steps &+ step) &* d &+ k]
        let (answer, b) = (image[0] + k &* n, biases[k])
        let (ofWeight, ofBias) = (weight * dx, settings.bias * dx)
        if settings.bias == 0 {
          for i in 0..<n { y[i] = y[i].addingProduct(ofWeight, answer[i]) }
        } else {
          for i in 0..<n { y[i] = y[i].addingProduct(ofWeight, answer[i]).addingProduct(ofBias, b[i]) }
        }
      }
    }
  }

  private func moveByCovariance(_ scratch: Scratch, _ step: Int, _ stream: inout Stream) {
    let (n, m) = (settings.width, settings.paths.count)
    let (gram, lower) = (scratch.gram, scratch.gram + m &* m)
    let weight = settings.weight * settings.weight / Double(n)
    let bias = settings.bias * settings.bias
    for a in 0..<m {
      for b in 0...a {
        let product = weight * Triangular.dot(scratch.post[a], scratch.post[b], scratch.post.stride) + bias
        gram[a &* m &+ b] = product * products[(step &* m &+ a) &* m &+ b]
        gram[b &* m &+ a] = gram[a &* m &+ b]
      }
    }
    Triangular.clippedCholesky(gram, m: m, into: lower)
    var done = 0
    while done < n {
      let count = min(GaussianRows.tile(m), n &- done)
      GaussianRows.add(
        lower, m, stream.normals(m &* count), count, keep: 1, to: scratch.state.data + done,
        stride: scratch.state.stride)
      done &+= count
    }
  }

  private func measure(_ scratch: Scratch, to values: UnsafeMutablePointer<Double>) {
    let (m, state) = (settings.paths.count, scratch.state)
    var out = values
    for a in 0..<m {
      for b in a..<m {
        out.pointee = Triangular.dot(state[a], state[b], state.stride) / Double(settings.width)
        out += 1
      }
    }
  }
}
