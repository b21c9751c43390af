import Kernels
import Experiments

extension Probe {
  /// The covariance of the layers, which every draw measures.
  package static let covariance = Probe(
    name: "covariance", summary: "the covariance V of the layers, in every draw, named or not", equation: "",
    reference: "",
    observables: CovarianceObservables.Family.allCases.map(\.rawValue),
    defaults: [CovarianceObservables.Family.covariance, .logNorm, .correlation, .atanhCorrelation].map(\.rawValue))
}

/// What is measured of a covariance matrix V of m inputs, given as its triangular factor; the same for networks and
/// limits.
public struct CovarianceObservables: Sendable {
  /// Families of observables, as jobs name them.
  public enum Family: String, CaseIterable, Sendable {
    case covariance = "V"
    case logNorm = "log_V"
    case correlation = "rho"
    case atanhCorrelation = "atanh_rho"
    case logDistance = "log_distance"
    case q = "q"
    case inverseRootQ = "q^-1/2"
    case clipped = "clipped_V"
    case above = "above"
    case crossed = "crossed"
    case crossingTime = "crossing_time"
    case logEigenvalue = "log_lambda"
    case moment = "moment"
    case logDeterminant = "log_det"
    case collapsed = "collapsed"
    case exploded = "exploded"
    case vanished = "vanished"

    public var summary: String {
      switch self {
      case .covariance: "covariance V_ab of the layer, every entry a <= b"
      case .logNorm: "log V_aa"
      case .correlation: "correlation rho_ab = V_ab / sqrt(V_aa V_bb), a < b"
      case .atanhCorrelation: "atanh rho_ab, a < b"
      case .logDistance: "log of V_aa + V_bb - 2 V_ab, a < b, computed without cancellation"
      case .q: "layer^2 (1 - rho_ab), a < b, computed without cancellation"
      case .inverseRootQ: "q^-1/2"
      case .clipped: "min(V_aa, clip)"
      case .above: "1 where the largest V_aa is above `level`, else 0: its mean is a probability"
      case .crossed: "1 where some V_aa has reached `bound` in this layer or before, else 0"
      case .crossingTime: "layer / width at which `bound` was reached, this layer's where it was not"
      case .logEigenvalue: "logarithms of the eigenvalues of V, the largest first"
      case .moment: "spectral moments tr V^k / m, k = 1, 2, 3"
      case .logDeterminant: "log det V"
      case .collapsed: "1 where some correlation is above 0.99, else 0; undefined where none is and some V_aa is 0"
      case .exploded: "1 where some V_aa is above 10 times its value at the inputs, else 0"
      case .vanished: "1 where some V_aa is below a tenth of its value at the inputs, else 0"
      }
    }
  }

  public let inputs: Int
  public let families: [Family]
  /// Ceiling of `clipped_V`, threshold of `above`, bound at which a draw stops.
  public let clip, level, bound: Double
  public let width: Double
  /// V_aa of the inputs, as the health families use it.
  public let initialNorms: [Double]

  public init(
    inputs: Int, families: [Family], initialNorms: [Double], width: Int, clip: Double = 5, level: Double = 3,
    bound: Double = .infinity
  ) {
    self.inputs = inputs
    self.families = families
    self.initialNorms = initialNorms
    self.width = Double(width)
    self.clip = clip
    self.level = level
    self.bound = bound
  }

  /// The same with only those families that are among the given.
  public func only(_ chosen: [Family]) -> CovarianceObservables {
    CovarianceObservables(
      inputs: inputs, families: families.filter(chosen.contains), initialNorms: initialNorms, width: Int(width),
      clip: clip, level: level, bound: bound)
  }

  public var observables: [Observable] {
    families.flatMap { family -> [Observable] in
      let name = family.rawValue
      switch family {
      case .covariance:
        return indices(pairs: true, diagonal: true).map {
          Observable(name, [$0, $1], role: .heavyTailed, "V_ab, a = \($0), b = \($1)")
        }
      case .logNorm: return (0..<inputs).map { Observable(name, [$0], "log V_aa, a = \($0)") }
      case .clipped: return (0..<inputs).map { Observable(name, [$0], "min(V_aa, \(clip)), a = \($0)") }
      case .correlation: return pairs(name, "correlation")
      case .atanhCorrelation: return pairs(name, "atanh of the correlation")
      case .logDistance: return pairs(name, "log of the squared distance")
      case .q: return pairs(name, "layer^2 (1 - rho)")
      case .inverseRootQ: return pairs(name, "(layer^2 (1 - rho))^-1/2")
      case .logEigenvalue: return (0..<inputs).map { Observable(name, [$0], "log of eigenvalue \($0) of V") }
      case .moment: return (1...3).map { Observable(name, [$0], "tr V^\($0) / m") }
      case .above, .crossed: return [Observable(name, role: .event, family.summary)]
      case .collapsed, .exploded, .vanished: return [Observable(name, role: .failure, family.summary)]
      case .crossingTime: return [Observable(name, unit: "layer / width", family.summary)]
      case .logDeterminant: return [Observable(name, family.summary)]
      }
    }
  }

