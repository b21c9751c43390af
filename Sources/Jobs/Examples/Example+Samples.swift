extension Example {
  static let samples: [Example] = [
    Example(
      "pytorch", "Do the outputs of my PyTorch, JAX or NumPy network follow the limit?",
      sizes: ["network.width", "network.depth"],
      """
      title = "Draws of another program against the limit of its network"
      seed = 1

      # Write a row a draw, a column an observable and layer, into rows.csv with the header
      #   "rho[0,1]@1",log_V[0]@1,log_V[1]@1,"rho[0,1]@3",log_V[0]@3,log_V[1]@3
      # (docs/samples.md; fathom.samples in Python writes it), and take the marks off these two lines. Your rows are then
      # compared with the draws of [network] and with the limit. Until then the draws of [network] stand in their place.
      # [samples]
      # file = "rows.csv"

      [network]
      architecture = "mlp"
      activation = "relu"
      width = 256
      depth = 3
      inputs = { correlation = 0.3 }
      observables = ["rho", "log_V"]
      layers = [1, 3]
      draws = 20000

      [[limit]]
      equation = "infinite-width"

      # Of 1,000 rows the laws are known to 0.06 only.
      [comparison]
      ks = 0.15
      mean = 0.4

      [expect]
      "infinite-width" = "agrees"

      [check]
      "network.draws" = 5000
      """)
  ]
}
