import Filters
import Foundation
import Randomness
import Statistics

/// A bootstrap filter of 10,000 particles over 1,000 observations of a linear Gaussian model, selected at every step.
func filterTimes() {
  let (particles, length) = (10_000, 1000)
  var stream = Stream(key: 5)
  stream.start(draw: 0)
  var x = 0.0
  let observations = Observations(
    (0..<length).map { _ in
      x = 0.9 * x + 0.5 * stream.normal()
      return x + 0.5 * stream.normal()
    })
  let model = ScalarLinearGaussian(
    coefficient: 0.9, noise: 0.5, gain: 1, error: 0.5, spread: 1, observations: observations)
  for scheme in ["systematic", "multinomial"] {
    let pass = FilterPass(
      model, FilterPlan(particles: particles, scheme: scheme == "systematic" ? .systematic : .multinomial))
    let seconds = best {
      _ = pass.run(model, &stream)
      sink += pass.logEvidence
    }
    print("{\"name\": \"filter\", \"scheme\": \"\(scheme)\", \"seconds\": \(seconds)}")
  }
}

/// PaRIS with 100 particles and two backward draws over 50 observations of the same model: seconds of a run, and mean and variance of the smoothed sum of x_{t-1} x_t over many.
func smoothingTimes() {
  let model = ScalarLinearGaussian(
    coefficient: 0.9, noise: 0.5, gain: 1, error: 0.5, spread: 1,
    observations: Observations((0..<50).map { cos(0.3 * Double($0)) }))
  let pass = FilterPass(model, FilterPlan(particles: 100, backward: 2))
  var stream = Stream(key: 6)
  stream.start(draw: 0)
  var values: [Double] = []
  let seconds = best {
    for _ in 0..<20 {
      _ = pass.run(model, &stream)
      values.append(pass.estimates[0])
    }
  }
  let found = Moments(values: values)
  report(
    "smoother",
    [
      ("seconds", "\(seconds / 20)"), ("mean", "\(found.mean)"), ("mean_error", "\(found.meanError)"),
      ("variance", "\(found.variance)"), ("variance_error", "\(found.varianceError)"),
      ("exact", "\(model.exact?.functionals[0] ?? .nan)"),
    ])
}
