import Experiments
import Kernels
import Randomness

extension Probe {
  package static let spectrum = Probe(
    name: "spectrum", summary: "the square Jacobian of the last layer in the input: moments and singular values",
    equation:
      "J = d phi(z_d) / dx = D_d W_d ... D_1 W_1 with weights of variance c / fan-in, M = J J^T, m_k = tr M^k / n",
    reference: "arXiv:1711.04735; arXiv:1802.09979",
    observables: SpectrumPass.Family.allCases.map(\.rawValue),
    defaults: [SpectrumPass.Family.moment.rawValue], isOfWholeNetwork: true, passes: SpectrumPass.self)
}

/// The n x n0 Jacobian of the last layer's post-activations: n backward passes.
struct SpectrumPass: PassProbe {
  enum Family: String, CaseIterable, Sendable {
    case moment = "spectral_moment"
    case logMoment = "log_spectral_moment"
    case logLargest = "log_largest_singular_value"
    case logSmallest = "log_smallest_singular_value"
  }

  private static let most = 512

  private let inputs, width, features: Int
  private let families: [Family]

  init(_ p: Parameters, _ network: PassSettings) throws {
    (inputs, width, features) = (network.network.count, network.network.width, network.features)
    families = network.network.own.compactMap(Family.init(rawValue:))
    guard width <= Self.most else {
      throw p.invalid(
        "width", "must be at most \(Self.most) for the probe \(Probe.spectrum.name): a draw costs its cube")
    }
  }

  var observables: [Observable] {
    families.flatMap { family in
      (0..<inputs).flatMap { a -> [Observable] in
        let name = family.rawValue
        switch family {
        case .moment:
          return (1...2).map { Observable(name, [a, $0], role: .heavyTailed, "tr M^\($0) / n of input \(a)") }
        case .logMoment: return (1...2).map { Observable(name, [a, $0], "log(tr M^\($0) / n) of input \(a)") }
        case .logLargest, .logSmallest:
          return [Observable(name, [a], "\(name.replacing("_", with: " ")) of J of input \(a)")]
        }
      }
    }
  }

  var needs: PassNeeds {
    PassNeeds(
      gradients: true, backward: inputs * width, numbers: Double(width) * Double(3 * width + features))
  }

  func makeMeter() -> any PassMeter {
    Meter(width, features, families)
  }

  private final class Meter: PassMeter {
    let families: [Family]
    let needsValues: Bool
    /// Rows of the Jacobian at a layer and at the one below, then in the input.
    let now, next, rows: Columns
    let factor, squares: UnsafeMutablePointer<Double>

    init(_ width: Int, _ features: Int, _ families: [Family]) {
      self.families = families
      needsValues = families.contains { $0 == .logLargest || $0 == .logSmallest }
      now = Columns(width, rows: width)
      next = Columns(width, rows: width)
      rows = Columns(width, rows: features)
      factor = .allocate(capacity: width * width)
      squares = .allocate(capacity: width)
    }

    deinit {
      factor.deallocate()
      squares.deallocate()
    }

    func measure(_ passes: Passes, _ stream: inout Stream, to values: UnsafeMutablePointer<Double>) {
      let (m, n) = (passes.inputs, passes.width)
      let scale = (passes.settings.inputGain / Double(passes.settings.features)).squareRoot()
      for a in 0..<m {
        for o in 0..<n {
          for i in 0..<now.stride { now[o][i] = 0 }
          now[o][o] = passes.slopes[passes.depth &- 1][a][o]
        }
        for layer in (1..<passes.depth).reversed() {
          for o in 0..<n {
            passes.pullBack(now[o], to: layer, of: a, into: next[o], &stream)
            now[o].update(from: next[o], count: now.stride)
          }
        }
        for o in 0..<n {
          passes.pullBackToInput(now[o], into: rows[o], &stream)
          for i in 0..<rows.stride { rows[o][i] *= scale }
        }
        write(a, m, n, values)
      }
    }

    private func write(_ a: Int, _ m: Int, _ n: Int, _ values: UnsafeMutablePointer<Double>) {
      var (first, second) = (0.0, 0.0)
      for o in 0..<n {
        for p in 0...o {
          let x = Triangular.dot(rows[o], rows[p], rows.stride)
          if o == p { first += x }
          second += (o == p ? 1 : 2) * x * x
        }
      }
      if needsValues {
        Triangular.factor(
          columns: rows.data, stride: rows.stride, count: rows.stride, m: n, into: factor, orthogonal: false)
        SingularValues.squares(factor, m: n, into: squares)
      }
      let moments = (first / Double(n), second / Double(n))
      var out = values
      for family in families {
        switch family {
        case .moment, .logMoment:
          let isLog = family == .logMoment
          out[2 &* a] = isLog ? Elementary.log(moments.0) : moments.0
          out[2 &* a &+ 1] = isLog ? Elementary.log(moments.1) : moments.1
          out += m
        case .logLargest: out[a] = 0.5 * Elementary.log(squares[0])
        case .logSmallest: out[a] = Probe.logSingularValue(squares[n &- 1], largest: squares[0], of: n)
        }
        out += m
      }
    }
  }
}

extension Probe {
  /// log of a singular value from its square; NaN where it is lost in the rounding of the largest.
  static func logSingularValue(_ square: Double, largest: Double, of n: Int) -> Double {
    let rounding = Double(n) * 0x1p-50
    return square == 0 || square > rounding * rounding * largest ? 0.5 * Elementary.log(square) : .nan
  }
}
