import Experiments
import Kernels
import Randomness

extension Probe {
  package static let jacobian = Probe(
    name: "jacobian",
    summary: "the Jacobian of the outputs in the input: norms, traces, singular values, and its projected estimator",
    equation:
      "J = df/dx, x with |x|^2 c / n0 = V_0 - sigma_b^2; |J|^2 = tr J J^T; projected: k |v^T J|^2, v uniform on the unit sphere",
    reference: "arXiv:1908.02729; arXiv:1711.04735",
    observables: JacobianPass.Family.allCases.map(\.rawValue),
    defaults: [JacobianPass.Family.norm, .logNorm].map(\.rawValue), isOfWholeNetwork: true,
    parameters: [
      Parameter(
        "projections", .integer(1...1024), default: .integer(1),
        "vectors v of the projected estimator; at most the outputs where orthonormal"),
      Parameter(
        "projection", .choice(["independent", "orthonormal"]), default: .text("independent"),
        "law of the vectors v together"),
    ], passes: JacobianPass.self)
}

/// The k x n0 Jacobian of the outputs, by its triangular factor.
struct JacobianPass: PassProbe {
  enum Family: String, CaseIterable, Sendable {
    case norm = "jacobian"
    case logNorm = "log_jacobian"
    case fourth = "jacobian_fourth"
    case logSingularValue = "log_singular_value"
    case projected = "projected_jacobian"
  }

  private let inputs, outputs, features, projections: Int
  /// Singular values that need not be 0.
  private let rank: Int
  private let isOrthonormal: Bool
  private let families: [Family]

  init(_ p: Parameters, _ network: PassSettings) throws {
    (inputs, outputs, features) = (network.network.count, network.outputs, network.features)
    rank = min(outputs, features, network.network.width)
    families = network.network.own.compactMap(Family.init(rawValue:))
    projections = p.integer("projections")
    isOrthonormal = p.text("projection") == "orthonormal"
    guard !isOrthonormal || projections <= outputs else {
      throw p.invalid("projections", "must be at most the number of outputs, \(outputs), where they are orthonormal")
    }
  }

  var observables: [Observable] {
    families.flatMap { family in
      (0..<inputs).flatMap { a -> [Observable] in
        let name = family.rawValue
        switch family {
        case .norm: return [Observable(name, [a], role: .heavyTailed, "tr J J^T of input \(a)")]
        case .logNorm: return [Observable(name, [a], "log tr J J^T of input \(a)")]
        case .fourth: return [Observable(name, [a], role: .heavyTailed, "tr (J J^T)^2 of input \(a)")]
        case .logSingularValue:
          return (0..<rank).map {
            Observable(name, [a, $0], "log of singular value \($0) of J of input \(a), the largest first")
          }
        case .projected:
          return [Observable(name, [a], role: .heavyTailed, "mean of k |v^T J|^2 over the vectors v, input \(a)")]
        }
      }
    }
  }

  var needs: PassNeeds {
    PassNeeds(
      gradients: true, backward: inputs * outputs,
      numbers: 2 * Double(outputs) * Double(features + max(outputs, projections)))
  }

  func makeMeter() -> any PassMeter { Meter(outputs, features, rank, families, projections, isOrthonormal) }

  private final class Meter: PassMeter {
    let count, projections, rank: Int
    let isOrthonormal: Bool
    let families: [Family]
    let rows, copy, vectors: Columns
    let factor, square, squares: UnsafeMutablePointer<Double>

    init(
      _ outputs: Int, _ features: Int, _ rank: Int, _ families: [Family], _ projections: Int, _ isOrthonormal: Bool
    ) {
      (count, self.families, self.projections) = (outputs, families, projections)
      self.isOrthonormal = isOrthonormal
      self.rank = rank
      rows = Columns(outputs, rows: features)
      copy = Columns(outputs, rows: features)
      vectors = Columns(projections, rows: outputs)
      factor = .allocate(capacity: outputs * outputs)
      square = .allocate(capacity: max(outputs, projections) * max(outputs, projections))
      squares = .allocate(capacity: outputs)
    }

    deinit {
      factor.deallocate()
      square.deallocate()
      squares.deallocate()
    }

    func measure(_ passes: Passes, _ stream: inout Stream, to values: UnsafeMutablePointer<Double>) {
      let m = passes.inputs
      let scale = (passes.settings.inputGain / Double(passes.settings.features)).squareRoot()
      for a in 0..<m {
        for o in 0..<count {
          passes.pullBackToInput(passes.gradients[0][o &* m &+ a], into: rows[o], &stream)
          for i in 0..<rows.stride { rows[o][i] *= scale }
        }
        copy.data.update(from: rows.data, count: count &* rows.stride)
        Triangular.factor(
          columns: copy.data, stride: copy.stride, count: copy.stride, m: count, into: factor, orthogonal: false)
        for i in 0..<count &* count { square[i] = factor[i] }
        SingularValues.squares(square, m: count, into: squares)
        write(a, m, &stream, values)
      }
    }

    /// What is measured of input a, among the values of all inputs.
    private func write(_ a: Int, _ m: Int, _ stream: inout Stream, _ values: UnsafeMutablePointer<Double>) {
      var (trace, fourth) = (0.0, 0.0)
      for i in 0..<count {
        trace += squares[i]
        fourth += squares[i] * squares[i]
      }
      var out = values
      for family in families {
        switch family {
        case .norm: out[a] = trace
        case .logNorm: out[a] = Elementary.log(trace)
        case .fourth: out[a] = fourth
        case .logSingularValue:
          for i in 0..<rank {
            out[a &* rank &+ i] = Probe.logSingularValue(squares[i], largest: squares[0], of: count)
          }
          out += m &* (rank &- 1)
        case .projected: out[a] = projected(&stream)
        }
        out += m
      }
    }

    /// Mean of $k |v^\top J|^2 = k |R v|^2$.
    private func projected(_ stream: inout Stream) -> Double {
      for j in 0..<projections {
        for i in 0..<count { vectors[j][i] = stream.normal() }
        for i in count..<vectors.stride { vectors[j][i] = 0 }
      }
      if isOrthonormal {
        Triangular.orthonormalise(columns: vectors.data, stride: vectors.stride, m: projections, into: square)
      }
      var sum = 0.0
      for j in 0..<projections {
        let v = vectors[j]
        var (norm, length) = (0.0, 0.0)
        for i in 0..<count {
          length += v[i] * v[i]
          var entry = 0.0
          for k in i..<count { entry += factor[i &* count &+ k] * v[k] }
          norm += entry * entry
        }
        sum += norm / length
      }
      return Double(count) * sum / Double(projections)
    }
  }
}
