import Experiments
import Statistics

extension Scaling {
  package var tables: [Table] {
    switch kind {
    case .refinements: [refinementTable]
    case .none: [reasonTable]
    default: [sweepTable]
    }
  }

  private var reasonTable: Table {
    var table = Table(
      group: "scaling/\(index)",
      attributes: [("kind", .text(kind.rawValue)), ("key", .text(key)), ("sentence", .text(sentence))],
      rows: [.init("size", .numbers(sizes), "values of \(key)")])
    table.notes = ["\(sentence)."]
    return table
  }

  private var sweepTable: Table {
    let parameter = parameter!
    func numbers(_ name: String, _ summary: String, _ value: (Row) -> Double) -> Table.Column {
      .init(name, .numbers(rows.map(value)), summary)
    }
    var table = Table(
      group: "scaling/\(index)",
      rows: [
        .init("observable", .texts(rows.map { kind == .orders ? $0.quantity : $0.observable }), "measured quantity"),
        .init("statistic", .texts(rows.map(\.statistic.name)), "what of it is extrapolated"),
        .init("quantity", .texts(rows.map(\.quantity)), "statistic and observable as people write them"),
      ])
    table.axes.append(.init("size", .numbers(sizes), axes: ["size"], "values of \(parameter.key)"))
    let shape = ["row", "size"]
    let used = Table.Values.numbers(rows.flatMap { row in zip(sizes, row.coordinates).map { $1.isNaN ? .nan : $0 } })
    table.columns += [
      .init(
        "layers", .numbers(rows.flatMap(\.coordinates)), axes: shape, unit: axis.unit,
        "\(axis.name) at each size; NaN where the size is not used"),
      .init("sizes", used, axes: shape, "\(parameter.key) of the values that are used; NaN where one is not"),
      .init(
        "order", kind == .sizes ? .texts(rows.map(orderName)) : .numbers(rows.map(orderValue)),
        "leading order of the error; NaN where the data do not determine it"),
      numbers("order_value", "the same as a number", kind == .sizes ? { $0.fit.order } : orderValue),
      numbers(
        "order_error", "its standard error; 0 for one that was decided, NaN for an undetermined one", \.fit.orderError),
      numbers("coefficient", "coefficient of the leading term", \.fit.coefficient),
      numbers("coefficient_error", "its standard error", \.fit.coefficientError),
      numbers("chi_square", "chi-square of the fit", \.fit.chiSquare),
      .init("degrees_of_freedom", .integers(rows.map { Int64($0.fit.degreesOfFreedom) }), "of the fit"),
      .init("seen", .flags(rows.map(\.fit.isSeen)), "whether the values depend on the size at all"),
      .init("finding", .texts(rows.map(finding)), "what the fit says"),
      .init(
        "local_slope", .numbers(rows.flatMap { slopes($0).map { $0?.slope ?? .nan } }), axes: shape,
        "order between this size and the next one that is used; NaN where there is none, or the difference is not seen"),
      .init(
        "local_slope_error", .numbers(rows.flatMap { slopes($0).map { $0?.error ?? .nan } }), axes: shape,
        "its standard error"),
      .init("slope_list", .texts(rows.map(slopeList)), "the local slopes as people write them"),
    ]
    table.attributes = [
      ("kind", .text(kind.rawValue)), ("label", .text(label)), ("key", .text(key)), ("symbol", .text(parameter.symbol)),
    ]
    if let reference { table.attributes.append(("reference", .text(reference))) }
    if let verdict { table.attributes += [("verdict", .text(verdict.rawValue)), ("sentence", .text(sentence))] }
    let small = Words.power(parameter.symbol, isInverse: parameter.isInverse, order: 1)
    let about = "\(key) swept\(label.isEmpty ? "" : ", \(label)")"
    switch kind {
    case .sizes:
      table.attributes.append(("critical_z", .number(criticalZ)))
      table.columns += [
        .init("\(parameter.name)s", used, axes: shape, "the same as sizes"),
        numbers("reference", "the limit at the largest size", \.reference),
        numbers("recovered", "the limit as the finite systems give it", \.recovered),
        numbers("difference", "difference from the limit, extrapolated", \.fit.limit),
        numbers("difference_error", "its standard error", \.fit.limitError),
        numbers("z", "extrapolated difference in standard errors", \.z),
        numbers("detectable", "offset of the limit that is found with probability 0.9", \.detectable),
        numbers(
          "told_apart", "offset that is to be told apart: spread over the sweep, or the tolerance if larger",
          \.toldApart),
      ]
      table.fields = [
        .init("observable", "quantity"), .init("from", "size_list"),
        .init(reference ?? "limit", "reference", .format("%.6g", missing: "-")),
        .init("recovered", "recovered", .value(error: "difference_error")),
        .init("z", "z", .format("%+.2f", missing: "-")), .init("order", "order"), .init("finding", "finding"),
      ]
      let lists = rows.map { row in
        zip(sizes, row.coordinates).filter { !$0.1.isNaN }.map { Axis.label($0.0) }.joined(separator: " ")
      }
      table.columns.append(.init("size_list", .texts(lists), "sizes that are used, as people write them"))
    case .orders:
      table.columns += [
        numbers("limit", "value at \(small) = 0", \.fit.limit),
        numbers("limit_error", "its standard error; 0 for a known limit", \.fit.limitError),
      ]
      table.fields = [
        .init("observable", "quantity"), .init("order in \(small)", "order", .value(error: "order_error")),
        .init("coefficient", "coefficient", .format("%.4g", missing: "-")),
        .init("at \(small) = 0", "limit", .value(error: "limit_error")), .init("finding", "finding"),
      ]
      table.heading = "order of the error, \(about)"
    case .remainders:
      table.columns += [
        numbers("promised", "order that the reference promises") { $0.promise!.promised },
        .init("verdict", .texts(rows.map { $0.promise!.verdict.rawValue }), "what the sweep says of it"),
      ]
      table.fields = [
        .init("observable", "quantity"), .init("order in \(small)", "order", .value(error: "order_error")),
        .init("promised", "promised", .format("%g", missing: "-")), .init("finding", "finding"),
        .init("verdict", "verdict"),
      ]
      table.heading = "order of the difference from \(reference ?? ""), \(about)"
    case .refinements, .none: break
    }
    table.fields.append(.init("local slopes", "slope_list"))
    table.fields.append(.init("chi2", "chi_square", .format("%.2g", missing: "-")))
    table.fields.append(.init("dof", "degrees_of_freedom"))
    if rows.count > 40 { table.shown = Array(rows.indices.suffix(40)) }
    if verdict != nil { table.notes = ["verdict: \(sentence)."] }
    return table
  }

