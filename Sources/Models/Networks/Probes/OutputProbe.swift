import Experiments
import Kernels
import Randomness

extension Probe {
  package static let output = Probe(
    name: "output", summary: "the outputs themselves, their products, fourth powers and tails",
    equation: "f_o = sqrt(c/n) v_o . phi(z_d) + sigma_b b", reference: "arXiv:2106.10165, ch. 4",
    observables: OutputPass.Family.allCases.map(\.rawValue), defaults: [OutputPass.Family.value.rawValue],
    isOfWholeNetwork: true,
    passes: OutputPass.self)
}

/// The drawn outputs. Moments of f that are wanted with small errors are those of V: given the last layer f is normal with the covariance V if its
/// weights are.
struct OutputPass: PassProbe {
  enum Family: String, CaseIterable, Sendable {
    case value = "f"
    case product = "f_product"
    case fourth = "f_fourth"
    case tail = "f_tail"
  }

  private let inputs, outputs: Int
  private let families: [Family]
  private let level: Double

  init(_ p: Parameters, _ network: PassSettings) {
    (inputs, outputs) = (network.network.count, network.outputs)
    families = network.network.own.compactMap(Family.init(rawValue:))
    level = network.network.measured.level
  }

  private func indices(_ o: Int, _ rest: Int...) -> [Int] { (outputs > 1 ? [o] : []) + rest }

  var observables: [Observable] {
    families.flatMap { family in
      (0..<outputs).flatMap { o in
        (0..<inputs).flatMap { a -> [Observable] in
          let words = outputs > 1 ? ", output \(o)" : ""
          let name = family.rawValue
          switch family {
          case .value: return [Observable(name, indices(o, a), "f_a, a = \(a)\(words)")]
          case .product:
            return (a..<inputs).map {
              Observable(name, indices(o, a, $0), role: .heavyTailed, "f_a f_b, a = \(a), b = \($0)\(words)")
            }
          case .fourth:
            return [Observable(name, indices(o, a), role: .heavyTailed, "f_a^4, a = \(a)\(words)")]
          case .tail:
            return [
              Observable(name, indices(o, a), role: .event, "1 where |f_a| > \(level), else 0, a = \(a)\(words)")
            ]
          }
        }
      }
    }
  }

  var needs: PassNeeds { PassNeeds() }

  func makeMeter() -> any PassMeter { Meter(families, level) }

  private final class Meter: PassMeter {
    let families: [Family]
    let level: Double

    init(_ families: [Family], _ level: Double) { (self.families, self.level) = (families, level) }

    func measure(_ passes: Passes, _ stream: inout Stream, to values: UnsafeMutablePointer<Double>) {
      var out = values
      func put(_ value: Double) {
        out.pointee = value
        out += 1
      }
      for family in families {
        for o in 0..<passes.outputs {
          let f = passes.values + o &* passes.inputs
          for a in 0..<passes.inputs {
            switch family {
            case .value: put(f[a])
            case .product: for b in a..<passes.inputs { put(f[a] * f[b]) }
            case .fourth: put(f[a] * f[a] * f[a] * f[a])
            case .tail: put(f[a].magnitude > level ? 1 : 0)
            }
          }
        }
      }
    }
  }
}
