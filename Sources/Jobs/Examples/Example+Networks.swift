extension Example {
  static let networks: [Example] = [
    Example(
      "collapse", "Does my network collapse, explode or vanish, and at which depth?",
      sizes: ["network.width", "network.depth"],
      """
      title = "Health of a ReLU network at initialisation"
      seed = 1

      [network]
      architecture = "mlp"
      activation = "relu"
      width = 64
      depth = 64
      inputs = { correlation = 0.3 }
      observables = ["rho", "log_V"]
      layers = "octaves"
      draws = 10000

      [health]
      threshold = 0.05

      # What should come out: agrees is healthy, differs is not. Change it with the network.
      [expect]
      "health" = "differs"

      # fathom check runs the job at these sizes.
      [check]
      "network.draws" = 1000
      """),
    Example(
      "wide-enough", "Is width 300 wide enough for the infinite-width limit?",
      sizes: ["network.width", "network.depth"],
      """
      title = "A network of finite width against infinite width"
      seed = 1

      [network]
      architecture = "mlp"
      activation = "relu"
      width = 300
      depth = 4
      inputs = { correlation = 0.3 }
      observables = ["rho", "log_V"]
      draws = 20000

      [[limit]]
      equation = "infinite-width"

      # `comparison.mean` says how far off still counts as wide enough.
      [comparison]
      mean = 0.25

      [expect]
      "infinite-width" = "agrees"

      [check]
      "network.draws" = 5000
      """),
    Example(
      "width-order", "How fast does the difference from infinite width fall with the width?", sizes: ["network.depth"],
      """
      title = "Order of the difference from infinite width"
      seed = 1

      [network]
      architecture = "gated-mlp"
      activation = "silu"
      width = 64
      depth = 4
      inputs = { correlation = 0.3 }
      observables = ["rho"]
      draws = 200000

      [[limit]]
      equation = "infinite-width"

      # A case for each of these widths.
      [sweep]
      "network.width" = [16, 32, 64, 128, 256]

      [comparison]
      mean = 0.1

      # The limit promises the order 1/n: agrees if the difference has it.
      [expect]
      "infinite-width remainder" = "agrees"
      "network.width=16: infinite-width" = "differs"

      [check]
      "network.draws" = 40000
      sweep = { "network.width" = [16, 32, 64, 128] }
      """),
    Example(
      "deep-network", "Does the covariance of a network as deep as wide follow its SDE?",
      sizes: ["network.width", "network.depth"],
      """
      title = "Shaped ReLU against the Neural Covariance SDE"
      seed = 1

      [network]
      architecture = "mlp"
      activation = { name = "shaped-relu", c_plus = 0.0, c_minus = -1.0 }
      width = 100
      depth = 100
      inputs = { correlation = 0.3 }
      observables = ["rho", "log_V"]
      draws = 50000

      # At a fixed ratio of depth to width.
      [[limit]]
      equation = "covariance-sde"
      step = 0.01

      # At a fixed depth: no randomness is left, which these networks do not follow.
      [[limit]]
      equation = "infinite-width"

      [comparison]
      ks = 0.05

      [expect]
      "covariance-sde" = "agrees"
      "infinite-width" = "differs"

      [check]
      "network.draws" = 10000
      "comparison.ks" = 0.1
      """),
    Example(
      "activation", "Does my own activation keep the correlation of two inputs, layer after layer?",
      sizes: ["network.width", "network.depth"],
      """
      title = "Correlation over depth"
      seed = 1

      [network]
      architecture = "mlp"
      activation = { formula = "tanh(x)" }
      width = 256
      depth = 64
      inputs = { correlation = 0.3 }
      observables = ["rho", "atanh_rho"]
      layers = "octaves"
      draws = 5000

      [[limit]]
      equation = "infinite-width"

      # The correlation at the last layer: tanh, with the gain `network.c` that keeps the variance, loses it.
      [expect]
      "rho[0,1]" = { value = 0, tolerance = 0.03 }

      [check]
      "network.draws" = 1000
      """),
    Example(
      "tokens", "Do the tokens of my Transformer draw together (rank collapse)?",
      sizes: ["network.width", "network.depth"],
      """
      title = "Rank collapse of usual attention, and shaped attention without it"
      seed = 1

      [network]
      architecture = "transformer"
      gamma = 0.7
      tau = 1.0
      width = 128
      depth = 64
      inputs = { correlation = 0.2, count = 4 }
      observables = ["rho", "log_V", "collapsed"]
      layers = "octaves"
      draws = 5000

      # Two keys that move together: `network.temperature` and `network.centred`.
      [sweep]
      "network.temperature, network.centred" = [["shaped", true], ["usual", false]]

      [expect]
      'network.temperature="shaped",network.centred=true: rho[0,1]' = { value = 0.1806, tolerance = 0.1 }
      'network.temperature="usual",network.centred=false: rho[0,1]' = { value = 1, tolerance = 1e-6 }

      [check]
      "network.draws" = 1000
      """),
    Example(
      "tangent-kernel", "How much does the tangent kernel fluctuate, with Gaussian and with orthogonal weights?",
      sizes: ["network.width", "network.depth"],
      """
      title = "Neural tangent kernel at finite width"
      seed = 1

      [network]
      architecture = "mlp"
      probes = ["ntk"]
      activation = "tanh"
      c = 1.0
      width = 64
      depth = 16
      inputs = { count = 1 }
      observables = ["ntk", "log_ntk"]
      draws = 20000

      [[limit]]
      equation = "infinite-width-ntk"

      [sweep]
      "network.ensemble" = ["gaussian", "orthogonal"]

      [comparison]
      mean = 0.1

      # The offset is of order depth / width, in units of a spread that orthogonal weights keep small.
      [expect]
      'network.ensemble="orthogonal": infinite-width-ntk' = "differs"

      [check]
      "network.draws" = 10000
      """),
    Example(
      "until-decided", "How many draws does a decision take? (a run that ends when it is decided)",
      sizes: ["network.width", "network.depth"],
      """
      title = "A run that ends when its verdict is decided"
      seed = 1

      [network]
      architecture = "mlp"
      activation = "relu"
      width = 1000
      depth = 4
      inputs = { correlation = 0.3 }
      observables = ["rho", "log_V"]
      draws = 200000

      [[limit]]
      equation = "infinite-width"

      [comparison]
      mean = 0.2

      [stop]
      decided = true
      looks = 7

      [expect]
      "infinite-width" = "agrees"

      [check]
      "network.draws" = 50000
      """),
  ]
}
