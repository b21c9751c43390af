import Kernels
import Networks
import Randomness
import Experiments

/// Drift and further noise of the shaped Transformer's covariance SDE (arXiv:2306.17759, Theorem 4.2), with C = I - 11^T/m,
/// Vh = C V C, s_a = Vh_aa - tr Vh / m, P = V Vh V, H heads:
///
///     b_ab = gamma^2/tau0^2 { V_ab tr(Vh V)/m^2 + 1/(2m) sum_x s_x (V_aa V_xb + V_bb V_xa) }  (+ gamma^2 of the MLP block),
///     noise gamma^2 (2 - gamma^2) (V_ac V_bd + V_ad V_bc)                                      (twice with the MLP block)
///         + gamma^4/(H m^2 tau0^2) [V_ac P_bd + V_ad P_bc + V_bc P_ad + V_bd P_ac].
///
/// The second noise is that of `E + E^T`, `E = L N R^T`, `R = V C L`, so a step multiplies out
/// `(L + eps sqrt(h) R N^T)(…)^T`, whose excess mean `eps^2 h m P` the drift takes back: weak order 1.
public struct TransformerDrift: CovarianceDrift {
  /// `gamma^2 / tau0^2`, `eps = gamma^2 / (sqrt(H) m tau0)`, and the factor of nu of the MLP block.
  public let attention, noiseScale, block: Double

  public init(attention: Double, noiseScale: Double, block: Double) {
    self.attention = attention
    self.noiseScale = noiseScale
    self.block = block
  }

  public var order: Int { 1 }

  @inlinable
  public func move(_ lower: UnsafeMutablePointer<Double>, _ m: Int, _ h: Double, _ scratch: DiffusionScratch) {
    // Room for the means of rows, s, V V and V Vh, which change with V.
    let work = scratch.work
    heun(lower, m, h, scratch) { v, a, b in
      // Once a step: the rates are asked for in order, (0, 0) first.
      if a == 0 && b == 0 { Self.prepare(v, m, work) }
      let mean = work
      let s = work + m
      let trace = work[2 &* m]
      let scale = 1 / Double(m)
      var mixed = 0.0
      // P = V Vh V = (V C)(V C V)^T with Vh = C V C.
      var p = 0.0
      for x in 0..<m {
        mixed += s[x] * (v[a &* m &+ a] * v[x &* m &+ b] + v[b &* m &+ b] * v[x &* m &+ a])
        let left = v[a &* m &+ x] - mean[a]
        for y in 0..<m { p += left * v[x &* m &+ y] * (v[b &* m &+ y] - mean[b]) }
      }
      var rate = attention * (v[a &* m &+ b] * trace * scale * scale + 0.5 * scale * mixed)
      rate -= noiseScale * noiseScale * Double(m) * p
      if block != 0 && a != b {
        let norm = (v[a &* m &+ a] * v[b &* m &+ b]).squareRoot()
        let rho = min(max(v[a &* m &+ b] / norm, -1), 1)
        rate += block * norm * Elementary.arcCosineDefect(rho: rho, sine: max((1 - rho) * (1 + rho), 0).squareRoot())
      }
      return rate
    }
  }

  /// Means of the rows of V, s, and tr(Vh V).
  @inlinable
  static func prepare(_ v: UnsafePointer<Double>, _ m: Int, _ work: UnsafeMutablePointer<Double>) {
    let mean = work
    let s = work + m
    var grand = 0.0
    for a in 0..<m {
      var sum = 0.0
      for b in 0..<m { sum += v[a &* m &+ b] }
      mean[a] = sum / Double(m)
      grand += mean[a] / Double(m)
    }
    var (total, trace) = (0.0, 0.0)
    for a in 0..<m {
      s[a] = v[a &* m &+ a] - 2 * mean[a] + grand
      total += s[a] / Double(m)
      for b in 0..<m { trace += (v[a &* m &+ b] - mean[a] - mean[b] + grand) * v[a &* m &+ b] }
    }
    for a in 0..<m { s[a] -= total }
    work[2 &* m] = trace
  }

  @inlinable
  public func addNoise(
    _ stream: inout Stream, _ lower: UnsafeMutablePointer<Double>, _ m: Int, _ h: Double, _ scratch: DiffusionScratch
  ) {
    if noiseScale == 0 { return }
    let (v, r) = (scratch.first, scratch.second)
    Triangular.square(lower, m: m, into: v)
    let n = stream.normals(m &* m)
    let scale = noiseScale * h.squareRoot()
    for a in 0..<m {
      var mean = 0.0
      for b in 0..<m { mean += v[a &* m &+ b] }
      mean /= Double(m)
      for j in 0..<m {
        var sum = 0.0
        for b in j..<m { sum += (v[a &* m &+ b] - mean) * lower[b &* m &+ j] }
        r[a &* m &+ j] = sum
      }
    }
    let columns = scratch.columns
    for a in 0..<m {
      for j in 0..<m {
        var sum = lower[a &* m &+ j]
        for k in 0..<m { sum += scale * r[a &* m &+ k] * n[j &* m &+ k] }
        columns[a][j] = sum
      }
      for i in m..<columns.stride { columns[a][i] = 0 }
    }
    scratch.sum.reset()
    scratch.sum.add(columns.data, stride: columns.stride, count: m)
    scratch.sum.clearDependent()
    scratch.sum.write(lower: lower, scale: 1)
  }
}

extension NetworkLimits {
  static let transformerSDE = LimitEntry<NetworkModel>(
    name: "transformer-sde",
    summary: "covariance SDE of the shaped Transformer, which may explode",
    equation:
      "dV = b dt + noise, b_ab = gamma^2/tau0^2 {V_ab tr(Vh V)/m^2 + sum_x s_x (V_aa V_xb + V_bb V_xa)/(2m)}; see docs/limits.md",
    reference: "arXiv:2306.17759, Theorem 4.2",
    parameters: integrated
  ) { p, network in
    guard let transformer = network.architecture as? Transformer, transformer.shaped, transformer.centred,
      !transformer.causal, abs(transformer.skip + transformer.gamma * transformer.gamma - 1) < 1e-12
    else {
      throw p.invalid(
        "equation",
        "needs \(Transformer.entry.name) with the shaped temperature, centred, not causal, lambda^2 + gamma^2 = 1")
    }
    guard network.settings.measured.bound < .infinity else {
      throw Failure.invalid(
        key: "\(NetworkFamily.table).bound", value: nil,
        allowed: "it must be given, because the drift is cubic, so this limit explodes with positive probability")
    }
    var (block, blocks) = (0.0, 1.0)
    if let activation = network.activation {
      guard let drift = activation.shapedSlopes?.drift else {
        throw p.invalid(
          "equation",
          "needs shaped-relu of exponent 1/2 or above, or linear, as the activation of the block, or no block")
      }
      blocks = 2
      block = drift
    }
    let (gamma, tau) = (transformer.gamma, transformer.tau)
    let g2 = gamma * gamma
    return try .diffusion(
      TransformerDrift(
        attention: g2 / (tau * tau),
        noiseScale: g2 / (Double(transformer.heads).squareRoot() * Double(network.settings.count) * tau),
        block: g2 * block),
      p, network, noise: blocks * g2 * (2 - g2), offset: "an offset of order 1/n is expected of a finite width")
  }
}
