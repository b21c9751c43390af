import Kernels
import Networks

/// The numbers of a network in training: `Double`, or `Float` for half the memory and twice the speed. Sums over examples and units that are not products
/// of matrices are those of `Double`.
package protocol NetworkScalar: MatrixScalar {
  var double: Double { get }
  /// Of pre-activations: post-activations in their place, and slopes.
  static func apply(
    _ activation: any Activation, _ values: UnsafeMutablePointer<Self>, slopes: UnsafeMutablePointer<Self>, _ count: Int
  )
  /// `a . b` over a padded length.
  static func dot(_ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>, _ count: Int) -> Double
}

extension Double: NetworkScalar {
  @inline(__always) package var double: Double { self }

  @inline(__always) package static func apply(
    _ activation: any Activation, _ values: UnsafeMutablePointer<Double>, slopes: UnsafeMutablePointer<Double>,
    _ count: Int
  ) { activation.apply(values, slopes: slopes, count) }

  @inline(__always) package static func dot(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int
  ) -> Double { Triangular.dot(a, b, count) }
}

extension Float: NetworkScalar {
  @inline(__always) package var double: Double { Double(self) }

  @inline(__always) package static func apply(
    _ activation: any Activation, _ values: UnsafeMutablePointer<Float>, slopes: UnsafeMutablePointer<Float>,
    _ count: Int
  ) { activation.apply(values, slopes: slopes, count) }

  @inline(__always) package static func dot(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int
  ) -> Double { Triangular.dot(a, b, count) }
}
