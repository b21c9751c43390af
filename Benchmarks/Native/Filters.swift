import Filters
import Randomness

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
