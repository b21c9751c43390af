import Kernels

/// The density of infinitely many particles in a box, by K modes of each dimension:
///
/// $$ n_t = \Delta n - \nabla \cdot (n \nabla c), \quad \varepsilon c_t = \Delta c - c + w, \quad \varepsilon w_t = \tau \Delta w - w + n, $$
///
/// no flux through the walls. Everything but $\nabla \cdot (n \nabla c)$ is linear and goes mode by mode, exactly, (a, w, c) together, so no $\varepsilon$ is stiff; that term by the
/// exponential method of Cox and Matthews of order 4 (J. Comput. Phys. 176 (2002) 430). Galerkin's projection: nothing is aliased.
///
/// Modes hide a density that blows up: compare K modes with 2K.
package final class DensityFlow {
  package let box: BoxSettings
  /// a, w, c of every mode.
  package let state: UnsafeMutablePointer<Double>
  package let grid: CosineGrid
  private let modes: CosineModes
  /// Rows of a system: a, w, c; of eps = 0 the signals follow.
  private let rows: Int
  private let whole, half: [Exponential]
  private let stages: [UnsafeMutablePointer<Double>]
  private let field, density, flux, slope, projected: UnsafeMutablePointer<Double>

  /// The matrices of a mode over one step: of the state, and of the four values of what is not linear.
  private struct Exponential {
    let matrix: [Double]
    let columns: [[Double]]
  }

  package init(_ box: BoxSettings, step: Double) {
    self.box = box
    modes = box.modes
    rows = box.epsilon > 0 ? 3 : 1
    grid = CosineGrid(modes)
    let (rows, squares) = (rows, box.modes.squares)
    func matrix(_ q: Double, _ h: Double) -> [Double] {
      guard rows == 3 else { return [-q * h] }
      let e = h / box.epsilon
      return [-q * h, 0, 0, e, -(1 + box.tau * q) * e, 0, 0, e, -(1 + q) * e]
    }
    half = squares.map { q in
      let phi = PhiFunctions(matrix(q, 0.5 * step), size: rows)
      return Exponential(matrix: phi.exponential, columns: [phi.columns[0].map { 0.5 * step * $0 }])
    }
    whole = squares.map { q in
      let phi = PhiFunctions(matrix(q, step), size: rows)
      let (first, second, third) = (phi.columns[0], phi.columns[1], phi.columns[2])
      var columns = Array(repeating: Array(repeating: 0.0, count: rows), count: 3)
      for i in 0..<rows {
        columns[0][i] = step * (first[i] - 3 * second[i] + 4 * third[i])
        columns[1][i] = step * (2 * second[i] - 4 * third[i])
        columns[2][i] = step * (4 * third[i] - second[i])
      }
      return Exponential(matrix: phi.exponential, columns: columns)
    }
    let count = modes.count
    state = .allocateZeros(3 * count)
    stages = (0..<2).map { _ in .allocateZeros(3 * count) } + (0..<4).map { _ in .allocateZeros(count) }
    field = .allocateZeros(count)
    projected = .allocateZeros(count)
    density = .allocateZeros(grid.count)
    flux = .allocateZeros(grid.count)
    slope = .allocateZeros(grid.count)
    let a = box.startDensity
    let start = box.startSignals(a)
    for k in 0..<count { (state[k], state[count + k], state[2 * count + k]) = (a[k], start.w[k], start.c[k]) }
  }

  deinit { for p in stages + [state, field, projected, density, flux, slope] { p.deallocate() } }

  package var a: UnsafeMutablePointer<Double> { state }
  package var w: UnsafeMutablePointer<Double> { state + modes.count }
  package var c: UnsafeMutablePointer<Double> { state + 2 * modes.count }

  /// One step.
  package func advance() {
    let (first, second) = (stages[0], stages[1])
    let (n0, n1, n2, n3) = (stages[2], stages[3], stages[4], stages[5])
    aggregation(of: state, to: n0)
    apply(half, state, [n0], to: first)
    aggregation(of: first, to: n1)
    apply(half, state, [n1], to: second)
    aggregation(of: second, to: n2)
    // From the first stage, with 2 N(second) - N(state).
    for k in 0..<modes.count { n3[k] = 2 * n2[k] - n0[k] }
    apply(half, first, [n3], to: second)
    aggregation(of: second, to: n3)
    for k in 0..<modes.count { n1[k] += n2[k] }
    apply(whole, state, [n0, n1, n3], to: first)
    state.update(from: first, count: 3 * modes.count)
  }

  private func apply(
    _ all: [Exponential], _ from: UnsafePointer<Double>, _ terms: [UnsafeMutablePointer<Double>],
    to out: UnsafeMutablePointer<Double>
  ) {
    let count = modes.count
    for k in 0..<count {
      let own = all[k]
      for i in 0..<rows {
        var sum = 0.0
        for j in 0..<rows { sum = sum.addingProduct(own.matrix[i * rows + j], from[j * count + k]) }
        for (column, term) in zip(own.columns, terms) { sum = sum.addingProduct(column[i], term[k]) }
        out[i * count + k] = sum
      }
      guard rows == 1 else { continue }
      let at = SignalStep.balance(q: modes.squares[k], tau: box.tau)
      (out[count + k], out[2 * count + k]) = (at.w * out[k], at.c * out[k])
    }
  }

  /// The modes of $-\nabla \cdot (n \nabla c)$: $2^{..} \overline{n \nabla c \cdot \nabla \prod \cos}$.
  private func aggregation(of state: UnsafePointer<Double>, to out: UnsafeMutablePointer<Double>) {
    let (count, unit) = (modes.count, Double.pi / modes.length)
    let c = state + 2 * count
    grid.values(state, to: density)
    for k in 0..<count { out[k] = 0 }
    for axis in (3 - modes.dimension)..<3 {
      forEachMode { k, numbers in field[k] = -unit * Double(numbers[axis]) * c[k] }
      grid.values(field, sineAlong: axis, to: slope)
      for i in 0..<grid.count { flux[i] = density[i] * slope[i] }
      grid.means(flux, sineAlong: axis, to: projected)
      forEachMode { k, numbers in
        out[k] = out[k].addingProduct(-unit * Double(numbers[axis]) * modes.norms[k], projected[k])
      }
    }
  }

  @inline(__always)
  private func forEachMode(_ body: (_ place: Int, _ numbers: SIMD4<Int>) -> Void) {
    var place = 0
    for i in 0..<modes.shape[0] {
      for j in 0..<modes.shape[1] {
        for k in 0..<modes.shape[2] {
          body(place, SIMD4(i, j, k, 0))
          place += 1
        }
      }
    }
  }
}
