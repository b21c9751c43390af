import Experiments
import Kernels
import Regression

/// Dense factors, and draws of random-feature regression: seconds of the processor.
func regressionTimes() throws {
  for n in [100, 200, 500, 1000, 2000, 4000] { factorTime(n) }
  eigenvalueTime(1797)
  for features: Int? in [nil, 2000, 50] { drawTime(samples: 100, features: features) }
}

/// The best time of the processor of one call.
private func quickest(total: Double, _ body: () -> Void) -> Double {
  var (best, start) = (Double.infinity, processorSeconds())
  let end = start + total
  repeat {
    body()
    let now = processorSeconds()
    (best, start) = (min(best, now - start), now)
  } while start < end
  return best
}

private func factorTime(_ n: Int) {
  let (a, work) = (
    UnsafeMutablePointer<Double>.allocateZeros(n * n), UnsafeMutablePointer<Double>.allocateZeros(n * n)
  )
  defer { for place in [a, work] { place.deallocate() } }
  for i in 0..<n { for j in 0..<n { a[i * n + j] = i == j ? 2 : 1 / Double(1 + i + j) } }
  let calls = max(1, 20_000_000 / (n * n * n))
  let copies = quickest(total: 0.3) { for _ in 0..<calls { work.update(from: a, count: n * n) } }
  let seconds = quickest(total: 0.6) {
    for _ in 0..<calls {
      work.update(from: a, count: n * n)
      Cholesky.factor(work, stride: n, count: n)
    }
    sink += work[n * n - 1]
  }
  let one = (seconds - copies) / Double(calls)
  report(
    "cholesky", [("n", "\(n)"), ("us", "\(one * 1e6)"), ("gflops", "\(Double(n * n) * Double(n) / 3 / one * 1e-9)")])
}

private func eigenvalueTime(_ n: Int) {
  var (values, squares) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
  let vector = (0..<n).map { Double($0 % 3) - 1 }
  let seconds = quickest(total: 1) {
    var a = (0..<n * n).map { 1 / (1 + Double(($0 / n - $0 % n).magnitude)) }
    SymmetricEigenvalues.find(&a, count: n, along: vector, into: &values, squares: &squares)
    sink += values[0]
  }
  report("eigenvalues", [("n", "\(n)"), ("s", "\(seconds)")])
}

private func drawTime(samples: Int, features: Int?) {
  let problem = EigenbasisRegression(
    samples: samples, features: features, spectrum: PowerLaw(decay: 1.5, teacher: 1.8, modes: 500).spectrum, noise: 0.1,
    ridges: [0.01])
  let schema = Schema(axis: RegressionSettings(ridges: [0.01]).axis, observables: problem.observables)
  let (runner, tally) = prepare(problem.experiment(schema).make(schema, [0, 1, 2]), covariances: true)
  var next: UInt64 = 0
  let seconds = quickest(total: 1.5) {
    runner.run(next..<next + 50, tally, nil)
    next += 50
  }
  let name = features.map { "\($0)" } ?? "\"infinity\""
  report(
    "regression", [("n", "\(samples)"), ("modes", "500"), ("k", name), ("draws_per_second", "\(50 / seconds)")])
}
