import Experiments
import Formulas

/// A path in $\mathbb{R}^d$ over the times 0 to 1: a formula a component, or the points of a file with straight lines between them.
package struct SignaturePath: Sendable {
  private enum Source: Sendable {
    case formulas(FormulaProgram)
    /// A point a row, component by component.
    case points([Double], count: Int)
  }

  private let source: Source
  /// d.
  package let components: Int

  /// Straight lines between points, equal times apart.
  /// - Parameter points: at least two, all with as many components.
  package init(points: [[Double]]) {
    precondition(points.count > 1 && points.allSatisfy { $0.count == points[0].count })
    source = .points(points.flatMap { $0 }, count: points.count)
    components = points[0].count
  }

  private init(formulas: [Formula]) {
    source = .formulas(FormulaProgram(formulas))
    components = formulas.count
  }

  /// Straight pieces that it is made of; nil of formulas, whose steps may be of any number.
  package var segments: Int? {
    if case .points(_, let count) = source { count - 1 } else { nil }
  }

  /// The path at the times 0, 1/M, ..., 1, point by point.
  /// - Parameter steps: M, a multiple of `segments`.
  package func points(steps: Int) -> [Double] {
    switch source {
    case .formulas(let program):
      return (0...steps).flatMap { program([Double($0) / Double(steps)]) }
    case .points(let points, let count):
      let pieces = steps / (count - 1)
      return (0...steps).flatMap { step -> [Double] in
        let (segment, part) = (step / pieces, Double(step % pieces) / Double(pieces))
        return (0..<components).map { k in
          let from = points[segment * components + k]
          return part == 0 ? from : from + part * (points[(segment + 1) * components + k] - from)
        }
      }
    }
  }

  /// $dx_s = x_{s+1} - x_s$ of M steps, component by component: entry s of component k at `k * steps + s`.
  package func increments(steps: Int) -> [Double] {
    let points = points(steps: steps)
    return (0..<components * steps).map { place in
      let (k, s) = (place / steps, place % steps)
      return points[(s + 1) * components + k] - points[s * components + k]
    }
  }
}

// MARK: - Reading

extension SignaturePath {
  /// Most paths of one job, and components of each.
  package static let mostPaths = 64
  static let mostComponents = 64

  static let words =
    "an array of 1 to \(mostPaths) paths over the times t from 0 to 1, each an array of formulas in t, as [\"t\", \"t^2\"], or { file = \"path.csv\" }, a point a row"

  /// The paths of a table, and the fingerprints of their files.
  /// - Throws: `Failure` naming the path and what is wrong with it.
  static func read(_ p: Parameters, data: any DataSource) throws -> (paths: [SignaturePath], files: [String]) {
    guard case .list(let items)? = p["paths"], (1...mostPaths).contains(items.count) else {
      throw p.invalid("paths", "must be \(words)")
    }
    var paths: [SignaturePath] = []
    var files: [String] = []
    for (index, item) in items.enumerated() {
      let key = "\(p.path).paths[\(index)]"
      let path: SignaturePath
      switch item {
      case .list(let texts): path = try read(formulas: texts, key: key)
      case .table:
        let table = try DataTable(item, path: key, data)
        files.append("\(key) = \(table.fingerprint)")
        path = try read(table, item, key: key)
      default:
        throw Failure.invalid(
          key: key, value: item.description, allowed: "must be an array of formulas in t or { file = … }")
      }
      if let first = paths.first, first.components != path.components {
        throw Failure.invalid(
          key: key, value: item.description,
          allowed: "has \(path.components) components; must have \(first.components), as paths[0]")
      }
      if let other = paths.firstIndex(where: { $0.segments != nil }), let mine = path.segments,
        paths[other].segments != mine
      {
        throw Failure.invalid(
          key: key, value: item.description,
          allowed: "has \(mine + 1) points; must have \(paths[other].segments! + 1), as paths[\(other)]")
      }
      paths.append(path)
    }
    return (paths, files)
  }

  private static func read(formulas texts: [JobValue], key: String) throws -> SignaturePath {
    guard (1...mostComponents).contains(texts.count) else {
      throw Failure.invalid(
        key: key, value: JobValue.list(texts).description, allowed: "must have 1 to \(mostComponents) components")
    }
    return SignaturePath(
      formulas: try texts.map { try FormulaKeys.read($0, key: key, variables: ["t"], table: key) })
  }

  private static func read(_ table: DataTable, _ item: JobValue, key: String) throws -> SignaturePath {
    guard table.rows.count > 1 else {
      throw Failure.invalid(
        key: key, value: item.description, allowed: "has \(table.rows.count) point; a path needs at least 2")
    }
    guard (1...mostComponents).contains(table.rows[0].count) else {
      throw Failure.invalid(
        key: key, value: item.description,
        allowed: "has \(table.rows[0].count) components; must have 1 to \(mostComponents): drop columns")
    }
    return SignaturePath(points: table.rows)
  }

  /// Throws where the path has no finite value at one of the times of M steps.
  func check(steps: Int, key: String) throws {
    for (place, value) in points(steps: steps).enumerated() where !value.isFinite {
      throw Failure.invalid(
        key: key, value: "\(value)",
        allowed:
          "component \(place % components) must be a finite number at every time, and is not at t = \(place / components)/\(steps)"
      )
    }
  }
}

extension DataTable {
  /// The rows of the file that a table of a job names.
  fileprivate init(_ value: JobValue, path: String, _ data: any DataSource) throws {
    let p = try Parameters(value, path: path, allowed: TableRequest.parameters)
    guard p["file"] != nil else { throw p.invalid("file", "must name a data file") }
    self = try data.table(TableRequest(p))
  }
}
