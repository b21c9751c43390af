extension Example {
  static let particles: [Example] = [
    Example(
      "step-bias", "How large is the step-size bias of my sampler?", sizes: ["particles.number"],
      """
      title = "Biases of Langevin Monte Carlo in N and in h"
      seed = 1

      [particles]
      system = "cosine-well"
      integrator = "lmc"
      number = 256
      step = 0.1
      warm_up = 200
      steps = 4000
      measure_every = 2
      replicas = 16

      # Runs twice the number of particles and half the step as well, and tells both biases apart.
      [bias]

      [expect]
      "stationarity" = "differs"
      "stationary-limit" = "differs"

      [check]
      "particles.number" = 64
      "particles.steps" = 2000
      """),
    Example(
      "step-order", "Of which order in the step is the error of my sampler?", sizes: ["particles.number"],
      """
      title = "Weak order of samplers"
      seed = 1

      [particles]
      system = "cosine-well"
      integrator = "lmc"
      number = 256
      step = 0.1
      warm_up = 400
      steps = 4000
      measure_every = 2
      replicas = 8

      [sweep]
      "particles.integrator" = ["lmc", "mala"]
      "particles.step" = [0.05, 0.1, 0.15, 0.2]

      # mala is exact at every step.
      [expect]
      'particles.integrator="lmc": order of energy' = { value = 1, tolerance = 0.4 }
      'particles.integrator="mala": stationary-limit' = "agrees"

      [check]
      "particles.number" = 64
      "particles.steps" = 2000
      "particles.replicas" = 6
      "comparison.mean" = 0.15
      """),
    Example(
      "mixing", "Have my chains mixed?", sizes: ["particles.number"],
      """
      title = "Chains between two wells"
      seed = 1

      [particles]
      system = "two-well"
      separation = 5.0
      integrator = "mala"
      number = 1
      step = 0.5
      warm_up = 200
      steps = 4000
      replicas = 16

      # The wells are too far apart: nothing can be said of the law until chains cross. Lower `particles.separation`.
      [expect]
      "stationary-limit" = "undecided"

      [check]
      "particles.steps" = 2000
      """),
    Example(
      "phase-transition", "Where is the phase transition?", sizes: ["particles.number"],
      """
      title = "Mean-field phase transition of the double well"
      seed = 1

      [particles]
      system = "double-well"
      theta = 1.0
      integrator = "lmc"
      number = 500
      step = 0.02
      warm_up = 2000
      steps = 4000
      measure_every = 10
      replicas = 16
      start_mean = 0.7

      # For `particles.theta` 1 it is at 2.1884396: below, the mean is 0; above, it is not.
      [sweep]
      "particles.inverse_temperature" = [1.0942198, 1.6413297, 2.7355495, 3.2826594]

      [expect]
      "particles.inverse_temperature=1.0942198: x" = { value = 0, tolerance = 0.04 }
      "particles.inverse_temperature=3.2826594: x" = { value = 0.69676071, tolerance = 0.04 }

      [check]
      sweep = { "particles.inverse_temperature" = [1.0942198, 3.2826594] }
      """),
    Example(
      "enough-particles", "How many particles are enough for the mean-field limit (propagation of chaos)?",
      sizes: ["particles.steps"],
      """
      title = "Propagation of chaos"
      seed = 1

      [particles]
      system = "gaussian-attraction"
      lambda = 1.0
      theta = 1.0
      integrator = "baoab"
      number = 16
      step = 0.05
      warm_up = 200
      steps = 20000
      measure_every = 4
      replicas = 16

      [sweep]
      "particles.number" = [4, 16, 64, 256]

      # `comparison.mean` is relative to the limit; `comparison.alpha` is small, so that chance contradicts no true statement.
      [comparison]
      mean = 0.1
      alpha = 1e-4

      [expect]
      "particles.number=256: exact" = "agrees"
      "particles.number=4: stationary-limit" = "differs"
      "particles.number=256: stationary-limit" = "agrees"

      [check]
      "particles.steps" = 10000
      sweep = { "particles.number" = [4, 256] }
      """),
    Example(
      "learning", "What does a two-layer network of N neurons learn, and how much does it vary between networks?",
      sizes: ["particles.steps"],
      """
      title = "Two-layer network on the parity of 3 of 20 bits"
      seed = 1

      [particles]
      system = "two-layer"
      parity = 3
      bits = 20
      examples = 800
      integrator = "lmc"
      inverse_temperature = 1e4
      number = 64
      step = 1.0
      steps = 600
      records = 20
      measure_every = 5
      replicas = 8

      [sweep]
      "particles.number" = [32, 64, 128]

      [expect]
      "test_accuracy" = { value = 1, tolerance = 0.05 }

      [check]
      "particles.replicas" = 4
      sweep = { "particles.number" = [64] }
      """),
  ]
}
