import Chemotaxis
import Experiments
import Limits
import Testing

/// The legs of jobs.
@Suite struct LimitTests {
  private static func density(_ eps: Double, step: Double, steps: Int, _ more: String = "") -> String {
    "domain = \"box\"\nmethod = \"density\"\nlength = 4\nmass = 3.5\ntau = \(eps)\neps = \(eps)\nmodes = 12\nstart_amplitude = 0.5\nstep = \(step)\nsteps = \(steps)\ndraws = 2\n\(more)\n"
  }

  /// Values of the finite leg, and of a known one, in every record.
  private func both(_ keys: String, limit: String, _ name: String, _ observable: String) throws -> [(Double, Double)] {
    let legs = try Chemo.legs(keys, limits: limit)
    let known = try #require(legs.first { $0.name == name }?.known)
    let runner = try #require(legs[0].experiment?.makeRunner(key: 1))
    let (values, schema) = (runner.values(0), legs[0].schema)
    return try schema.axis.values.indices.map { record in
      (
        values[schema.index(record, try #require(schema.place(of: observable)))],
        try #require(known.mean(of: observable, record: record))
      )
    }
  }

  @Test("In the initial layer the error is of order eps", arguments: ["c[1]", "w[1]"])
  func layer(name: String) throws {
    let errors = try [0.004, 0.002].map { eps in
      try both(
        Self.density(eps, step: eps / 20, steps: 40, "records = 2\nmeasure_every = 10"),
        limit: "[[limit]]\nequation = \"initial-layer\"", "initial-layer", name
      ).map { ($0.0 - $0.1) / eps }
    }
    for record in 0..<2 {
      #expect(
        errors[0][record].magnitude > 0.05 && (errors[0][record] / errors[1][record] - 1).magnitude < 0.02, "\(errors)")
    }
  }

  @Test("After it, the distance from signals that follow at once is of order eps")
  func afterTheLayer() throws {
    let errors = try [0.004, 0.002].map { eps in
      try both(
        Self.density(eps, step: 0.01, steps: 100),
        limit: "[[limit]]\nequation = \"chemotaxis-density\"\neps = 0\ntau = 0", "chemotaxis-density", "a[1]"
      ).map { ($0.0 - $0.1) / eps }[0]
    }
    #expect(errors[0].magnitude > 1 && (errors[0] / errors[1] - 1).magnitude < 0.05, "\(errors)")
  }

  @Test(
    "Means of the signals are those of the exact leg",
    arguments: ["", "records = 2\nmeasure_every = 2\nwarm_up = 3", "start_signals = \"balance\""], ["mean_c", "mean_w"])
  func means(more: String, name: String) throws {
    for (found, exact) in try both(Self.density(0.3, step: 0.05, steps: 8, more), limit: "", "exact", name) {
      #expect((found - exact).magnitude < 1e-12)
    }
    // And of particles.
    let keys = Self.density(0.3, step: 0.05, steps: 8, more).replacing("method = \"density\"", with: "number = 20")
    let found = try Chemo.rows(keys)
    let exact = try #require(try Chemo.legs(keys).first { $0.name == "exact" }?.known)
    for record in found.leg.axis.values.indices {
      let known = try #require(exact.mean(of: name, record: record))
      #expect((try Chemo.moments(found, name, record: record).mean - known).magnitude < 1e-12)
    }
  }

  @Test("Legs of [bias]") func refinements() throws {
    let legs = try Chemo.legs(
      Chemo.calm + "eps = 0.1\nnumber = 100\nstep = 0.1\nwarm_up = 10\nsteps = 20\ndraws = 2", limits: "[bias]")
    #expect(
      legs.map(\.name) == ["chemotaxis", "chemotaxis-2N", "chemotaxis-half-step", "exact", "structure-factor-at-step"])
    #expect(
      legs[2].axis.values == [60] && legs[1].refines?.parameter == "number" && legs[2].refines?.parameter == "step")
  }
}
