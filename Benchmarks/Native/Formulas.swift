import Experiments
import Formulas
import Kernels
import Networks

/// Activations built in and by formula, in turns: 4096 numbers in place, as a network applies them.
func formulaTimes() throws {
  let rows: [(name: String, text: String, builtIn: any Activation)] = [
    ("tanh", "tanh(x)", Tanh()),
    ("gelu", "x*0.5*(1 + erf(x/sqrt(2)))", Gelu()),
    ("shaped-relu", "plus*max(x, 0) + minus*min(x, 0)", SlopeActivation(plus: 1.1, minus: 0.3)),
    ("silu", "x*sigmoid(x)", Silu()),
  ]
  let count = 4096
  let input = UnsafeMutablePointer<Double>.allocateAligned(capacity: count)
  let values = UnsafeMutablePointer<Double>.allocateAligned(capacity: count)
  let slopes = UnsafeMutablePointer<Double>.allocateAligned(capacity: count)
  defer { for buffer in [input, values, slopes] { buffer.deallocate() } }
  for i in 0..<count { input[i] = Double(i) * 8 / Double(count) - 4 }
  func time(_ body: () -> Void) {
    for _ in 0..<50 {
      values.update(from: input, count: count)
      body()
    }
    sink += values[count / 3]
  }
  let copying = best(total: 0.2) { time {} }
  func perValue(_ seconds: Double) -> Double { (seconds - copying) * 1e9 / Double(50 * count) }
  for row in rows {
    let parameters = ["plus": 1.1, "minus": 0.3].filter { row.text.contains($0.key) }
    let formula = try Formula(row.text, variables: ["x"], parameters: parameters)
    let program = FormulaProgram(formula)
    let both = FormulaProgram(try formula.derivatives("x", upTo: 1))
    let value = bestInTurns(
      total: 0.5, { time { row.builtIn.apply(values, count) } }, { time { program.apply(values, count) } })
    let slope = bestInTurns(
      total: 0.5, { time { row.builtIn.apply(values, slopes: slopes, count) } },
      { time { both.apply(values, slopes: slopes, count) } })
    for (what, times) in [("value", value), ("value and slope", slope)] {
      report(
        "formula",
        [
          ("function", "\"\(row.name)\""), ("what", "\"\(what)\""), ("built_in_ns", "\(perValue(times.0))"),
          ("ns", "\(perValue(times.1))"),
        ])
    }
  }
}

/// Whole draws of MLPs with their tallies, an activation built in and by formula in turns, as a job gives them.
func formulaDraws() throws {
  let shaped: JobValue = .table(["name": .text("shaped-relu"), "c_plus": .real(0.5), "c_minus": .real(-1)])
  let rows: [(name: String, builtIn: JobValue, text: String)] = [
    ("tanh", .text("tanh"), "tanh(x)"),
    ("gelu", .text("gelu"), "x*0.5*(1 + erf(x/sqrt(2)))"),
    ("silu", .text("silu"), "x*sigmoid(x)"),
    ("shaped-relu", shaped, "(1 + 0.5/sqrt(n))*max(x, 0) + (1 - 1/sqrt(n))*min(x, 0)"),
  ]
  func draws(_ activation: JobValue, _ n: Int) throws -> () -> Void {
    let keys: [String: JobValue] = [
      "architecture": .text("mlp"), "activation": activation, "width": .integer(Int64(n)), "depth": .integer(Int64(n)),
      "draws": .integer(10), "inputs": .table(["correlation": .real(0.3)]),
    ]
    let model = try NetworkCatalog.read(.table(keys), path: "network", data: NoData())
    let (runner, tally) = prepare(model.experiment, covariances: true)
    let batch = UInt64(max(1, 200_000 / (n * n)))
    var next: UInt64 = 0
    return {
      runner.run(next..<next + batch, tally, nil)
      next += batch
      sink += tally.moments(0).mean / Double(next)
    }
  }
  for row in rows {
    for n in [128, 1024] {
      let (builtIn, own) = (try draws(row.builtIn, n), try draws(.table(["formula": .text(row.text)]), n))
      let times = bestInTurns(total: 4, builtIn, own)
      let scale = 1e3 / Double(max(1, 200_000 / (n * n)))
      report(
        "formula-draw",
        [
          ("function", "\"\(row.name)\""), ("n", "\(n)"), ("built_in_ms", "\(times.0 * scale)"),
          ("ms", "\(times.1 * scale)"),
        ])
    }
  }
}
