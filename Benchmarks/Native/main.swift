// Times the inner loops of fathom on one core and prints one JSON object a line. Each time is the best of several
// repetitions; the results are summed into a value that is printed, so that nothing can be optimised away.
import Engine
import Experiments
import Jobs
import Kernels
import Limits
import Networks
import Randomness
import Statistics

let clock = ContinuousClock()
nonisolated(unsafe) var sink = 0.0

/// No data files.
struct NoData: DataSource {
  func table(_ request: TableRequest) -> DataTable { DataTable(columns: [], rows: []) }
}

/// What makes the draws of an experiment, and what tallies them.
func prepare(_ experiment: Experiment, covariances: Bool) -> (Runner, Tally) {
  let (schema, runner) = (experiment.schema, experiment.makeRunner(key: 7)!)
  let layout = Tally.Layout(
    perGroup: schema.observables.count, groups: schema.axis.count, covariances: covariances,
    centres: runner.centres(schema.width))
  return (runner, Tally(layout: layout))
}

/// Best seconds of one call of `body`, over at least `total` seconds.
func best(total: Double = 1.5, _ body: () throws -> Void) rethrows -> Double {
  try body()
  var result = Double.infinity
  var spent = 0.0
  var repetitions = 0
  while spent < total || repetitions < 5 {
    let start = clock.now
    try body()
    let seconds = (clock.now - start).seconds
    result = min(result, seconds)
    spent += seconds
    repetitions += 1
  }
  return result
}

/// The same for two bodies in turns, so that their ratio survives a machine that changes its speed.
func bestInTurns(total: Double, _ first: () -> Void, _ second: () -> Void) -> (Double, Double) {
  var result = (Double.infinity, Double.infinity)
  let start = clock.now
  repeat {
    result.0 = min(result.0, best(total: 0, first))
    result.1 = min(result.1, best(total: 0, second))
  } while (clock.now - start).seconds < total
  return result
}

func report(_ name: String, _ fields: [(String, String)]) {
  print("{\"name\": \"\(name)\", " + fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}")
}

/// What the vector units of this core give right now: fused multiply-adds of eight doubles a nanosecond, from four chains in each of
/// the four vectors that a loop works on. A core of its own at 3 GHz with two AVX-512 units gives 6.
func vectorSpeed() {
  let part = 32
  let x = UnsafeMutablePointer<Double>.allocateAligned(capacity: 4 * part)
  defer { x.deallocate() }
  for i in 0..<4 * part { x[i] = 1 + 1e-3 * Double(i) }
  let seconds = best(total: 0.5) {
    for _ in 0..<20_000 {
      for i in 0..<part {
        let y = x + i
        var (a, b, c, d) = (y[0], y[part], y[2 * part], y[3 * part])
        for _ in 0..<16 {
          a = (0.25).addingProduct(a, 0.75)
          b = (0.25).addingProduct(b, 0.75)
          c = (0.25).addingProduct(c, 0.75)
          d = (0.25).addingProduct(d, 0.75)
        }
        (y[0], y[part], y[2 * part], y[3 * part]) = (a, b, c, d)
      }
    }
    sink += x[7]
  }
  report("fma", [("per_ns", "\(20_000.0 * 16 * Double(4 * part) / 8 / (seconds * 1e9))")])
}

func drawNormals(_ stream: inout Stream, _ count: Int) {
  for _ in 0..<count / 4096 { sink += stream.normals(4096)[17] }
}

func normals() {
  var stream = Stream(key: 1)
  stream.start(draw: 0)
  let count = 1 << 20
  let seconds = best { drawNormals(&stream, count) }
  report("normals", [("ns", "\(seconds / Double(count) * 1e9)")])
}

func functions() {
  let count = 4096
  let input = UnsafeMutablePointer<Double>.allocate(capacity: count)
  let output = UnsafeMutablePointer<Double>.allocate(capacity: count)
  defer {
    input.deallocate()
    output.deallocate()
  }
  for i in 0..<count { input[i] = 0.001 + Double(i) * 1e-3 }
  func time(_ name: String, _ body: () -> Void) {
    let seconds = best(total: 0.3) {
      for _ in 0..<50 { body() }
      sink += output[count / 3]
    }
    report("function", [("function", "\"\(name)\""), ("ns", "\(seconds / Double(50 * count) * 1e9)")])
  }
  time("exp") { for i in 0..<count { output[i] = Elementary.exp(input[i]) } }
  time("log") { for i in 0..<count { output[i] = Elementary.log(input[i]) } }
  time("sincos") { for i in 0..<count { output[i] = Elementary.sinCos(input[i]).sin } }
  time("tanh") { for i in 0..<count { output[i] = Elementary.tanh(input[i]) } }
  time("erf") {
    output.update(from: input, count: count)
    GaussianIntegral.erf.apply(output, count, scale: 1, magnitudes: true) { _, x, value in Elementary.erf(x, value) }
  }
  time("gelu") {
    output.update(from: input, count: count)
    GaussianIntegral.normal.apply(output, count, scale: 1, magnitudes: false) { _, x, value in Elementary.gelu(x, value)
    }
  }
}

