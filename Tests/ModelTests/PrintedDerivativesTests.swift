import Experiments
import Limits
import Networks
import Testing

/// Values of finite networks that an independent program printed: exact ones, those of order 1/n, and networks.
@Suite struct PrintedDerivativesTests {
  static func model(
    _ architecture: String, _ probes: [Probe], _ activation: JobValue, width: Int, depth: Int, gram: Double,
    _ extra: [String: JobValue]
  ) throws -> NetworkModel {
    let keys: [String: JobValue] = [
      "activation": activation, "inputs": table(["gram": .list([.list([.real(gram)])])]),
    ]
    return try PassTests.model(
      architecture, probes: probes, keys.merging(extra) { $1 }, width: width, depth: depth, count: 1)
  }

  private func close(_ a: Double, _ b: Double, _ tolerance: Double, _ words: String) {
    #expect((a - b).magnitude <= tolerance * max(1, b.magnitude), "\(words): \(a), printed \(b)")
  }

  /// The tangent kernel and its change with slopes, exact at every n: n Var Theta and n E f dTheta of ReLU, raw moments of slopes (1, -.4) with
  /// learning rates of their own.
  @Test func kernelsWithSlopes() throws {
    for (n, variance, change) in [(16, 814.25, 238.5), (64, 680.890625, 178.03125)] {
      let model = try Self.model(
        "mlp", [.tangentKernel, .kernelChange], .text("relu"), width: n, depth: 3, gram: 2, ["c": .real(2)])
      let kernel = model.known!.moments(record: 0)["NTK[0,0]"]!
      close(Double(n) * (try mean(model, "f_dNTK[0]")), change, 1e-9, "n E f dTheta")
      close(Double(n) * (kernel.second - kernel.mean * kernel.mean), variance, 1e-9, "n Var")
      close(kernel.mean, 8, 1e-12, "H")
    }
    let slopes: JobValue = .table(["name": .text("leaky-relu"), "plus": .real(1), "minus": .real(-0.4)])
    let other = try Self.model(
      "mlp", [.tangentKernel, .kernelChange], slopes, width: 10, depth: 4, gram: 1.5 * 0.7,
      ["c": .real(1.5), "lambda_b": .real(0.2), "lambda_w": .real(1.1)])
    close(other.known!.moments(record: 0)["NTK[0,0]"]!.second, 17.9928588, 1e-8, "E Theta^2")
    close(try mean(other, "f_dNTK[0]"), 2.84108786, 1e-8, "E f dTheta")
  }

