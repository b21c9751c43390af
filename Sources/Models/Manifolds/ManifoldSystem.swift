import Experiments

/// Sites that are treated together, at most 32.
package struct SiteBatch {
  package let sites: UnsafePointer<Int32>
  package let count: Int
}

/// Sites x_1, ..., x_n on a manifold with an energy H that is affine in every site: H = g_i . x_i + a rest without x_i. The field g_i is its
/// gradient in R^width; a move samples exp(-beta H). One conforming type a file, and a line of `ManifoldCatalog.systems`.
///
/// H has one degree: the fields are homogeneous, so H = sum_i g_i . x_i / degree. A system keeps no state, and may keep room; every replica has
/// an instance of its own. Sites lie in rows of `padded(manifold.width)` numbers.
///
/// Required: `manifold`, `sites`, `degree`, `fields`, and `neighbours` where there are any.
package protocol ManifoldSystem: AnyObject {
  var manifold: any Manifold { get }
  var sites: Int { get }
  /// 1 for an outer field, 2 for pairs, 4 for plaquettes of a lattice.
  var degree: Int { get }
  /// What it measures besides energy and certificate.
  var observables: [Observable] { get }

  /// Other sites that the field of a site depends on.
  func neighbours(of site: Int) -> [Int]
  /// Writes the fields of some sites, row by row, the padding of a row as 0.
  func fields(_ batch: SiteBatch, _ x: UnsafePointer<Double>, to rows: UnsafeMutablePointer<Double>)
  /// Writes a value for each of `observables`.
  /// - Parameter energy: H of the whole system.
  func measure(_ x: UnsafePointer<Double>, energy: Double, into values: UnsafeMutablePointer<Double>)
}

extension ManifoldSystem {
  package var observables: [Observable] { [] }
  package func neighbours(of site: Int) -> [Int] { [] }
  package func measure(_ x: UnsafePointer<Double>, energy: Double, into values: UnsafeMutablePointer<Double>) {}
  package var rowLength: Int { padded(manifold.width) }
}

/// Numbers between two sites: whole vectors where there is more than one.
package func padded(_ width: Int) -> Int { width <= 4 ? width : (width + 7) / 8 * 8 }

/// What is known of the law exp(-beta H).
package struct ExactMeans: Sendable {
  /// Means of observables at this size.
  package var means: [String: Double]
  package var equation, reference: String

  package init(_ means: [String: Double] = [:], equation: String = "", reference: String = "") {
    self.means = means
    self.equation = equation
    self.reference = reference
  }
}

/// A system, once read: how to make an instance for a replica, and what is known.
package struct SystemModel: Sendable {
  package let make: @Sendable () -> any ManifoldSystem
  package let exact: @Sendable (_ beta: Double) -> ExactMeans

  package init(
    exact: @escaping @Sendable (_ beta: Double) -> ExactMeans = { _ in ExactMeans() },
    make: @escaping @Sendable () -> any ManifoldSystem
  ) {
    self.make = make
    self.exact = exact
  }
}