  private func pairs(_ name: String, _ summary: String) -> [Observable] {
    indices(pairs: true, diagonal: false).map {
      Observable(name, [$0, $1], "\(summary) of inputs \($0) and \($1)")
    }
  }

  private func indices(pairs: Bool, diagonal: Bool) -> [(Int, Int)] {
    (0..<inputs).flatMap { a in ((diagonal ? a : a + 1)..<max(inputs, a + 1)).map { (a, $0) } }
  }

  /// Whether some V_aa has reached the bound. If so V is scaled back to it, so that a stopped draw is the same whether its
  /// last step was large or small.
  @inlinable
  public func stops(_ lower: UnsafeMutablePointer<Double>) -> Bool {
    if bound == .infinity { return false }
    var largest = 0.0
    for a in 0..<inputs {
      let v = dot(lower, a, a, a)
      largest = v.isNaN ? .infinity : max(largest, v)
    }
    if largest < bound { return false }
    let scale = (bound / largest).squareRoot()
    for i in 0..<inputs &* inputs {
      lower[i] = largest.isFinite ? lower[i] * scale : (i % (inputs &+ 1) == 0 ? bound.squareRoot() : 0)
    }
    return true
  }

  /// Writes the observables of `V = L L^T`.
  /// - Parameters:
  ///   - lower: L, m x m lower triangular, row by row.
  ///   - layer: index of the layer, for q.
  ///   - crossing: layer at which the bound was reached, infinity where it was not.
  ///   - rounding: relative error of the rows of L; rows that are parallel to within it have the correlation 1 or -1.
  ///   - work: room for `m (m + 1)` numbers.
  ///   - values: receives `observables.count` numbers.
  @inlinable
  public func write(
    lower: UnsafePointer<Double>, layer: Double, crossing: Double = .infinity, rounding: Double = 0,
    work: UnsafeMutablePointer<Double>, to values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let m = inputs
    var events: DrawEvents = []
    var largest = 0.0
    // Whether small eigenvalues are those of V and not what its entries lost near the ends of the range of numbers.
    var hasRank = true
    for a in 0..<m {
      let v = dot(lower, a, a, a)
      // A V_aa of 0 is one only if its row is 0.
      if v == 0 ? (0...a).contains(where: { lower[a &* m &+ $0] != 0 }) : !(v >= 0x1p-960 && v <= 0x1p960) {
        hasRank = false
      }
      if v < .leastNormalMagnitude { events.insert(.underflowed) }
      if !v.isFinite { events.insert(.overflowed) }
      largest = max(largest, v)
    }
    var out = values
    for family in families {
      switch family {
      case .covariance:
        for a in 0..<m {
          for b in a..<m {
            out.pointee = dot(lower, a, b, a)
            out += 1
          }
        }
      case .logNorm, .clipped:
        for a in 0..<m {
          let v = dot(lower, a, a, a)
          out.pointee = family == .logNorm ? Elementary.log(v) : min(v, clip)
          out += 1
        }
      case .correlation, .atanhCorrelation, .q, .inverseRootQ:
        for a in 0..<m {
          for b in a &+ 1..<max(m, a &+ 1) {
            let (difference, sum) = distances(lower, a, b, rounding)
            let q = layer * layer * 0.5 * difference
            switch family {
            case .q: out.pointee = q
            case .inverseRootQ: out.pointee = 1 / q.squareRoot()
            case .atanhCorrelation: out.pointee = 0.5 * Elementary.log(sum / difference)
            default: out.pointee = 0.25 * (sum - difference)
            }
            out += 1
          }
        }
      case .logDistance:
        for a in 0..<m {
          for b in a &+ 1..<max(m, a &+ 1) {
            out.pointee = Elementary.log(squaredDistance(lower, a, b, rounding))
            out += 1
          }
        }
      case .logEigenvalue, .moment:
        for i in 0..<m &* m { work[i] = lower[i] }
        let squares = work + m &* m
        SingularValues.squares(work, m: m, into: squares)
        // As many are 0 as diagonal entries of L.
        var rank = 0
        for a in 0..<m where lower[a &* m &+ a] != 0 { rank &+= 1 }
        for a in rank..<m { squares[a] = 0 }
        if family == .logEigenvalue {
          for a in 0..<m {
            out[a] = Elementary.log(squares[a])
            if !hasRank && out[a].isFinite { out[a] = .nan }
          }
          out += m
        } else {
          for k in 0..<3 { out[k] = 0 }
          for a in 0..<m {
            let x = squares[a] / Double(m)
            out[0] += x
            out[1] += x * squares[a]
            out[2] += x * squares[a] * squares[a]
          }
          out += 3
        }
      case .logDeterminant:
        out.pointee = 0
        for a in 0..<m { out.pointee += 2 * Elementary.log(lower[a &* m &+ a].magnitude) }
        if !hasRank && out.pointee.isFinite { out.pointee = .nan }
        out += 1
      case .above:
        out.pointee = largest > level ? 1 : 0
        out += 1
      case .crossed:
        out.pointee = crossing <= layer ? 1 : 0
        out += 1
      case .crossingTime:
        out.pointee = min(crossing, layer) / width
        out += 1
      case .collapsed:
        out.pointee = collapsed(lower)
        out += 1
      case .exploded, .vanished:
        out.pointee = healthEvent(family, lower) ? 1 : 0
        out += 1
      }
    }
    return events
  }

