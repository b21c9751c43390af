import Experiments

/// What is measured of a gas.
///
/// *Controls.* For any field phi of the points, $E[\operatorname{div} \phi - \phi \cdot \nabla U] = 0$ in the law exp(-U). With $\phi = (L - c)^k \nabla L$ that is
///
/// $$ E \bigl[ (L-c)^k (\Delta L - \nabla L \cdot \nabla U) + k (L-c)^{k-1} |\nabla L|^2 \bigr] = 0, $$
///
/// and as $\nabla L$ points where a larger tilt moves the droplet, these vary nearly as the powers of L - c do: control variates that take off most of the noise of the cumulants. With the
/// field x they are the virial, which certifies a chain whatever f is.
struct GasMeasurement {
  let gas: GasSettings

  init(_ gas: GasSettings) { self.gas = gas }

  static let controls = (0...3).map { k in
    Observable(
      "control_\(k)", role: .auxiliary,
      "(L - c)^\(k) (Lap L - grad L . grad U)\(k == 0 ? "" : " + \(k) (L - c)^\(k - 1) |grad L|^2"): its mean is 0")
  }

  static let tilted = [
    Observable("free_energy", "F(e), the integral of E L/N over the tilts from 0 to e"),
    Observable("rate", "Psi = F(e) - e l: the rate of the large deviation L = N l"),
  ]

  static let diagnostics = [
    Observable("energy", role: .energy, "N sum V + sum w, per point; under the tilt if there is one"),
    Observable("residual", role: .certificate, "virial: 1 - x . grad U/(N d), mean 0 in the law exp(-U)"),
    Observable("acceptance", role: .acceptanceRate, "acceptance rate of the trajectories"),
  ]

  /// Of one gas: L, its powers and its controls.
  /// - Returns: the place behind them.
  func write(_ one: Gas, to values: UnsafeMutablePointer<Double>) -> UnsafeMutablePointer<Double> {
    let sums = one.measure(gas.statistic)
    values[0] = sums.value / Double(gas.number)
    gas.cumulants.write(sums.value, to: values + 1)
    guard gas.hasControls else { return values + 5 }
    let (d, drift) = (sums.value - gas.cumulants.centre, sums.laplacian - sums.force)
    values[5] = drift
    values[6] = d * drift + sums.square
    values[7] = d * d * drift + 2 * d * sums.square
    values[8] = d * d * d * drift + 3 * d * d * sums.square
    return values + 9
  }

  /// Of gases under the tilts at the nodes, and under the whole tilt.
  func write(_ all: [Gas], to values: UnsafeMutablePointer<Double>) -> UnsafeMutablePointer<Double> {
    let n = Double(gas.number)
    var free = 0.0
    for (one, weight) in zip(all, gas.weights) {
      free = free.addingProduct(weight, one.measure(gas.statistic).value / n)
    }
    let l = all[all.count - 1].measure(gas.statistic).value / n
    values[0] = l
    values[1] = free
    values[2] = free - gas.tilt! * l
    return values + 3
  }

  func writeDiagnostics(_ one: Gas, to values: UnsafeMutablePointer<Double>) {
    let n = Double(gas.number)
    values[0] = one.energy / (gas.temperatureFactor * n)
    values[1] = 1 - one.measure(gas.statistic).virial / (n * Double(gas.dimension))
  }
}
