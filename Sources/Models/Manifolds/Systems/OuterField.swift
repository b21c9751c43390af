import Experiments

/// Independent points in one outer field: H = sum_i F . x_i. What laws of a single point are made of.
package final class OuterField: ManifoldSystem {
  package let manifold: any Manifold
  package let sites: Int
  package let observables: [Observable]
  package var degree: Int { 1 }
  private let field: [Double]
  private let add: @Sendable (UnsafePointer<Double>, UnsafeMutablePointer<Double>) -> Void

  /// - Parameter add: adds the observables of one point.
  init(
    _ manifold: any Manifold, copies: Int, field: [Double], _ observables: [Observable],
    add: @escaping @Sendable (_ x: UnsafePointer<Double>, _ sums: UnsafeMutablePointer<Double>) -> Void
  ) {
    self.manifold = manifold
    sites = copies
    self.field = field + Array(repeating: 0, count: padded(field.count) - field.count)
    self.observables = observables
    self.add = add
  }

  package func fields(_ batch: SiteBatch, _ x: UnsafePointer<Double>, to rows: UnsafeMutablePointer<Double>) {
    for b in 0..<batch.count {
      let row = rows + b &* field.count
      for c in 0..<field.count { row[c] = field[c] }
    }
  }

  package func measure(_ x: UnsafePointer<Double>, energy: Double, into values: UnsafeMutablePointer<Double>) {
    for k in observables.indices { values[k] = 0 }
    for i in 0..<sites { add(x + i * rowLength, values) }
    for k in observables.indices { values[k] /= Double(sites) }
  }
}

extension SystemEntry {
  /// Of a single point: the strength of its field.
  static let concentration = Parameter(
    "concentration", .real(.init(0, 1e6)), default: .real(1), "kappa; with inverse_temperature 1 that of the law")
}
