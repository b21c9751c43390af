import Experiments
import Kernels

/// The classes of generated data along their principal components, unit vectors u and so Lipschitz functions: powers of $z = u \cdot (x - \bar x)/\sigma$, and the excess kurtosis of z, 0 of a normal class.
///
/// The components are those of the kernel mixture $\sum_i N(x_i, b^2)/n$ that the class is, not of a sample; where a sample is generated well, they are its own. Of the mixture itself, with
/// $p_i = u \cdot (x_i - \bar x)$ and $v = \sum_i p_i^2/n$,
///
/// $$\kappa = \frac{\sum_i p_i^4/n + 6 b^2 v + 3 b^4}{(v + b^2)^2} - 3,$$
///
/// which generated classes tend to as their steps go to infinity.
package struct ClassProjections: Sendable {
  /// One component of one class.
  package struct Component: Sendable {
    let label, order: Int
    /// u/sigma, and its product with the mean.
    package let axis: [Double]
    let offset: Double
    /// Of the mixture.
    package let kurtosis: Double
  }

  /// Class after class, components in descending order.
  package let components: [Component]
  /// Of a class.
  let count: Int
  /// Whether every class varies along as many components.
  let areDefined: Bool

  /// The largest dimension whose components are looked for.
  static let mostColumns = 256
  /// Powers of a projection.
  private static let powers = 4

  static let parameter = Parameter(
    "projections", .integer(0...8), default: .integer(0),
    "principal components of each class along which the powers and the excess kurtosis of fresh samples are measured")

  /// - Parameter count: components of a class.
  package init(_ clouds: [PointCloud], count: Int) {
    self.count = count
    components = count == 0 ? [] : clouds.enumerated().flatMap { Self.components($1, label: $0, count: count) }
    areDefined = components.count == clouds.count * count && components.allSatisfy { $0.kurtosis.isFinite }
  }

  private static func components(_ cloud: PointCloud, label: Int, count: Int) -> [Component] {
    let (d, n, noise) = (cloud.dimension, Double(cloud.count), cloud.bandwidth * cloud.bandwidth)
    let mean = cloud.centre
    var covariance = Array(repeating: 0.0, count: d * d)
    for i in 0..<cloud.count {
      cloud.point(i) { x in
        for j in 0..<d { for k in 0..<d { covariance[j * d + k] += (x[j] - mean[j]) * (x[k] - mean[k]) / n } }
      }
    }
    // Leaves columns that are eigenvectors times their eigenvalues.
    var values = Array(repeating: 0.0, count: d)
    SingularValues.squares(&covariance, m: d, into: &values)
    let columns = (0..<d).map { k in (0..<d).map { covariance[$0 * d + k] } }
    let lengths = columns.map { column in column.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    let order = (0..<d).sorted { (lengths[$0], $1) > (lengths[$1], $0) }
    return order.prefix(count).enumerated().map { place, k in
      let length = lengths[k]
      var (second, fourth) = (0.0, 0.0)
      for i in 0..<cloud.count {
        cloud.point(i) { x in
          let p = (0..<d).reduce(0) { $0 + columns[k][$1] * (x[$1] - mean[$1]) } / length
          second += p * p / n
          fourth += p * p * p * p / n
        }
      }
      let variance = second + noise
      let scale = 1 / (length * variance.squareRoot())
      let axis = columns[k].map { scale * $0 }
      return Component(
        label: label, order: place + 1, axis: axis, offset: zip(axis, mean).reduce(0) { $0 + $1.0 * $1.1 },
        kurtosis: (fourth + 6 * noise * second + 3 * noise * noise) / (variance * variance) - 3)
    }
  }

  var observables: [Observable] {
    components.flatMap { c in
      (1...Self.powers).map { k in
        Observable(
          "projection_\(k)", [c.label, c.order], role: .auxiliary,
          "power \(k) of z, component \(c.order) of class \(c.label), mean over its fresh samples")
      }
    }
  }

  static func name(_ component: Component) -> String { "kurtosis[\(component.label),\(component.order)]" }

  var estimands: [Estimand] {
    components.map { c in
      let m = (1...Self.powers).map { "projection_\($0)[\(c.label),\(c.order)]" }
      return Estimand(
        Self.name(c),
        "(\(m[3]) - 4*\(m[0])*\(m[2]) + 6*\(m[0])^2*\(m[1]) - 3*\(m[0])^4)/(\(m[1]) - \(m[0])^2)^2 - 3",
        "excess kurtosis along component \(c.order) of class \(c.label) (in the order of the labels, from 0)")
    }
  }

  /// Of the classes themselves.
  func predictions(_ subject: Int, _ value: (Component) -> Double) -> [PredictedStatistic] {
    components.map { PredictedStatistic(.estimand(Self.name($0)), record: 0, observable: subject, value: value($0)) }
  }

  /// Adds the powers of a sample, `weight` each.
  /// - Parameter values: of all components.
  func add(
    _ x: UnsafePointer<Double>, label: Int, weight: Double, to values: UnsafeMutablePointer<Double>
  ) {
    for k in label * count..<(label + 1) * count {
      let (component, place) = (components[k], values + k * Self.powers)
      var z = -component.offset
      for j in component.axis.indices { z += component.axis[j] * x[j] }
      place[0] += weight * z
      place[1] += weight * (z * z)
      place[2] += weight * (z * z * z)
      place[3] += weight * (z * z * (z * z))
    }
  }

  var width: Int { components.count * Self.powers }
}
