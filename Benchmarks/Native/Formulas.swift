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
