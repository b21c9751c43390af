import Experiments
import Formulas
import Kernels
import Randomness

/// A function on [0, 1] fitted by a shallow network with bandlimited random weights (How powerful are shallow networks with bandlimited random weights?): features
/// $\sigma(a_j x + b_j)$ with $a_j, b_j$ uniform on $[-\lambda, \lambda]$, sigma logistic, and $c$ that minimises $\int_0^1 (f - \frac{1}{\sqrt N} \sum_j c_j \sigma_j)^2 dx + \delta |c|^2$.
///
/// The integral is a Gauss-Legendre rule on 32 panels, so a draw is ridge regression with its 512 nodes as examples; a feature is analytic in a strip of half-width pi/lambda, and to rounding that is the
/// integral for lambda up to 200.
package struct BandlimitedRegression: RegressionProblem {
  /// N.
  package let neurons: Int
  /// lambda.
  package let band: Double
  package let ridges: [Double]
  /// Nodes with their weights, and the target there.
  package let nodes, weights, targets: [Double]

  package static let largestBand = 200.0
  private static let panels = 32

  package init(neurons: Int, band: Double, ridges: [Double], target: (Double) -> Double) {
    (self.neurons, self.band, self.ridges) = (neurons, band, ridges)
    var (nodes, weights): ([Double], [Double]) = ([], [])
    GaussLegendre.forEachNode(in: 0...1, breaks: [], panel: 1 / Double(Self.panels)) { x, weight in
      nodes.append(x)
      weights.append(weight)
    }
    (self.nodes, self.weights, targets) = (nodes, weights, nodes.map(target))
  }

  /// $\int f^2$.
  package var square: Double { zip(weights, targets).reduce(0) { $0 + $1.0 * $1.1 * $1.1 } }

  package var observables: [Observable] {
    [
      Observable("error", "root mean square of f - F c/sqrt(N) over that of f"),
      Observable("log_error", role: .logarithm, "logarithm of error"),
      Observable("coefficients", "|c|: a fit with small ridge may be good by coefficients that are not bounded"),
    ]
  }

  package func experiment(_ schema: Schema) -> RegressionExperiment {
    RegressionExperiment(BandlimitedDraw(problem: self, schema: schema))
  }

  /// The target of the source, of three scales.
  private static let target = "0.2*exp(-(10*x - 4)^2) + 0.5*exp(-(80*x - 40)^2) + 0.3*exp(-(80*x - 20)^2)"

  static let entry = RegressionEntry(
    name: "bandlimited", summary: "a function on [0, 1] fitted by logistic neurons with bandlimited random weights",
    equation:
      "min_c int_0^1 (f - F c/sqrt(N))^2 dx + ridge |c|^2, F_j = 1/(1 + e^-(a_j x + b_j)), a, b ~ U[-band, band]",
    reference: "How powerful are shallow networks with bandlimited random weights?; docs/regression.md",
    ridge: "the integral plus delta |c|^2", observables: ["error", "log_error", "coefficients"],
    parameters: [
      Parameter("neurons", .integer(1...4096), small: .init(.inverse, "N", companions: ["draws"]), "N"),
      Parameter(
        "band", .real(.init(0, largestBand, openBelow: true)),
        "lambda; beyond \(Int(largestBand)) the rule of the integral does not resolve a neuron"),
      Parameter("target", .text, default: .text(target), "f, a formula in x"),
    ]
  ) { p, settings, _ in
    guard settings.ridges[0] > 0 else {
      throw p.invalid(
        "ridges", "must be above 0: neurons of one band depend on each other to rounding, and |c| has no bound")
    }
    let formula = try FormulaKeys.read(
      p["target"]!, key: "\(p.path).target", variables: ["x"], table: "\(p.path).target")
    let program = FormulaProgram(formula)
    let problem = BandlimitedRegression(
      neurons: p.integer("neurons"), band: p.real("band"), ridges: settings.ridges, target: { program($0) })
    guard problem.targets.allSatisfy(\.isFinite), problem.square > 0, problem.square.isFinite else {
      throw p.invalid("target", "must be finite on [0, 1], and not 0 everywhere")
    }
    return RegressionEntry.Made(problem: problem)
  }
}

private struct BandlimitedDraw: Draw {
  let problem: BandlimitedRegression
  let schema: Schema

  final class Scratch {
    let system: FeatureSystem
    let slopes, offsets, roots: UnsafeMutablePointer<Double>

    init(_ p: BandlimitedRegression) {
      system = FeatureSystem(samples: p.nodes.count, features: p.neurons)
      (slopes, offsets) = (.allocateZeros(p.neurons), .allocateZeros(p.neurons))
      roots = .allocateZeros(p.nodes.count)
      for (i, weight) in p.weights.enumerated() {
        roots[i] = weight.squareRoot()
        system.targets[i] = roots[i] * p.targets[i]
      }
    }

    deinit { for place in [slopes, offsets, roots] { place.deallocate() } }
  }

  func makeScratch() -> Scratch { Scratch(problem) }

  func draw(
    using stream: inout Stream, scratch s: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let (k, system) = (problem.neurons, s.system)
    for j in 0..<k {
      s.slopes[j] = problem.band * (2 * stream.uniform() - 1)
      s.offsets[j] = problem.band * (2 * stream.uniform() - 1)
    }
    let scale = 1 / Double(k).squareRoot()
    for (i, x) in problem.nodes.enumerated() {
      let (row, root) = (system.rows + i * k, scale * s.roots[i])
      for j in 0..<k { row[j] = root * Elementary.sigmoid(s.slopes[j] * x + s.offsets[j]) }
    }
    system.prepare()
    let square = problem.square
    var isFinite = true
    for (record, ridge) in problem.ridges.enumerated() {
      let place = values + record * schema.observables.count
      let isSolved = system.solve(ridge: ridge)
      let error = isSolved ? (system.residual / square).squareRoot() : .nan
      let norm = isSolved ? Cholesky.dot(system.coefficients, system.coefficients, k).squareRoot() : .nan
      (place[0], place[1], place[2]) = (error, Elementary.log(error), norm)
      if !error.isFinite { isFinite = false }
    }
    return isFinite ? [] : .overflowed
  }
}
