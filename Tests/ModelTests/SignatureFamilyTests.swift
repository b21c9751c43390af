import Experiments
import Foundation
import Kernels
import Limits
import Networks
import Signatures
import Testing

/// Jobs of signature kernels around their draws: refinements, what limits promise, what identifies a run; and the equation with every constant off 1.
@Suite struct SignatureFamilyTests {
  private static func limit(_ name: String, _ keys: [String: Any]) throws -> ReferenceValues {
    let entry = SignatureLimits.all.first { $0.name == name }!
    let p = try Parameters(.table(["equation": .text(name)]), path: "limit", allowed: entry.parameters)
    guard case .known(let values) = try entry.make(p, SignatureTests.legs(keys).model).content else {
      throw Failure(.bug, "no values")
    }
    return values
  }

  @Test func ordersOfTheLimits() throws {
    let (width, steps) = (Remainder("width", order: 1), Remainder("steps", order: 1))
    #expect(try Self.limit("infinite-width-signature", [:]).remainder == [width])
    #expect(try Self.limit("signature-kernel", [:]).remainder == [width, steps])
    let fresh: [String: Any] = ["weights": "inhomogeneous"]
    #expect(try Self.limit("infinite-width-signature", fresh).remainder == [])
    #expect(
      try Self.limit("infinite-width-signature", fresh.merging(["activation": "relu"]) { $1 }).remainder == [width])
    // The exact leg is of linear networks with fresh weights alone.
    #expect(try SignatureTests.legs(fresh).legs.contains { $0.role == .exact })
    #expect(try !SignatureTests.legs([:]).legs.contains { $0.role == .exact })
    #expect(try !SignatureTests.legs(fresh.merging(["activation": "relu"]) { $1 }).legs.contains { $0.role == .exact })
  }

  /// `extrapolate` draws twice the width, and twice the steps, each an error of order 1.
  @Test func refinementsDouble() throws {
    let legs = try SignatureTests.legs(["extrapolate": true]).legs
    #expect(legs.map(\.name) == ["signature", "signature-2N", "signature-2M"])
    #expect(legs.map { $0.attributes["width"] } == ["16", "32", "16"])
    #expect(legs.map { $0.attributes["steps"] } == ["10", "10", "20"])
    #expect(
      legs.dropFirst().map(\.refines) == [
        Refinement(leg: "signature", parameter: "width", symbol: "N", order: 1),
        Refinement(leg: "signature", parameter: "steps", symbol: "M", order: 1),
      ])
  }

  private struct Points: DataSource {
    let rows: [[Double]]
    func table(_ request: TableRequest) throws -> DataTable { DataTable(columns: [], rows: rows) }
  }

  /// Other points in a file of the same name are another job.
  @Test func filesAreInTheIdentity() throws {
    let keys: [String: Any] = ["paths": [["file": "a.csv"]], "steps": 4]
    let found = try [1.0, 2].map { try SignatureTests.legs(keys, Points(rows: [[0], [1], [$0]])).identity }
    #expect(found[0] != found[1])
    #expect(found[0] == (try SignatureTests.legs(keys, Points(rows: [[0], [1], [1]])).identity))
  }

  /// The recursion written out for two paths with every constant off 1: sigma_a, sigma_A, sigma_b, and an activation whose slope is not 1.
  @Test(arguments: [true, false]) func recursionWrittenOut(isHomogeneous: Bool) throws {
    let (a, w, b, slope, steps) = (1.3, 0.8, 0.4, 0.5, 6)
    let keys: [String: Any] = [
      "sigma_start": a, "sigma_weight": w, "sigma_bias": b, "steps": steps,
      "activation": ["name": "leaky-relu", "plus": slope, "minus": slope],
      "weights": isHomogeneous ? "homogeneous" : "inhomogeneous",
    ]
    let found = try Self.limit("infinite-width-signature", keys).means
    func x(_ t: Double) -> [Double] { [t, t * t] }
    func y(_ t: Double) -> [Double] { [sin(2 * t), 1 - t] }
    func rate(_ f: (Double) -> [Double], _ g: (Double) -> [Double], _ s: Int, _ t: Int) -> Double {
      let dt = 1 / Double(steps)
      let (p, q) = (f(Double(s + 1) * dt), f(Double(s) * dt))
      let (u, v) = (g(Double(t + 1) * dt), g(Double(t) * dt))
      return (0..<2).reduce(0) { $0 + (p[$1] - q[$1]) * (u[$1] - v[$1]) }
    }
    func kernel(_ f: (Double) -> [Double], _ g: (Double) -> [Double]) -> Double {
      if !isHomogeneous {
        return (0..<steps).reduce(a * a) { k, s in
          k + (w * w * slope * slope * k + b * b) * rate(f, g, s, s) * Double(steps)
        }
      }
      var k = Array(repeating: Array(repeating: a * a, count: steps + 1), count: steps + 1)
      for s in 0..<steps {
        for t in 0..<steps {
          k[s + 1][t + 1] =
            k[s + 1][t] + k[s][t + 1] - k[s][t] + (w * w * slope * slope * k[s][t] + b * b) * rate(f, g, s, t)
        }
      }
      return k[steps][steps]
    }
    for (value, exact) in zip(found, [kernel(x, x), kernel(x, y), kernel(y, y)]) {
      #expect((value - exact).magnitude < 1e-12 * (1 + exact.magnitude), "\(value), \(exact)")
    }
  }

  /// Means of draws with every constant off 1, both samplers and both kinds of weights, at a width where the exact mean is that of the recursion to order 1/N: fresh weights exactly. 12 means, |z| < 4.5.
  @Test(arguments: ["conditional", "weights"]) func constantsOfTheDraws(sampler: String) throws {
    let keys: [String: Any] = [
      "sigma_start": 1.3, "sigma_weight": 0.8, "sigma_bias": 0.6, "steps": 5, "width": 3, "sampler": sampler,
      "weights": "inhomogeneous", "records": [0.4, 1.0],
    ]
    let exact = try Self.limit("infinite-width-signature", keys).means
    let rows = try SignatureTests.rows(keys, 20_000, path: sampler)
    for place in exact.indices { expectMean(rows.map { $0[place] }, exact[place], 0, "\(sampler) \(place)") }
  }

  /// ReLU is homogeneous: without biases the kernel goes with sigma_a^2, in the recursion and in the differential equation.
  @Test(arguments: ["infinite-width-signature", "signature-kernel"]) func kernelsOfReLUScaleWithTheStart(name: String)
    throws
  {
    let keys: [String: Any] = ["activation": "relu", "sigma_bias": 0.0, "sigma_weight": 0.9]
    let (one, other) = (
      try Self.limit(name, keys).means, try Self.limit(name, keys.merging(["sigma_start": 1.5]) { $1 }).means
    )
    for (a, b) in zip(one, other) { #expect((b / (2.25 * a) - 1).magnitude < 1e-8, "\(a), \(b)") }
  }

  @Test func recordsAscend() throws {
    for records in [[0.5, 0.4], [0.5, 0.5], [0.0], [1.1]] {
      let failure = #expect(throws: Failure.self, "\(records)") { _ = try SignatureTests.legs(["records": records]) }
      #expect(failure?.message.contains("signature.records") ?? false, "\(failure?.message ?? "")")
    }
    let failure = #expect(throws: Failure.self) {
      _ = try Self.limit("infinite-width-signature", ["activation": ["formula": "exp(x^2)"]])
    }
    #expect(failure?.message.contains("Gaussian expectations") ?? false, "\(failure?.message ?? "")")
  }
}