  private func orderName(_ row: Row) -> String {
    row.fit.isDetermined
      ? Words.power(parameter!.symbol, isInverse: parameter!.isInverse, order: row.fit.order) : "undetermined"
  }

  /// Of each size the slope to the next one that is used.
  private func slopes(_ row: Row) -> [LocalSlope?] {
    zip(sizes, row.coordinates).map { size, coordinate in
      let small = parameter!.small(size)
      return coordinate.isNaN ? nil : row.slopes.first { (parameter!.isInverse ? $0.to : $0.from) == small }
    }
  }

  /// In the order of the sizes, with two digits.
  private func slopeList(_ row: Row) -> String {
    slopes(row).compactMap { $0 }.map { $0.slope.isNaN ? "-" : Words.format($0.slope, 2) }.joined(separator: " ")
  }

  /// What was fitted to noise, or has no bound, is not an order.
  private func orderValue(_ row: Row) -> Double { row.fit.isSeen && row.fit.isDetermined ? row.fit.order : .nan }

  private func finding(_ row: Row) -> String {
    if !row.fit.isSeen { return kind == .sizes && !row.hasPower ? "error too large" : "no error seen" }
    if !row.fit.isSinglePower {
      return "no single power, chi2/dof \(Words.format(row.fit.chiSquare / Double(row.fit.degreesOfFreedom), 2))"
    }
    if kind == .sizes && row.fit.degreesOfFreedom == 0 { return "no degree of freedom" }
    if kind == .sizes && !row.hasPower { return "error too large" }
    return row.fit.isDetermined && row.fit.orderError <= Extrapolation.uncertainOrder
      ? "power law" : "order undetermined"
  }

  private var refinementTable: Table {
    func numbers(_ name: String, _ summary: String, _ value: (Refined) -> Double) -> Table.Column {
      .init(name, .numbers(refined.map(value)), summary)
    }
    let names = refinements.map { $0.parameter.split(separator: ".").last.map(String.init) ?? $0.parameter }
    var table = Table(
      group: "scaling/\(index)",
      attributes: [("kind", .text(kind.rawValue)), ("case", .text(label)), ("sentence", .text(sentence))]
        + zip(names, refinements).map { ("\($0)_order", .integer(Int64($1.order))) },
      rows: [
        .init("observable", .texts(refined.map(\.observable)), "measured quantity"),
        .init("step", .numbers(refined.map(\.coordinate)), unit: axis.unit, axis.summary),
        numbers("value", "mean of the finite leg", \.value), numbers("value_error", "its standard error", \.valueError),
      ])
    for (place, name) in names.enumerated() {
      table.columns += [
        numbers("\(name)_bias", "value less its limit in \(refinements[place].symbol)") { $0.biases[place].bias },
        numbers("\(name)_bias_error", "its standard error") { $0.biases[place].biasError },
      ]
    }
    table.columns += [
      numbers("extrapolated", "value without these biases", \.extrapolated),
      numbers("extrapolated_error", "its standard error", \.extrapolatedError),
      numbers("reference", "known limit", \.reference),
      numbers("z", "extrapolated value less the known limit, in standard errors", \.z),
    ]
    if let verdict { table.attributes.append(("verdict", .text(verdict.rawValue))) }
    table.fields =
      [
        .init("observable", "observable"), .init(axis.name, "step"),
        .init("value", "value", .value(error: "value_error")),
      ]
      + zip(names, refinements).map { .init("bias in \($1.symbol)", "\($0)_bias", .value(error: "\($0)_bias_error")) }
      + [
        .init("extrapolated", "extrapolated", .value(error: "extrapolated_error")),
        .init("limit", "reference", .format("%.8g", missing: "-")), .init("z", "z", .format("%+.2f", missing: "-")),
      ]
    let last = refined.map(\.coordinate).max() ?? 0
    let shown = refined.indices.filter { refined[$0].coordinate == last }
    table.shown = shown.count < refined.count ? shown : nil
    table.heading = "bias\(label == "main" ? "" : " of case \(label)")"
    table.notes = ["bias: \(sentence)."]
    return table
  }
}
