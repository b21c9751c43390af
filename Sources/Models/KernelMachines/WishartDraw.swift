import Experiments
import Kernels
import Randomness

/// Independent draws of the prior, a deep Wishart process (arXiv:2107.10125), each weighted by its likelihood where the posterior is asked for.
package struct WishartDraw: Draw {
  package enum Sampler: String, Sendable {
    /// Bartlett's factors: P (P + 1)/2 numbers a layer whatever N.
    case bartlett
    /// $G = L Z Z^T L^T/N$ with P x N normals Z, unit by unit: the definition.
    case product
    /// Bartlett's factors and weights.
    case importance
  }

  let settings: MachineSettings
  let sampler: Sampler
  /// What N fit is taken relative to, so that weights are of order 1.
  let centre: Double
  package let schema: Schema

  /// - Parameter centre: about $(1/N) \log E e^{N \mathrm{fit}}$, for `importance`.
  package init(_ settings: MachineSettings, _ sampler: Sampler, centre: Double = 0) {
    (self.settings, self.sampler, self.centre) = (settings, sampler, centre)
    let axis = Axis.layers([settings.depth])
    if sampler == .importance {
      let weight = Observable("weight", role: .auxiliary, "e^(N (fit - f)), f the objective of the limit")
      let numerators = settings.gramObservables("weighted_gram", role: .auxiliary, "weight times ")
      let estimands = zip(settings.gramObservables(), numerators).map { entry, numerator in
        Estimand(
          Self.posterior(entry.indices), "\(numerator.name)/weight", weight: weight.name,
          "posterior mean of \(entry.summary)")
      }
      schema = Schema(
        axis: axis, observables: [weight] + numerators,
        estimands: estimands + [
          Estimand(
            Self.evidence, "log(weight)/\(settings.width)", offsets: [centre], weight: weight.name,
            "(1/N) log E e^(N fit): the log evidence over N, but for constants")
        ])
    } else {
      schema = Schema(axis: axis, observables: settings.gramObservables() + settings.complexityObservables)
    }
  }

  package static func posterior(_ indices: [Int]) -> String {
    "posterior_gram[\(indices.map(String.init).joined(separator: ","))]"
  }
  package static let evidence = "evidence_per_width"

  package final class Scratch {
    /// P x P each: the factor of k(G), T or the factor of G, G, k(G); the inverse factor of a column.
    let lower, factor, gram, covariance, column: UnsafeMutablePointer<Double>

    init(_ p: Int) {
      (lower, factor) = (.allocateZeros(p * p), .allocateZeros(p * p))
      (gram, covariance, column) = (.allocateZeros(p * p), .allocateZeros(p * p), .allocateZeros(p))
    }

    deinit { for buffer in [lower, factor, gram, covariance, column] { buffer.deallocate() } }
  }

  package func makeScratch() -> Scratch { Scratch(settings.points) }

  package func draw(
    using stream: inout Stream, scratch s: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let (p, entries) = (settings.points, settings.entries)
    let isWeighted = sampler == .importance
    for i in 0..<p * p { s.lower[i] = settings.startFactor[i] }
    var out = values + (isWeighted ? 1 : 0)
    let complexities = out + settings.depth * entries
    for l in 0..<settings.depth {
      let complexity = sampler == .product ? drawUnits(&stream, s) : drawFactor(&stream, s)
      if !isWeighted { complexities[l] = complexity }
      for a in 0..<p {
        for b in 0...a {
          out[0] = s.gram[a * p + b]
          out += 1
        }
      }
      applyKernel(s)
      Triangular.clippedCholesky(s.covariance, m: p, into: s.lower)
    }
    guard isWeighted else { return complexities[0].isFinite ? [] : .overflowed }
    let weight = Elementary.exp(Double(settings.width) * (fit(s) - centre))
    values[0] = weight
    for i in 1...settings.depth * entries { values[i] *= weight }
    return weight.isFinite ? [] : .overflowed
  }

  /// G by Bartlett's factor T.
  /// - Returns: (1/2) [|T|^2/N - log det T T^T/N - P].
  private func drawFactor(_ stream: inout Stream, _ s: Scratch) -> Double {
    let (p, n) = (settings.points, Double(settings.width))
    var (square, product) = (0.0, 0.0)
    for i in 0..<p {
      for j in 0..<p where j > i { s.factor[i * p + j] = 0 }
      if i > 0 { (s.factor + i * p).update(from: stream.normals(i), count: i) }
      s.factor[i * p + i] = stream.chiSquare(settings.width - i).squareRoot()
      for j in 0...i { square += s.factor[i * p + j] * s.factor[i * p + j] }
      product += Elementary.log(s.factor[i * p + i])
    }
    Triangular.multiplyLower(s.lower, s.factor, m: p, scale: 1 / n.squareRoot())
    Triangular.square(s.lower, m: p, into: s.gram)
    return 0.5 * (square / n - Double(p)) - product + 0.5 * Double(p) * Elementary.log(n)
  }

  /// G unit by unit.
  /// - Returns: the complexity, from the factors of k and G.
  private func drawUnits(_ stream: inout Stream, _ s: Scratch) -> Double {
    let (p, n) = (settings.points, Double(settings.width))
    s.gram.update(repeating: 0, count: p * p)
    for _ in 0..<settings.width {
      let z = stream.normals(p)
      for a in 0..<p {
        var u = 0.0
        for k in 0...a { u += s.lower[a * p + k] * z[k] }
        s.column[a] = u
      }
      for a in 0..<p { for b in 0..<p { s.gram[a * p + b] += s.column[a] * s.column[b] } }
    }
    for i in 0..<p * p { s.gram[i] /= n }
    Triangular.clippedCholesky(s.gram, m: p, into: s.factor)
    // tr k^-1 G = |L^-1 F|^2, column by column of F.
    var (trace, logs) = (0.0, 0.0)
    for c in 0..<p {
      for i in c..<p {
        var x = s.factor[i * p + c]
        for k in c..<i { x -= s.lower[i * p + k] * s.column[k] }
        s.column[i] = x / s.lower[i * p + i]
        trace += s.column[i] * s.column[i]
      }
      logs += Elementary.log(s.factor[c * p + c] / s.lower[c * p + c])
    }
    return 0.5 * (trace - Double(p)) - logs
  }

  private func applyKernel(_ s: Scratch) {
    let p = settings.points
    for a in 0..<p {
      for b in 0..<a {
        let k = settings.kernel.value(s.gram[a * p + a], s.gram[b * p + b], s.gram[a * p + b])
        (s.covariance[a * p + b], s.covariance[b * p + a]) = (k, k)
      }
      s.covariance[a * p + a] = settings.kernel.diagonal(s.gram[a * p + a])
    }
  }

  /// The fit of k(G_L).
  private func fit(_ s: Scratch) -> Double {
    let p = settings.points
    for a in 0..<p { s.covariance[a * p + a] += settings.noise }
    Triangular.clippedCholesky(s.covariance, m: p, into: s.lower)
    var (logs, square) = (0.0, 0.0)
    for a in 0..<p { logs += Elementary.log(s.lower[a * p + a]) }
    for y in settings.targets {
      for i in 0..<p {
        var x = y[i]
        for k in 0..<i { x -= s.lower[i * p + k] * s.column[k] }
        s.column[i] = x / s.lower[i * p + i]
        square += s.column[i] * s.column[i]
      }
    }
    return -settings.outputRatio * (logs + 0.5 * square)
  }
}