  @inlinable
  func healthEvent(_ family: Family, _ lower: UnsafePointer<Double>) -> Bool {
    for a in 0..<inputs {
      let ratio = dot(lower, a, a, a) / initialNorms[a]
      if family == .exploded && !(ratio <= 10) || family == .vanished && ratio < 0.1 { return true }
    }
    return false
  }

  /// 1 where some correlation is above 0.99, else 0; NaN where none is and some input has none, being 0 or not finite.
  @inlinable
  func collapsed(_ lower: UnsafePointer<Double>) -> Double {
    var found = 0.0
    for a in 0..<inputs {
      for b in a &+ 1..<max(inputs, a &+ 1) {
        let (difference, sum) = distances(lower, a, b)
        let rho = 0.25 * (sum - difference)
        if rho > 0.99 { return 1 }
        if rho.isNaN { found = .nan }
      }
    }
    return found
  }

  /// `|u_a - u_b|^2 = 2 (1 - rho)` and `|u_a + u_b|^2` of the unit vectors: no cancellation as rho -> 1 or -1, and 0 where they are
  /// no more than the rounding of the rows and of the unit vectors.
  @inlinable @inline(__always)
  func distances(
    _ lower: UnsafePointer<Double>, _ a: Int, _ b: Int, _ rounding: Double = 0
  ) -> (difference: Double, sum: Double) {
    let row = lower + a &* inputs
    let other = lower + b &* inputs
    let (va, vb) = (dot(lower, a, a, a), dot(lower, b, b, b))
    let (na, nb) = (va.squareRoot(), vb.squareRoot())
    var difference = 0.0
    var sum = 0.0
    for k in 0...b {
      let x = k <= a ? row[k] / na : 0
      let y = other[k] / nb
      difference += (x - y) * (x - y)
      sum += (x + y) * (x + y)
    }
    // A norm that has left the range of numbers, or most of its digits, gives no unit vector.
    if difference.isFinite && !(va.isNormal && vb.isNormal) { return (.nan, .nan) }
    // Row 0 has one entry: its unit vector is exact, and so is the first entry of one that is close to it.
    let least = 2 * rounding + (a == 0 ? 0 : 0x1p-52 * Double(b &+ 4))
    return (difference <= least * least ? 0 : difference, sum <= least * least ? 0 : sum)
  }

  /// `V_aa + V_bb - 2 V_ab`; 0 where it is no more than the rounding of the rows.
  @inlinable @inline(__always)
  func squaredDistance(_ lower: UnsafePointer<Double>, _ a: Int, _ b: Int, _ rounding: Double) -> Double {
    var total = 0.0
    for k in 0...b {
      let d = lower[a &* inputs &+ k] - lower[b &* inputs &+ k]
      total += d * d
    }
    let least = 2 * rounding + 0x1p-52
    return total <= least * least * max(dot(lower, a, a, a), dot(lower, b, b, b)) ? 0 : total
  }

  /// `V_ab`, the sum to the first `reach + 1` columns.
  @inlinable @inline(__always)
  func dot(_ lower: UnsafePointer<Double>, _ a: Int, _ b: Int, _ reach: Int) -> Double {
    var total = 0.0
    for k in 0...reach { total += lower[a &* inputs &+ k] * lower[b &* inputs &+ k] }
    return total
  }
}
