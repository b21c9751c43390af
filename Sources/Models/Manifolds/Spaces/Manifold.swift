import Randomness

/// Numbers of up to 32 sites, coordinate by coordinate: coordinate c of lane i stands at `c * Lanes.width + i`.
package enum Lanes {
  package static let width = 32
}

package typealias LaneBlock = UnsafeMutablePointer<Double>

/// The space of one site: a Riemannian manifold in R^width with the metric of that space. One conforming type a file.
///
/// All methods work on up to 32 sites at once, and take as room `Lanes.width * roomLength` numbers. They are pure functions of what they
/// are given, by functions of `Elementary`: no bit depends on the CPU.
package protocol Manifold: Sendable {
  /// Numbers of a point, and dimension of the manifold.
  var width: Int { get }
  var dimension: Int { get }
  /// c in Lap x = -c x, for the coordinates x of a point: what the Laplacian of an energy needs that is affine in every site.
  var curvature: Double { get }
  /// Numbers a site that the methods take as room, at least `3 * width + 20`.
  var roomLength: Int { get }
  /// Whether `flow` is there; where it is not, steps end with `retract`.
  var hasGeodesics: Bool { get }

  /// A uniform point from `width` normals in its place.
  func normalise(_ x: LaneBlock, _ count: Int, room: LaneBlock)
  /// Leaves the tangent part of u at x.
  func project(_ u: LaneBlock, at x: LaneBlock, _ count: Int, room: LaneBlock)
  /// Moves x along the geodesic of velocity v for some time; v is transported with it.
  func flow(_ x: LaneBlock, _ v: LaneBlock, time: Double, _ count: Int, room: LaneBlock)
  /// Moves x by the tangent vector u to the nearest point of the manifold.
  func retract(_ x: LaneBlock, by u: LaneBlock, _ count: Int, room: LaneBlock)
  /// A move that leaves exp(-beta field . x) as it is and keeps nothing of x where that can be had: the heat bath.
  /// - Parameter field: overwritten.
  func renew(_ x: LaneBlock, field: LaneBlock, beta: Double, _ noise: Noise, _ count: Int, room: LaneBlock)
}

extension Manifold {
  package var roomLength: Int { 3 * width + 20 }
  package func flow(_ x: LaneBlock, _ v: LaneBlock, time: Double, _ count: Int, room: LaneBlock) {
    preconditionFailure("no geodesics")
  }
}

/// Fills lanes with `rows` normals each.
@inline(__always)
func fillNormals(_ u: LaneBlock, _ rows: Int, _ count: Int, _ noise: Noise) {
  let normals = noise.normals(0, rows &* count)
  for c in 0..<rows {
    let (from, to) = (normals + c &* count, u + c &* Lanes.width)
    for i in 0..<count { to[i] = from[i] }
  }
}

/// The inner products of two vectors of each lane.
@inline(__always)
func laneProducts(_ a: LaneBlock, _ b: LaneBlock, _ width: Int, _ count: Int, into sums: LaneBlock) {
  for i in 0..<count { sums[i] = a[i] * b[i] }
  for c in 1..<max(width, 1) {
    let (x, y) = (a + c &* Lanes.width, b + c &* Lanes.width)
    for i in 0..<count { sums[i] = sums[i].addingProduct(x[i], y[i]) }
  }
}
