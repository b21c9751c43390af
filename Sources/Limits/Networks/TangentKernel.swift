import Kernels
import Networks
import Simulation

extension LimitEntry {
  static let tangentKernel = LimitEntry(
    name: "infinite-width-ntk",
    summary: "neural tangent kernel of an MLP at infinite width and fixed depth, for ntk-mlp; no randomness",
    equation:
      "Theta_l = K_l + Theta_{l-1} c E[phi'(u_a) phi'(u_b)], u ~ N(0, K_{l-1}), Theta_0 = K_0; K of infinite-width",
    reference: "arXiv:1806.07572, theorem 1; docs/limits.md", parameters: []
  ) { p, network in
    guard network.architecture == "ntk-mlp", let recursion = try InfiniteWidth.of(network) else {
      throw p.invalid("equation", "needs architecture ntk-mlp")
    }
    let settings = network.settings
    let m = settings.count
    let kernel = ActivationKernel(network.activation!.function)
    var k = recursion.start
    var theta = k
    for _ in 0..<settings.depth {
      let derivative = ActivationKernel.pairs(k, m, kernel.derivativeProduct)
      k = recursion.next(k)
      theta = (0..<m * m).map { k[$0] + theta[$0] * network.gain * derivative[$0] }
    }
    let measured = settings.measured.only(InfiniteWidth.families)
    let own = TangentMLP.observables(settings)
    let means =
      InfiniteWidth.row(measured, k, layer: settings.depth)
      + settings.own.flatMap { name in
        (0..<m).flatMap { a in
          name == "ntk" ? (a..<m).map { theta[a * m + $0] } : [Elementary.log(theta[a * m + a])]
        }
      }
    return LimitModel(
      content: .known(
        KnownValues(
          observables: measured.observables + own, layers: settings.layers, means: means,
          secondMoments: means.map { $0 * $0 })),
      offset: InfiniteWidth.offset)
  }
}
