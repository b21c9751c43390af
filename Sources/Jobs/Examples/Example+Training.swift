extension Example {
  static let training: [Example] = [
    Example(
      "rate-transfer", "Does my learning rate transfer from small networks to wide ones?", sizes: ["training.depth"],
      """
      title = "The best learning rate against the width"
      seed = 1

      [training]
      problem = "mlp"
      depth = 2
      width = 64
      activation = "relu"
      parametrisation = "mup"
      learning_rate = 0.1
      steps = 20
      records = "last"
      observables = ["loss"]
      draws = 200

      [training.data]
      teacher = "quadratic"
      features = 8
      samples = 30

      [sweep]
      "training.width" = [32, 128]
      "training.learning_rate" = [0.02, 0.04, 0.08, 0.16, 0.32, 0.64]

      # A table with the best rate of every width, its interval, and the rate up to which training is stable.
      [expect]
      "transfer" = "agrees"

      [check]
      "training.draws" = 100
      """),
    Example(
      "lazy-or-rich", "Does my network learn features, or is it a kernel method?", sizes: ["training.steps"],
      """
      title = "How the change of the tangent kernel goes with the width"
      seed = 1

      [training]
      problem = "mlp"
      depth = 1
      width = 64
      activation = "tanh"
      parametrisation = "ntk"
      learning_rate = 0.5
      steps = 10
      records = "last"
      observables = ["loss", "log_kernel_change"]
      draws = 200

      [training.data]
      inputs = [[1.0, 0.5], [-0.5, 1.0], [0.3, -1.2]]
      targets = [1.0, -0.5, 0.3]

      [sweep]
      "training.width" = [64, 256, 1024]
      "training.parametrisation" = ["ntk", "mup"]

      # In a kernel regime the change falls with the width; where features are learned it keeps its size.
      [expect]
      'training.parametrisation="ntk": trend' = "differs"
      'training.parametrisation="mup": trend' = "agrees"

      [check]
      "training.draws" = 100
      """),
  ]
}
