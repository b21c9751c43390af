import Kernels
import Simulation

/// What is measured of a covariance matrix V of m inputs, given as its triangular factor.
public struct CovarianceObservables: Sendable, Equatable {
  /// Families of observables, as jobs name them.
  public enum Family: String, CaseIterable, Sendable {
    case covariance = "V"
    case logNorm = "log_V"
    case correlation = "rho"
    case atanhCorrelation = "atanh_rho"
    case q = "q"

    public var summary: String {
      switch self {
      case .covariance: "covariance V_ab of the layer, every entry a <= b"
      case .logNorm: "log V_aa"
      case .correlation: "correlation rho_ab = V_ab / sqrt(V_aa V_bb), a < b"
      case .atanhCorrelation: "atanh rho_ab, a < b"
      case .q: "layer^2 (1 - rho_ab), a < b, computed without cancellation"
      }
    }
  }

  public let inputs: Int
  public let families: [Family]

  public init(inputs: Int, families: [Family]) {
    self.inputs = inputs
    self.families = families
  }

  public var observables: [Observable] {
    families.flatMap { family in
      indices(of: family).map { a, b in
        switch family {
        case .logNorm: Observable("log_V[\(a)]", "log V_aa, a = \(a)")
        case .covariance: Observable("V[\(a),\(b)]", "V_ab, a = \(a), b = \(b)", heavyTailed: true)
        case .correlation: Observable("rho[\(a),\(b)]", "correlation of inputs \(a) and \(b)")
        case .atanhCorrelation: Observable("atanh_rho[\(a),\(b)]", "atanh of the correlation of inputs \(a) and \(b)")
        case .q: Observable("q[\(a),\(b)]", "layer^2 (1 - rho) of inputs \(a) and \(b)")
        }
      }
    }
  }

  private func indices(of family: Family) -> [(Int, Int)] {
    let m = inputs
    switch family {
    case .covariance: return (0..<m).flatMap { a in (a..<m).map { (a, $0) } }
    case .logNorm: return (0..<m).map { ($0, $0) }
    case .correlation, .atanhCorrelation, .q:
      return (0..<m).flatMap { a in (a + 1..<max(m, a + 1)).map { (a, $0) } }
    }
  }

  /// Writes the observables of `V = L L^T`.
  /// - Parameters:
  ///   - lower: L, m x m lower triangular, row by row.
  ///   - layer: index of the layer, for q.
  ///   - values: receives `observables.count` numbers.
  @inlinable
  public func write(
    lower: UnsafePointer<Double>, layer: Double, to values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let m = inputs
    var events: DrawEvents = []
    for a in 0..<m {
      let v = dot(lower, a, a, a)
      if v == 0 { events.insert(.underflowed) }
      if !v.isFinite { events.insert(.overflowed) }
    }
    var out = values
    for family in families {
      for a in 0..<m {
        let row = lower + a &* m
        let va = dot(lower, a, a, a)
        switch family {
        case .covariance:
          for b in a..<m {
            out.pointee = dot(lower, a, b, a)
            out += 1
          }
        case .logNorm:
          out.pointee = Elementary.log(va)
          out += 1
        case .correlation, .atanhCorrelation, .q:
          let na = va.squareRoot()
          for b in a &+ 1..<max(m, a &+ 1) {
            let other = lower + b &* m
            let nb = dot(lower, b, b, b).squareRoot()
            // |u_a - u_b|^2 = 2 (1 - rho) for unit vectors: no cancellation as rho -> 1; |u_a + u_b|^2 likewise.
            var difference = 0.0
            var sum = 0.0
            for k in 0...b {
              let x = k <= a ? row[k] / na : 0
              let y = other[k] / nb
              difference += (x - y) * (x - y)
              sum += (x + y) * (x + y)
            }
            switch family {
            case .q: out.pointee = layer * layer * 0.5 * difference
            case .atanhCorrelation: out.pointee = 0.5 * Elementary.log(sum / difference)
            default: out.pointee = 0.25 * (sum - difference)
            }
            out += 1
          }
        }
      }
    }
    return events
  }

  /// `V_ab`, the sum to the first `reach + 1` columns.
  @inlinable @inline(__always)
  func dot(_ lower: UnsafePointer<Double>, _ a: Int, _ b: Int, _ reach: Int) -> Double {
    var total = 0.0
    for k in 0...reach { total += lower[a &* inputs &+ k] * lower[b &* inputs &+ k] }
    return total
  }
}
