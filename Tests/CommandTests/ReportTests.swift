import Foundation
import Support
import Testing

extension Commands {
  /// What a job can ask for beyond a comparison: health, width to infinity, step to 0.
  @Suite struct ReportTests {
    func json(_ place: borrowing Workplace, _ file: String) throws -> [String: Any] {
      let text = try place.fathom(["show", "--json", file]).output
      return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
    }

    /// ReLU networks of width 4 lose their norm within six layers; of width 512 they do not.
    @Test func health() throws {
      let place = try Workplace()
      try place.write(
        """
        seed = 1
        [network]
        architecture = "mlp"
        activation = "relu"
        width = 512
        depth = 6
        inputs = { correlation = 0.0 }
        draws = 2_000
        [health]
        widths = [4]
        threshold = 0.1
        """)
      let run = try place.fathom(["run", "job.toml", "-o", "out.h5"], ranks: 2)
      #expect(run.status == 0, "\(run.error)")
      let report = try json(place, "out.h5")
      let health = report["health"] as? [[String: Any]] ?? []
      #expect(health.count == 2)
      for item in health {
        let narrow = (item["label"] as? String)?.contains("width=4") == true
        let rows = item["rows"] as? [[String: Any]] ?? []
        #expect(rows.count == 3)
        let vanished = rows.first { $0["failure"] as? String == "vanished" } ?? [:]
        let probability = vanished["probability"] as? Double ?? -1
        #expect(narrow ? probability > 0.2 : probability < 0.01, "\(probability)")
        #expect((vanished["reached"] is Int) == narrow)
        let (lower, upper) = (vanished["lower"] as? Double ?? 2, vanished["upper"] as? Double ?? -1)
        #expect(lower <= probability && probability <= upper && lower >= 0 && upper <= 1)
      }
      #expect(try place.fathom(["show", "out.h5"]).output.contains("unhealthy: "))
      let wrong = try place.fathom(["run", "job.toml", "-o", "w.h5"] + settings(["health.threshold=2.0"]))
      #expect(wrong.status == 65 && wrong.error.contains("health.threshold"))
    }

    /// ReLU at fixed depth: E rho approaches the arc-cosine recursion like 1/n.
    @Test func widthToInfinity() throws {
      let place = try Workplace()
      try place.write(
        """
        seed = 1
        [network]
        architecture = "mlp"
        activation = "relu"
        width = 16
        depth = 3
        inputs = { correlation = 0.2 }
        observables = ["rho", "atanh_rho"]
        draws = 60_000
        [limit]
        equation = "infinite-width"
        [sweep]
        "network.width" = [16, 32, 64, 128]
        """)
      #expect(try place.fathom(["run", "job.toml", "-o", "out.h5"], ranks: 2).status == 0)
      let sweeps = (try json(place, "out.h5"))["finite_size"] as? [[String: Any]] ?? []
      #expect(sweeps.count == 1)
      let rows = sweeps.first?["rows"] as? [[String: Any]] ?? []
      #expect(rows.count == 2)
      for row in rows {
        #expect(abs(row["z"] as? Double ?? 99) < 3.5, "\(row)")
        #expect(row["order"] as? String != "n^-1/2")
        #expect(row["widths"] as? [Int] == [16, 32, 64, 128])
      }
    }

    @Test func stepToZero() throws {
      let place = try Workplace()
      try place.write(
        """
        seed = 1
        [network]
        architecture = "linear-mlp"
        width = 200
        depth = 200
        inputs = { correlation = 0.2 }
        observables = ["log_V"]
        draws = 40_000
        [limit]
        equation = "covariance-sde"
        integrator = "wishart"
        step = 0.2
        extrapolate = true
        """)
      #expect(try place.fathom(["run", "job.toml", "-o", "out.h5"], ranks: 2).status == 0)
      let cases = (try json(place, "out.h5"))["cases"] as? [[String: Any]] ?? []
      let item = cases.first
      let comparisons = item?["comparisons"] as? [[String: Any]] ?? []
      func z(_ reference: String) -> [Double] {
        let rows = comparisons.first { $0["reference"] as? String == reference }?["rows"] as? [[String: Any]] ?? []
        return rows.compactMap { $0["z"] as? Double }.map(abs)
      }
      // A Wishart step of 0.2 is a network of width 5: its bias is seen, and extrapolation takes most of it away.
      let (raw, zero) = (z("covariance-sde"), z("covariance-sde at step 0"))
      #expect(raw.count == 2 && zero.count == 2)
      #expect(raw.allSatisfy { $0 > 5 } && zip(zero, raw).allSatisfy { $0 < 0.5 * $1 }, "\(raw) \(zero)")
    }
  }
}
