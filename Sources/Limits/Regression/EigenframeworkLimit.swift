import Experiments
import Regression

extension RegressionLimits {
  static let eigenframework = LimitEntry<RegressionModel>(
    name: "eigenframework",
    summary: "mean training and test error of ridge regression with random features, at many samples",
    equation:
      "n = z + ridge/kappa, kappa = g (k - z)/k, z = sum l/(l + g), q = sum (l/(l + g))^2: test = (B + sigma^2)/(1 - D), train = test ((n - z)/n)^2, D = [q (k - 2z) + z^2]/(n (k - q)), B = sum [g/(l + g) - kappa l k/((l + g)^2 (k - q))] v^2",
    reference: "arXiv:2311.14646; docs/regression.md", parameters: []
  ) { p, model in
    let framework: Eigenframework
    switch model.problem {
    case let problem as EigenbasisRegression: framework = problem.framework
    case let problem as DataRegression: framework = problem.framework()
    default: throw p.invalid("equation", "needs model = \"eigenbasis\" or \"data\"")
    }
    // Where nothing grows with the samples, the errors themselves are no more than a power of n, and so is the offset.
    let isScaled = (model.problem as? EigenbasisRegression)?.isScaled ?? false
    let remainder = isScaled ? [Remainder("samples", order: 1, along: .fixedRatios)] : []
    let measured = values(model, remainder: remainder) { ridge in
      let risk = framework.risk(ridge: ridge)
      // What is fitted has no training error to be compared.
      guard risk.train > 0 else { return [(.mean, "test", risk.test)] }
      return [
        (.mean, "test", risk.test), (.mean, "train", risk.train),
        (.estimand("fitting_ratio"), "train", risk.train / risk.test),
      ]
    }
    return LimitModel(.known(measured), offset: "an offset of order 1/n is expected")
  }

  static let fittingRatio = LimitEntry<RegressionModel>(
    name: "fitting-ratio",
    summary:
      "training error over test error at the best ridge of power laws, with the kernel of infinitely many features",
    equation: "train/test = (1 - u)^2, b (a - 1) u + a (a - 1) s u^b = a (b - 1), u < 1; 0 if s <= (b - a)/(a (a - 1))",
    reference: "arXiv:2311.14646; docs/regression.md", parameters: []
  ) { p, model in
    let problem = try eigenbasis(model, p)
    guard let law = problem.powerLaw, let teacher = law.teacher, law.decay > 1, teacher > 1 else {
      throw p.invalid("equation", "needs a spectrum and a teacher that decay as powers above 1")
    }
    guard problem.features == nil else { throw p.invalid("equation", "needs infinitely many features") }
    guard model.settings.isRelative, model.settings.ridges.contains(1) else {
      throw p.invalid("equation", "needs ridges = { times_best = […] } with 1.0 among them")
    }
    let relative = problem.relativeNoise ?? (problem.noise == 0 ? 0 : nil)
    guard let relative else { throw p.invalid("equation", "needs noise_variance = { relative = … }") }
    let ratio = Eigenframework.fittingRatio(decay: law.decay, teacher: teacher, relativeNoise: relative)
    let best = problem.ridges[model.settings.ridges.firstIndex(of: 1)!]
    let known = values(model, remainder: [Remainder("samples", order: 1)]) { ridge in
      ridge == best ? [(.estimand("fitting_ratio"), "train", ratio)] : []
    }
    return LimitModel(.known(known), offset: "an offset of order 1/n is expected")
  }

  static let resolutionLimited = LimitEntry<RegressionModel>(
    name: "resolution-limited",
    summary: "test error of teachers N(0, Lambda) of a power law, where the smaller of samples and features limits it",
    equation: "test = (pi/(a sin(pi/a)))^a m^(1 - a)/(1 - m/Q), m = min(n, k), Q = max(n, k)",
    reference: "arXiv:2102.06701; docs/regression.md", parameters: []
  ) { p, model in
    let problem = try eigenbasis(model, p)
    guard let law = problem.powerLaw, law.decay > 1, problem.drawsTeacher else {
      throw p.invalid("equation", "needs a spectrum that decays as a power above 1, and teacher = \"random\"")
    }
    guard problem.noise == 0, problem.ridges[0] == 0 else {
      throw p.invalid("equation", "needs noise_variance = 0 and a ridge of 0")
    }
    let (n, k) = (Double(problem.samples), problem.features.map(Double.init) ?? .infinity)
    let (small, large) = (min(n, k), max(n, k))
    let error = Eigenframework.resolutionLimit(decay: law.decay, count: small) / (1 - small / large)
    let known = values(model, remainder: []) { ridge in ridge == 0 ? [(.mean, "test", error)] : [] }
    return LimitModel(.known(known), offset: "a relative offset of order 1/n is expected")
  }
}
