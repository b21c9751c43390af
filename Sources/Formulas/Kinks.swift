extension Formula {
  /// Points of an interval where it need not be smooth in a variable, sorted: where the argument of abs or sign is 0, two arguments of
  /// min or max are equal, or so are the sides of a comparison. A quadrature is split there.
  ///
  /// Of arguments linear in the variable they are exact to rounding. Others are looked for on a grid of 4,096 cells of the interval
  /// and bisected to neighbouring numbers: of two in one cell none is found, nor is a zero that touches the axis between grid points.
  /// Poles and the ends of domains (log, sqrt, powers) are no kinks here.
  /// - Precondition: the formula depends on no other variable, and the interval is finite.
  public func kinks(_ variable: String, in interval: ClosedRange<Double>) -> [Double] {
    guard let number = variables.firstIndex(of: variable) else { return [] }
    precondition(interval.lowerBound.isFinite && interval.upperBound.isFinite)
    precondition(dependencies.allSatisfy { $0 == variable }, "kinks of a formula in several variables")
    var graph = graph
    var found = Set<Double>()
    for switching in graph.switches(root) {
      for point in graph.zeros(switching, variable: number, count: variables.count, in: interval) {
        // Minus zero is zero.
        found.insert(point + 0)
      }
    }
    return found.sorted()
  }
}

extension Graph {
  /// Nodes whose change of sign switches a branch of the function.
  fileprivate mutating func switches(_ root: ID) -> [ID] {
    let marks = needed(by: [root])
    var result: [ID] = []
    for k in marks.indices where marks[k] {
      let node = nodes[k]
      switch node.operation {
      case .magnitude, .sign: result.append(node.a)
      case .minimum, .maximum, .less, .lessOrEqual: result.append(make(.subtract, node.a, node.b))
      default: break
      }
    }
    return result
  }

  fileprivate func zeros(_ id: ID, variable: Int, count: Int, in interval: ClosedRange<Double>) -> [Double] {
    if let p = polynomial(id, variable: variable), p.count <= 2 {
      guard p.count == 2 else { return [] }
      let zero = -p[0] / p[1]
      return interval.contains(zero) ? [zero] : []
    }
    let marks = needed(by: [id])
    func value(_ x: Double) -> Double {
      var point = [Double](repeating: 0, count: count)
      point[variable] = x
      return values(at: point, needed: marks)[Int(id)]
    }
    let cells = 4096
    let (low, high) = (interval.lowerBound, interval.upperBound)
    var zeros: [Double] = []
    var last = (x: low, y: value(low))
    for k in 1...cells {
      let share = Double(k) / Double(cells)
      let x = k == cells ? high : low * (1 - share) + high * share
      let here = (x: x, y: value(x))
      // Where the function is 0 over a whole stretch, its ends are the kinks.
      if here.y == 0 && last.y != 0 || last.y == 0 && here.y != 0 && !zeros.contains(last.x) {
        zeros.append(here.y == 0 ? here.x : last.x)
      }
      if last.y < 0 && here.y > 0 || last.y > 0 && here.y < 0 { zeros.append(bisected(last, here.x, value)) }
      last = here
    }
    return zeros
  }

  /// Where the function changes its sign between two points, to neighbouring numbers.
  private func bisected(_ first: (x: Double, y: Double), _ end: Double, _ value: (Double) -> Double) -> Double {
    var (low, high) = (first.x, end)
    while true {
      let middle = low + 0.5 * (high - low)
      guard middle > low, middle < high else { return high }
      let y = value(middle)
      if y == 0 { return middle }
      if (y < 0) == (first.y < 0) { low = middle } else { high = middle }
    }
  }
}
