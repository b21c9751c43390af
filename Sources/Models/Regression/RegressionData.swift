import Experiments
import Kernels
import Networks

/// Rows of a file on the unit sphere with their targets, and a kernel of them: $K(x, x') = \mathbb E \phi(w \cdot x) \phi(w \cdot x')/\mathbb E \phi(g)^2$, w ~ N(0, 1), of value 1 at
/// coinciding points.
package struct RegressionData: Sendable {
  /// x, row by row, each of length 1.
  package let inputs: [Double]
  package let targets: [Double]
  package let columns: Int
  package let activation: any Activation
  package let fingerprint: String

  package var count: Int { targets.count }

  /// Rows whose Gram matrix is kept: 128 MiB.
  static let mostRows = 4096

  package static let parameters =
    TableRequest.parameters + [
      Parameter("label", .text, default: .text("label"), "name of the column of targets"),
      Parameter(
        "positive", .structured("an array of labels"), optional: true,
        "labels whose target is +1, all others are -1; the label itself is the target unless given"),
      Parameter(
        "rows", .integer(2...Int64(mostRows)), optional: true,
        "number of rows taken, from the first on; all unless given"),
      Parameter(
        "activation", .structured(ActivationChoice.words), default: .text("relu"),
        "phi of the features phi(w.x) sqrt(1/E phi(g)^2), w ~ N(0, 1)"),
    ]

  package init(_ p: Parameters, _ source: any DataSource) throws {
    let file = p.text("file")
    let wanted = p["rows"].map { _ in Array(0..<p.integer("rows")) }
    let table = try source.table(TableRequest(p, rows: wanted))
    guard (2...Self.mostRows).contains(table.rows.count) else {
      throw p.invalid(
        "rows", "\(file) has \(table.rows.count) rows; the Gram matrix of 2 to \(Self.mostRows) is kept: give rows")
    }
    let width = table.rows[0].count
    guard width >= 2 else { throw Failure(.badData, "\(file): must have rows of at least one feature and a label") }
    let name = p.text("label")
    guard let label = table.columns.firstIndex(of: name) ?? (table.columns.isEmpty ? width - 1 : nil) else {
      throw p.invalid("label", "\(file) has no such column; \(DataTable.words(for: name, among: table.columns))")
    }
    var positive: [Double]?
    if p["positive"] != nil {
      positive = p.numbers("positive")
      guard positive != nil else { throw p.invalid("positive", "must be an array of labels, as in [0, 2, 4]") }
    }
    var (inputs, targets): ([Double], [Double]) = ([], [])
    for (i, row) in table.rows.enumerated() {
      if let column = row.firstIndex(where: { !$0.isFinite }) {
        let name = table.columns.isEmpty ? "\(column)" : table.columns[column]
        throw Failure(.badData, "\(file): row \(i), column \(name) is \(row[column]): it must be finite")
      }
      let features = row.indices.filter { $0 != label }.map { row[$0] }
      let length = features.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard length > 0 else { throw Failure(.badData, "\(file): row \(i) is zero, and cannot be scaled to |x| = 1") }
      inputs += features.map { $0 / length }
      targets.append(positive.map { $0.contains(row[label]) ? 1 : -1 } ?? row[label])
    }
    guard targets.contains(where: { $0 != targets[0] }) else {
      throw p.invalid(
        positive == nil ? "label" : "positive",
        "makes all targets \(targets[0]): constant labels leave nothing to learn")
    }
    let choice = try ActivationChoice(p["activation"]!, path: "\(p.path).activation", width: 1)
    guard choice.function.secondMoment > 0, choice.function.secondMoment.isFinite else {
      throw p.invalid("activation", "has E phi(g)^2 = \(choice.function.secondMoment), and its features no scale")
    }
    (self.inputs, self.targets, columns) = (inputs, targets, width - 1)
    activation = choice.function
    fingerprint = table.fingerprint
  }

  /// $\mathbb E \phi(g)^2 + \mathbb E \dot\phi(g)^2$, the tangent kernel of one hidden layer at coinciding points.
  var tangentSize: Double { activation.secondMoment + ActivationKernel(activation).derivativeProduct(1, 1, 1) }

  /// K, count x count; of the tangent kernel, $\mathbb E \phi \phi' + x \cdot x'\, \mathbb E \dot\phi \dot\phi'$ over its value at coinciding points.
  package func gram(tangent: Bool = false) -> [Double] {
    let products = [Double](unsafeUninitializedCapacity: count * count) { buffer, initialised in
      let turned = (0..<columns).flatMap { c in (0..<count).map { inputs[$0 * columns + c] } }
      MatrixProduct.add(
        buffer.baseAddress!, count, fresh: true, rows: count, columns: count, inputs, rowStride: columns,
        columnStride: 1, inner: columns, turned, count)
      // Exactly: a kernel with a kink at coinciding points loses half of the digits to rounding there.
      for i in 0..<count { buffer[i * count + i] = 1 }
      for i in 0..<count { for j in 0..<i { buffer[i * count + j] = min(max(buffer[i * count + j], -1), 1) } }
      for i in 0..<count { for j in 0..<i { buffer[j * count + i] = buffer[i * count + j] } }
      initialised = count * count
    }
    let kernel = ActivationKernel(activation)
    var found: [Double]
    if tangent {
      let (gain, next) = (1 / tangentSize, kernel.applyWithDerivative(products, count))
      found = products.indices.map { gain * (next.products[$0] + products[$0] * next.slopes[$0]) }
    } else {
      let gain = 1 / activation.secondMoment
      found = kernel.apply(products, count).map { gain * $0 }
    }
    for i in 0..<count { found[i * count + i] = 1 }
    return found
  }

  /// Eigenvalues of K/count, descending, and the squared coefficients of the targets on its eigenvectors over count: the Gaussian model with the same moments.
  package func spectrum(tangent: Bool = false) -> (eigenvalues: [Double], squares: [Double]) {
    var matrix = gram(tangent: tangent)
    let scale = 1 / Double(count)
    var (values, first) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    SymmetricEigenvalues.find(&matrix, count: count, along: targets, into: &values, squares: &first)
    let order = values.indices.sorted { values[$0] > values[$1] }
    // What is below rounding of the largest is rounding, and may be negative.
    let kept = order.filter { values[$0] > 0x1p-46 * values[order[0]] }
    return (kept.map { values[$0] * scale }, kept.map { first[$0] * scale })
  }
}