  private func mean(_ model: NetworkModel, _ name: String) throws -> Double {
    let known = try #require(model.known)
    return known.means[try #require(known.observables.firstIndex { $0.name == name })]
  }

  /// Jacobians with slopes: E tr M, E (tr M)^2, E tr M^2 of ReLU, c = 2, n = 8, four layers, Gaussian and orthogonal.
  @Test(arguments: [("mlp", 207.828125, 175.001953), ("orthogonal-mlp", 113.496, 57.496)])
  func jacobiansWithSlopes(architecture: String, square: Double, fourth: Double) throws {
    let model = try Self.model(
      architecture, [.spectrum], .text("relu"), width: 8, depth: 4, gram: 1, ["c": .real(2)])
    let trace = model.known!.moments(record: 0)["spectral_moment[0,1]"]!
    close(trace.mean * 8, 8, 1e-12, "E tr M")
    close(trace.second * 64, square, 1e-5, "E (tr M)^2")
    close(try mean(model, "spectral_moment[0,2]") * 8, fourth, 1e-5, "E tr M^2")
  }

  /// m2 / m1^2 at infinite width: tanh at its fixed point for c = 1.5, five layers; ReLU, ten.
  @Test func spectraAtInfiniteWidth() throws {
    for (architecture, activation, c, k, depth, value) in [
      ("mlp", "tanh", 1.5, 0.28689423, 5, 6.808), ("orthogonal-mlp", "tanh", 1.5, 0.28689423, 5, 1.808),
      ("mlp", "relu", 2, 1, 10, 21),
    ] {
      let model = try Self.model(
        architecture, [.spectrum], .text(activation), width: 64, depth: depth, gram: k, ["c": .real(c)])
      let leg = try limitLegs(
        .table(["equation": .text("jacobian-spectrum")]), path: "limit", network: model, networkDraws: 10
      ).legs[0].known!
      let means = Dictionary(uniqueKeysWithValues: zip(leg.observables.map(\.name), leg.means))
      let (first, second) = (means["spectral_moment[0,1]"]!, means["spectral_moment[0,2]"]!)
      close(second / (first * first), value, 1e-3, "\(architecture) \(activation)")
    }
  }

  /// n k4 of one hidden layer, K = 1, for Gaussian, sign and uniform weights of the output; P(|f| > 2) of tanh, n = 8.
  @Test(arguments: [
    ("relu", [15, 3, 7.8], [Double]()), ("tanh", [1.88187242, -1.37270919, -0.07087655], [0.04796, 0.04383, 0.04551]),
    ("gelu", [18.64684286, 4.21561429, 9.98810571], []),
  ])
  func oneHiddenLayer(activation: String, cumulants: [Double], tails: [Double]) throws {
    for (i, readout) in ["gaussian", "signs", "uniform"].enumerated() {
      let model = try Self.model(
        "mlp", [.output], .text(activation), width: 8, depth: 1, gram: 1,
        ["readout": .text(readout), "level": .real(2)])
      let leg = try limitLegs(
        .table(["equation": .text("finite-width")]), path: "limit", network: model, networkDraws: 10
      ).legs[0].known!
      let means = Dictionary(uniqueKeysWithValues: zip(leg.observables.map(\.name), leg.means))
      let (square, fourth) = (means["f_product[0,0]"]!, means["f_fourth[0]"]!)
      close(8 * (fourth / (square * square) - 3), cumulants[i], 1e-7, "\(activation) \(readout)")
      if !tails.isEmpty { close(means["f_tail[0]"]!, tails[i], 6e-6, "\(activation) \(readout) tail") }
    }
  }

  /// Networks against networks of another program: n Var Theta, n Cov(f^2, Theta), n E f dTheta, n (E Theta - H), within 4 standard errors of both:
  /// one false alarm in 2,000.
  @Test(arguments: [
    (16, [1.371, 0.1511, -0.2725, -0.130], [0.005, 0.0019, 0.0014, 0.007]),
    (64, [1.296, 0.1485, -0.2521, -0.123], [0.004, 0.0035, 0.0010, 0.014]),
  ])
  func networksOfTanh(n: Int, printed: [Double], errors: [Double]) throws {
    let model = try Self.model(
      "mlp", [.tangentKernel, .kernelChange, .output], .text("tanh"), width: n, depth: 3, gram: 1, ["c": .real(1)])
    let runner = model.experiment.makeRunner(2026)
    let names = model.experiment.observables.map(\.name)
    func place(_ name: String) -> Int { names.firstIndex(of: name)! }
    let (kernel, square, change) = (place("NTK[0,0]"), place("f_product[0,0]"), place("f_dNTK[0]"))
    let blocks = 20
    let each: UInt64 = validating ? 20_000 : 2_000
    // Statistics block by block, their error from their scatter.
    let found = (0..<UInt64(blocks)).map { block -> [Double] in
      let rows = (block * each..<(block + 1) * each).map { runner.values($0) }
      let size = Double(rows.count)
      let theta = rows.reduce(0) { $0 + $1[kernel] } / size
      let norm = rows.reduce(0) { $0 + $1[square] } / size
      let variance = rows.reduce(0) { $0 + ($1[kernel] - theta) * ($1[kernel] - theta) } / (size - 1)
      let covariance = rows.reduce(0) { $0 + ($1[kernel] - theta) * ($1[square] - norm) } / (size - 1)
      return [variance, covariance, rows.reduce(0) { $0 + $1[change] } / size, theta - 0.73572093].map {
        Double(n) * $0
      }
    }
    for i in printed.indices {
      let mean = found.reduce(0) { $0 + $1[i] } / Double(blocks)
      let spread = found.reduce(0) { $0 + ($1[i] - mean) * ($1[i] - mean) } / Double(blocks * (blocks - 1))
      let error = (spread + errors[i] * errors[i]).squareRoot()
      #expect(
        (mean - printed[i]).magnitude < 4 * error, "n \(n), statistic \(i): \(mean) of \(printed[i]), error \(error)")
    }
  }
}
