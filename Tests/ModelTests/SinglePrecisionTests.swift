import Experiments
import Kernels
import Networks
import Testing
import Training

/// Networks trained in single precision, against the same draws in double precision.
@Suite struct SinglePrecisionTests {
  /// Half a unit in the last place of 1.
  static let rounding = 0x1p-24

  static func model(_ precision: String, _ keys: [String: JobValue] = [:]) throws -> TrainingModel {
    let usual: [String: JobValue] = [
      "width": .integer(20), "depth": .integer(2), "activation": .text("tanh"), "c": .real(1),
      "parametrisation": .text("ntk"),
      "steps": .integer(50), "records": .text("all"), "learning_rate": .real(0.2), "precision": .text(precision),
      "observables": .list(["loss", "f", "kernel", "weight_change", "coordinate_size"].map { .text($0) }),
      "data": .table([
        "inputs": rows([[1, 0.2, -0.5], [-0.4, 1, 0.3], [0.3, -0.7, 0.9], [0.2, 0.4, -1]]),
        "targets": numbers([1, -0.5, 0.3, 0]), "test": .integer(1),
      ]),
    ]
    return try training("mlp", usual.merging(keys) { $1 })
  }

  /// An output rounds at most d + L n + P + 10 times on its way from the weights and to their moves, numbers of order 1 whose errors descent below the edge of stability does not enlarge: after t
  /// steps the two differ by at most (t + 1) times so many roundings. A move of Adam is a quotient of moments of the gradient, whose roundings 1/epsilon may enlarge.
  @Test(
    arguments: [
      ("tanh", "descent", 1.0), ("relu", "descent", 1), ("gelu", "momentum", 10), ("relu", "batches", 1),
      ("tanh", "adam", 20),
    ])
  func staysWithinItsRounding(activation: String, optimiser: String, gain: Double) throws {
    var keys: [String: JobValue] = ["activation": .text(activation)]
    switch optimiser {
    case "momentum":
      keys["optimiser"] = .table(["name": .text("momentum"), "mu": .real(0.9)])
      keys["learning_rate"] = .real(0.02)
    case "batches": keys["optimiser"] = .table(["name": .text("descent"), "batch": .integer(2)])
    case "adam":
      keys["optimiser"] = .table(["name": .text("adam"), "epsilon": .real(0.05)])
      keys["learning_rate"] = .real(0.01)
    default: break
    }
    let (single, double) = (try Self.model("single", keys), try Self.model("double", keys))
    let chain = Double(3 + 2 * 20 + 3 + 10) * Self.rounding * gain
    var largest = 0.0
    for t in 0...50 {
      let (x, y) = (run(single, record: t), run(double, record: t))
      #expect(x.count == y.count)
      for (name, value) in y where value.isFinite {
        let difference = (x[name]! - value).magnitude
        #expect(difference <= Double(t + 1) * chain * max(1, value.magnitude), "\(name), step \(t): \(difference)")
        largest = max(largest, difference)
      }
    }
    // And it is not double precision.
    #expect(largest > Self.rounding)
  }

  /// Every activation in single precision is that of double precision, rounded; a block and a half.
  @Test func activationsAreThoseOfDoublePrecision() throws {
    for name in ActivationTests.names {
      for f in try ActivationTests.functions(name) where f.missingDerivative == nil {
        let points = (0..<800).map { Float($0 - 400) / 101 + 0.003 }
        var (values, slopes) = (points, points)
        values.withUnsafeMutableBufferPointer { values in
          slopes.withUnsafeMutableBufferPointer { f.apply(values.baseAddress!, slopes: $0.baseAddress!, 800) }
        }
        for i in points.indices {
          let (value, slope) = (f.value(Double(points[i])), f.derivative(Double(points[i])))
          // What has slopes of its own rounds those, and the product.
          #expect(
            (Double(values[i]) - value).magnitude <= 2.5 * Self.rounding * value.magnitude, "\(name)(\(points[i]))")
          #expect(
            (Double(slopes[i]) - slope).magnitude <= 1.01 * Self.rounding * slope.magnitude, "\(name)'(\(points[i]))")
        }
      }
    }
  }

  @Test func twinsAreRefused() {
    #expect { try Self.model("single", ["twin": .text("linearised")]) } throws: {
      let message = ($0 as? Failure)?.message ?? ""
      return message.contains("training.twin") && message.contains("precision = \"double\"")
    }
  }
}
