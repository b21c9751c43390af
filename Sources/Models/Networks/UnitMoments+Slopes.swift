import Kernels

/// $\phi'$ as a function of its own, with its Gaussian expectations.
package struct SlopeFunction: Activation {
  let activation: any Activation

  package init(_ activation: any Activation) { self.activation = activation }

  package var kinks: [Double] { activation.kinks }
  package var smoothness: Smoothness {
    guard case .kink(let order) = activation.smoothness else { return activation.smoothness }
    return order == 1 ? .jump : .kink(order: order - 1)
  }

  package func value(_ x: Double) -> Double { activation.derivative(x) }
  package func derivative(_ x: Double) -> Double { activation.curvature(x) }
  package func curvature(_ x: Double) -> Double { .nan }

  package func apply(_ values: UnsafeMutablePointer<Double>, _ count: Int) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, count)) { slopes in
      activation.apply(values, slopes: slopes.baseAddress!, count)
      values.update(from: slopes.baseAddress!, count: count)
    }
  }
}

extension UnitMoments {
  /// Those of $t = \phi'(u)$ in the place of s.
  /// - Precondition: the activation has a derivative.
  package var ofSlopes: UnitMoments { UnitMoments(SlopeFunction(activation), rule: rule) }

  /// Of two inputs, s and t of both: $E s_a s_b t_c t_d$ and $E u_b s_i t_j$.
  package struct Joint {
    /// By the pairs $(uu, uv, vv)$ of s, then of t.
    package let mixed: [[Double]]
    /// $E u_b s_i t_j$ at `4 b + 2 i + j`, $u_0 = u$ and $u_1 = v$.
    package let tilts: [Double]
  }

  /// - Returns: nil where an expectation is infinite or not found, or K is singular to `leastSine`.
  package func joint(_ vu: Double, _ cov: Double, _ vv: Double) -> Joint? {
    guard vu > 0, vv > 0, vu * vv - cov * cov > Self.leastSine * vu * vv else { return nil }
    let scale = vu.squareRoot()
    let along = cov / scale
    let across = (vv - along * along).squareRoot()
    let size = max(scale, vv.squareRoot())
    let slopes = SlopeFunction(activation)
    func evaluate(_ points: [Double]) -> (s: [Double], t: [Double]) {
      var (s, t) = (points, points)
      s.withUnsafeMutableBufferPointer { activation.apply($0.baseAddress!, $0.count) }
      t.withUnsafeMutableBufferPointer { slopes.apply($0.baseAddress!, $0.count) }
      return (s, t)
    }
    let found = Self.settled(17) { parts in
      let outer = nodes(
        SplitExpectation.outerBreaks(kinks, deviation: scale, along: along, across: across), scale: size, parts: parts)
      let left = evaluate(outer.points.map { scale * $0 })
      var sums = Sums(17)
      for (k, x) in outer.points.enumerated() {
        let mean = along * x
        let inner = nodes(kinks.map { ($0 - mean) / across }, scale: size, parts: parts)
        let points = inner.points.map { mean + across * $0 }
        let right = evaluate(points)
        // s_v^i t_v^j at 3 i + j, and v s_v^i t_v^j after them, with their absolute values.
        var values = Array(repeating: 0.0, count: 13)
        var sizes = values
        for q in points.indices {
          let (s, t, w) = (right.s[q], right.t[q], inner.weights[q])
          for (place, f) in [
            1, t, t * t, s, s * t, s * t * t, s * s, s * s * t, s * s * t * t, points[q], points[q] * t, points[q] * s,
            points[q] * s * t,
          ].enumerated() {
            values[place] += w * f
            sizes[place] += w * f.magnitude
          }
        }
        let (s, t, w, u) = (left.s[k], left.t[k], outer.weights[k], scale * x)
        var (terms, bounds): ([Double], [Double]) = ([], [])
        func add(_ f: Double, _ place: Int) {
          terms.append(w * f * values[place])
          bounds.append(w * f * sizes[place])
        }
        for i in 0...2 {
          for j in 0...2 {
            // i factors s and j factors t of v.
            add((i == 0 ? s * s : i == 1 ? s : 1) * (j == 0 ? t * t : j == 1 ? t : 1), 3 * i + j)
          }
        }
        for b in 0...1 {
          // s and t of u, of v.
          for (f, i, j) in [(s * t, 0, 0), (s, 0, 1), (t, 1, 0), (1, 1, 1)] {
            add(b == 0 ? u * f : f, b == 0 ? 3 * i + j : 9 + 2 * i + j)
          }
        }
        sums.add(terms, sizes: bounds, isTail: x.magnitude > Self.reach - 1)
      }
      return sums
    }
    guard let e = found else { return nil }
    return Joint(mixed: (0...2).map { i in (0...2).map { e[3 * i + $0] } }, tilts: Array(e[9...]))
  }
}
