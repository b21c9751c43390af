import Experiments
import Networks

/// Deep kernel machines and deep Wishart processes: the table `[kernel-machine]`.
package enum KernelMachineFamily: Family {
  package static let table = "kernel-machine"
  package static let summary =
    "Gram matrices of a deep kernel machine at finite width, under the posterior or the prior; takes the keys of its sampler as well"
  static let equation =
    "G_l | G_{l-1} ~ Wishart(k(G_{l-1}), N)/N, N nu outputs ~ N(0, C), C = k(G_L) + s^2, Y Y^T/(N nu) = Yh"

  package static var entries: [any Entry] {
    MachineSampler.all as [any Entry] + [
      TableEntry(name: table, summary: summary, parameters: parameters),
      TableEntry(name: "\(table).inputs", summary: "the points, by G_0 = K_0", parameters: Inputs.parameters),
    ]
  }

  package static let drawsKey: String? = "draws"

  /// Keys that may change with the width and do not tell cases apart.
  private static let companions = ["draws", "steps", "warm_up", "measure_every", "step"]

  /// The keys that every sampler takes.
  package static let parameters: [Parameter] = [
    Parameter("inputs", .structured(Inputs.words), "the points: their Gram matrix K_0, positive definite"),
    Parameter(
      "kernel", .choice(PairKernel.allCases.map(\.rawValue)),
      "k of a layer: linear k(G) = G; relu, the arc-cosine kernel doubled, which keeps the diagonal; erf"),
    Parameter("depth", .integer(1...64), "L, Gram matrices"),
    Parameter(
      "width", .integer(1...100_000_000), small: .init(.inverse, "N", companions: companions),
      "N, degrees of freedom of the Wishart matrices, at least the number of points"),
    Parameter(
      "targets", .structured("an array of a number for each point, or an array of such arrays"),
      "y with Yh = y y^T; of several the mean of y y^T"),
    Parameter("noise", .real(.above(0)), "s^2, variance of the noise of the outputs"),
    Parameter(
      "output_ratio", .real(.init(0, 1e6, openBelow: true)), default: .real(1),
      "nu: there are N nu outputs, not one; with a fixed number of outputs the limit is the kernel of the prior"),
    Parameter(
      "draws", .integer(2...Int64.max), "independent draws; of chains, replicas: error bars come from them"),
    Parameter(
      "sampler", .choice(MachineSampler.all.map(\.name)), default: .text("hmc"), "how the law is drawn from"),
  ]

  package static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<KernelMachineModel> {
    let entry = try MachineSampler.named(
      by: "sampler", of: table, path: context.path, among: MachineSampler.all, otherwise: .text("hmc"))
    let p = try Parameters(table, path: context.path, allowed: parameters + entry.parameters)
    let model = try KernelMachineModel(p, entry, context.data)
    var legs = [
      Leg(
        name: self.table, role: .finite, content: .sampled(model.experiment, draws: UInt64(p.integer("draws"))),
        attributes: model.attributes)
    ]
    if let exact = model.exactLeg { legs.append(exact) }
    let prefix = self.table
    let lines = p.resolved.lines(prefix: prefix).filter { !$0.hasPrefix("\(prefix).draws = ") }
    return FamilyCase(
      model: model, legs: legs, identity: lines + model.data.map { "\(prefix).\($0)" },
      impliedLimits: [model.isPrior ? "prior-kernel" : "objective-maximum"])
  }
}

/// A sampler of deep kernel machines: a line of the catalog.
package struct MachineSampler: Entry {
  package var kind: String { "sampler" }
  package let name, summary, equation, reference: String
  package let parameters: [Parameter]
  let make: @Sendable (_ p: Parameters, _ settings: MachineSettings) throws -> Experiment

  static let all: [MachineSampler] = [
    chains(
      "hmc", "Hamiltonian Monte Carlo of the posterior in Bartlett's coordinates, eight chains a replica",
      equation: "v ~ N(0, 1), leapfrog with h/sqrt(N), accepted with probability min(1, e^{-dH})",
      reference: "arXiv:1206.1901", step: 0.25, leapfrog: 11, every: 1),
    chains(
      "metropolis", "random walks of Metropolis in Bartlett's coordinates, eight chains a replica",
      equation: "q + h/sqrt(N) N(0, 1), accepted with probability min(1, e^{-dU})",
      reference: "Metropolis et al., J. Chem. Phys. 21 (1953) 1087", step: 0.3, leapfrog: nil, every: 10),
    draws(.importance, "draws of the prior, weighted by their likelihood; few count unless N is small"),
    draws(.bartlett, "draws of the prior, a deep Wishart process, by Bartlett's factors"),
    draws(.product, "draws of the prior unit by unit, its definition"),
  ]

  private static func draws(_ sampler: WishartDraw.Sampler, _ summary: String) -> MachineSampler {
    MachineSampler(
      name: sampler.rawValue, summary: summary,
      equation: sampler == .product
        ? "G = L Z Z^T L^T/N, Z P x N normals" : "G = L T T^T L^T/N, T_ii^2 ~ chi^2_{N-i}, T_ij ~ N(0, 1)",
      reference: "arXiv:2107.10125", parameters: []
    ) { _, settings in
      let centre = sampler == .importance ? Optimum(settings).objective : 0
      return Experiment(WishartDraw(settings, sampler, centre: centre))
    }
  }

  private static func chains(
    _ name: String, _ summary: String, equation: String, reference: String, step: Double, leapfrog: Int64?,
    every: Int64
  ) -> MachineSampler {
    var parameters = [
      Parameter(
        "step", .real(.init(0, 10, openBelow: true)), default: .real(step), unit: "1/sqrt(N)",
        leapfrog == nil
          ? "deviation of a proposal in each coordinate; the law does not depend on it"
          : "step of leapfrog, h; the law does not depend on it")
    ]
    if let leapfrog {
      parameters += [
        Parameter(
          "jitter", .real(.init(0, 1, openAbove: true)), default: .real(0.2),
          "the step of a trajectory is h times a uniform number in [1 - jitter, 1 + jitter]"),
        Parameter(
          "leapfrog_steps", .integer(1...100_000), default: .integer(leapfrog),
          "the number of steps of a trajectory is uniform in [1, leapfrog_steps]"),
      ]
    }
    parameters += Schedule.chain("proposals", warmUp: 20 * every, measureEvery: every)
    return MachineSampler(
      name: name, summary: summary, equation: equation, reference: reference, parameters: parameters
    ) { p, settings in
      let moves = MachineMoves(
        step: p.real("step"), jitter: leapfrog == nil ? 0 : p.real("jitter"),
        leapfrog: leapfrog.map { _ in p.integer("leapfrog_steps") })
      return Experiment(
        MachineProcess(
          settings, moves, schedule: try Schedule(p)))
    }
  }
}
