import Experiments
import Kernels
import Randomness

/// The largest eigenvalue of the Hessian of the training loss in the coordinates that the learning rate moves: a step of descent is $w' = w - \eta \nabla L$ with $\eta$ as it
/// stands in the job, whatever the parametrisation, and is unstable along an eigenvector with an eigenvalue above $2/\eta$ (arXiv:2103.00065).
///
/// By the method of Lanczos from a random vector, with full reorthogonalisation, on exact products with the Hessian. The error is at most `sharpness_residual`, the residual of the
/// Ritz vector, if that is nearest to the largest eigenvalue.
final class SharpnessProbe {
  private let shape: NetworkShape
  private let pass: SecondOrderPass
  /// Where the weights of a layer begin in a vector, and how long a vector is.
  private let offsets: [Int]
  private let length: Int
  /// Those of Lanczos, one after the other; before the first, the vector at the start.
  private let vectors: UnsafeMutablePointer<Double>
  private let first: UnsafeMutablePointer<Double>
  /// A direction in the weights themselves, and the product with it.
  private let direction, product: UnsafeMutablePointer<Double>
  private let directions, products: SecondOrderPass.Weights
  private let diagonal, beside, roots, rest, row: UnsafeMutablePointer<Double>

  /// Most products with the Hessian of a record.
  private static let mostVectors = 64
  /// Residual over the eigenvalue at which it ends.
  private static let tolerance = 0x1p-30

  static let families = ["sharpness", "sharpness_residual"]
  static let observables = [
    Observable("sharpness", "largest eigenvalue of the Hessian of the training loss; descent is unstable above 2/eta"),
    Observable("sharpness_residual", "residual of its eigenvector, a bound of its error"),
  ]

  private static func length(_ shape: NetworkShape) -> Int { (1...shape.depth + 1).reduce(0) { $0 + shape.room($1) } }
  static func numbers(_ shape: NetworkShape) -> Int { (mostVectors + 4) * length(shape) }

  init(_ shape: NetworkShape) {
    self.shape = shape
    pass = SecondOrderPass(shape)
    length = Self.length(shape)
    var offsets = [0]
    for layer in 1...shape.depth { offsets.append(offsets[layer - 1] + shape.room(layer)) }
    self.offsets = offsets
    vectors = .allocateZeros((Self.mostVectors + 1) * length)
    (first, direction, product) = (.allocateZeros(length), .allocateZeros(length), .allocateZeros(length))
    let (direction, product) = (direction, product)
    directions = offsets.map { direction + $0 }
    products = offsets.map { product + $0 }
    let count = Self.mostVectors
    (diagonal, beside, roots) = (.allocateZeros(count), .allocateZeros(count), .allocateZeros(count))
    (rest, row) = (.allocateZeros(count), .allocateZeros(count))
  }

  deinit {
    for place in [vectors, first, direction, product, diagonal, beside, roots, rest, row] { place.deallocate() }
  }

  /// Draws the vector that every record begins with.
  func start(_ stream: inout Stream) {
    for layer in 1...shape.depth + 1 {
      for i in 0..<shape.rows(layer) {
        for j in 0..<shape.width { first[offsets[layer - 1] + i * shape.stride + j] = stream.normal() }
      }
    }
  }

  /// Writes `observables`, and returns the place behind them.
  func measure(
    _ problem: TrainedMLP, _ state: NetworkState<Double>, to values: UnsafeMutablePointer<Double>
  ) -> UnsafeMutablePointer<Double> {
    state.stack.transpose()
    normalise(first, to: vectors)
    var count = 0
    repeat {
      let vector = vectors + count * length
      let next = vector + length
      multiply(problem, state, vector, to: next)
      count += 1
      diagonal[count - 1] = Triangular.dot(vector, next, length)
      for _ in 0..<2 {
        for k in 0..<count {
          let other = vectors + k * length
          let along = Triangular.dot(other, next, length)
          for i in 0..<length { next[i] -= along * other[i] }
        }
      }
      beside[count - 1] = Triangular.dot(next, next, length).squareRoot()
      (values[0], values[1]) = largest(count)
      // What is left may be rounding.
      guard values[1] > Self.tolerance * values[0].magnitude else { break }
      normalise(next, to: next)
    } while count < Self.mostVectors
    return values + 2
  }

  private func normalise(_ vector: UnsafePointer<Double>, to target: UnsafeMutablePointer<Double>) {
    let scale = 1 / Triangular.dot(vector, vector, length).squareRoot()
    for i in 0..<length { target[i] = scale * vector[i] }
  }

  /// The largest eigenvalue of the tridiagonal matrix, and the residual of its vector: $\beta_m$ times the last entry of that.
  private func largest(_ count: Int) -> (value: Double, residual: Double) {
    for i in 0..<count {
      (roots[i], rest[i], row[i]) = (diagonal[i], beside[i], i == count - 1 ? 1 : 0)
    }
    Tridiagonal.eigenvalues(diagonal: roots, beside: rest, count: count, row: row)
    var place = 0
    for i in 1..<max(count, 1) where roots[i] > roots[place] { place = i }
    return (roots[place], beside[count - 1] * row[place].magnitude)
  }

  /// The Hessian times a vector, both in w times the root of what its rate is multiplied by.
  private func multiply(
    _ problem: TrainedMLP, _ state: NetworkState<Double>, _ vector: UnsafePointer<Double>,
    to result: UnsafeMutablePointer<Double>
  ) {
    let (stack, k, train) = (state.stack, shape.outputs, problem.data.train)
    scale(problem, vector, to: direction)
    pass.transpose(directions, stack)
    let factor = problem.outputScale / Double(train)
    for first in stride(from: 0, to: train, by: NetworkShape.block) {
      let rows = min(NetworkShape.block, train - first)
      problem.load(state, from: first)
      pass.forward(stack, problem, rows: rows, inputs: nil, direction: directions)
      for row in 0..<rows {
        let (f, y) = (stack.outputs + row * k, state.examples.targets + (first + row) * k)
        let move = pass.outputs + row * k
        for c in 0..<k { f[c] -= state.first[(first + row) * k + c] }
        _ = problem.loss.derive(f, y, k)
        problem.loss.bend(move, slope: f, y, k)
        for c in 0..<k {
          pass.seeds[row * k + c] = factor * f[c]
          move[c] *= factor
        }
      }
      pass.backward(stack, rows: rows, inputs: nil, direction: directions, to: products, fresh: first == 0)
    }
    scale(problem, product, to: result)
  }

  private func scale(_ problem: TrainedMLP, _ vector: UnsafePointer<Double>, to target: UnsafeMutablePointer<Double>) {
    for layer in 1...shape.depth + 1 {
      let s = problem.scales[layer - 1].multiplier * problem.rateScale.squareRoot()
      for i in offsets[layer - 1]..<offsets[layer - 1] + shape.room(layer) { target[i] = s * vector[i] }
    }
  }
}