func network(_ activation: String, _ width: Int, _ depth: Int, _ inputs: Int, _ sampler: String) throws {
  let keys: [String: JobValue] = [
    "architecture": .text("mlp"), "activation": .text(activation), "width": .integer(Int64(width)),
    "depth": .integer(Int64(depth)), "sampler": .text(sampler), "draws": .integer(10),
    "inputs": .table(
      inputs == 1 ? ["count": .integer(1)] : ["correlation": .real(0.3), "count": .integer(Int64(inputs))]),
  ]
  let model = try NetworkCatalog.read(.table(keys), path: "network", data: NoData())
  let (runner, tally) = prepare(model.experiment, covariances: true)
  var next: UInt64 = 0
  // Enough draws that the clock does not matter, few enough for several repetitions.
  let batch = UInt64(max(1, 2_000_000 / (width * depth * inputs * (sampler == "weights" ? width : 1))))
  let seconds = best(total: sampler == "weights" ? 0.2 : 1.0) {
    runner.run(next..<next + batch, tally, nil)
    next += batch
  }
  sink += tally.moments(0).mean
  report(
    "network",
    [
      ("activation", "\"\(activation)\""), ("sampler", "\"\(sampler)\""), ("n", "\(width)"), ("d", "\(depth)"),
      ("m", "\(inputs)"),
      ("ms", "\(seconds / Double(batch) * 1e3)"),
    ])
}

func path(_ inputs: Int) throws {
  let keys: [String: JobValue] = [
    "architecture": .text("mlp"), "activation": .table(["name": .text("shaped-relu")]), "width": .integer(100),
    "depth": .integer(100), "draws": .integer(10),
    "inputs": .table(["correlation": .real(0.3), "count": .integer(Int64(inputs))]),
  ]
  let model = try NetworkCatalog.read(.table(keys), path: "network", data: NoData())
  let limit = try RegisteredFamily.limit(
    .table(["equation": .text("covariance-sde"), "step": .real(0.01)]), path: "limit", model, NetworkLimits.all,
    draws: 10)
  let (runner, tally) = prepare(limit.legs[0].experiment!, covariances: true)
  var next: UInt64 = 0
  let seconds = best(total: 0.5) {
    runner.run(next..<next + 1000, tally, nil)
    next += 1000
  }
  report("sde", [("m", "\(inputs)"), ("steps", "100"), ("us", "\(seconds / 1000 * 1e6)")])
}

switch CommandLine.arguments.dropFirst().first {
case "cost": try costs()
case "core":
  for _ in 0..<5 {
    vectorSpeed()
    normals()
    try network("relu", 1024, 1024, 2, "conditional")
  }
case "formulas":
  try formulaTimes()
  try formulaDraws()
case "finite-width":
  vectorSpeed()
  try finiteWidthTimes()
case "diffusion": diffusionTimes()
case "divergence": divergenceTimes()
case "matrix": matrixTimes()
case "training": try trainingTimes()
case "signatures":
  try signatureTimes()
  try digitsGramTimes()
case "regression": try regressionTimes()
case "kernels":
  vectorSpeed()
  try kernelTimes()
  try posteriorTimes(job: "jobs/finite-width-posterior.toml")
case "semidefinite": try semidefiniteTimes(Array(CommandLine.arguments.dropFirst(2)))
case "manifolds": try manifoldTimes()
case "particles":
  vectorSpeed()
  try particleTimes(CommandLine.arguments.dropFirst(2).first)
case "coulomb": try coulombTimes()
case "estimation": try estimationTimes()
case "kernel-machines": try kernelMachineTimes()
case "walks": try walkTimes()
case "gases": try gasTimes()
case "tagged-particle": try taggedTimes()
case "chemotaxis": try chemotaxisTimes()
case "bayes": try bayesTimes()
case "filters":
  filterTimes()
  smoothingTimes()
default: try everything()
}

func everything() throws {
  vectorSpeed()
  normals()
  functions()
  try formulaTimes()
  try formulaDraws()
  for m in [1, 2, 4, 8, 16] { try network("relu", 1024, 64, m, "conditional") }
  for n in [64, 128, 256, 512, 2048, 4096] { try network("relu", n, 64, 2, "conditional") }
  for d in [16, 256, 1024] { try network("relu", 256, d, 2, "conditional") }
  for activation in ["relu", "tanh", "erf", "gelu"] { try network(activation, 1024, 1024, 2, "conditional") }
  for n in [128, 1024] { try network("relu", n, n, 2, "conditional") }
  try network("relu", 128, 128, 2, "weights")
  try network("relu", 1024, 1024, 2, "weights")
  try network("relu", 1024, 1024, 1, "chi-square")
  for m in [2, 4, 16] { try path(m) }
  try architectureTimes()
  divergenceTimes()
  print("{\"name\": \"checksum\", \"value\": \(sink)}")
}
