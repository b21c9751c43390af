import Kernels
import Experiments

extension Probe {
  /// The empirical neural tangent kernel; drawn by `TangentMLP`.
  package static let tangentKernel = Probe(
    name: "ntk", summary: "the empirical neural tangent kernel of a scalar output, at the last layer",
    equation: "f = sqrt(c/n) v . phi(z_d) + sigma_b b; NTK_ab = sum_w df_a/dw df_b/dw",
    reference: "arXiv:1806.07572; arXiv:2310.07765 (orthogonal weights)",
    observables: TangentKernelObservables.Family.allCases.map(\.rawValue),
    defaults: [TangentKernelObservables.Family.kernel.rawValue], isOfWholeNetwork: true)
}

/// What is measured of a neural tangent kernel, an m x m matrix.
public struct TangentKernelObservables: Sendable {
  /// Families of observables, as jobs name them.
  public enum Family: String, CaseIterable, Sendable {
    case kernel = "ntk"
    case logNorm = "log_ntk"
  }

  let inputs: Int
  let families: [Family]

  init(_ settings: NetworkSettings) {
    inputs = settings.count
    families = settings.own.compactMap(Family.init(rawValue:))
  }

  package var observables: [Observable] {
    families.flatMap { family -> [Observable] in
      switch family {
      case .kernel:
        (0..<inputs).flatMap { a in
          (a..<inputs).map { Observable("NTK", [a, $0], role: .heavyTailed, "NTK_ab, a = \(a), b = \($0)") }
        }
      case .logNorm: (0..<inputs).map { Observable("log_NTK", [$0], "log NTK_aa, a = \($0)") }
      }
    }
  }

  /// The observables of a kernel, m x m, in the order of `observables`.
  package func values(_ kernel: [Double]) -> [Double] {
    Array(unsafeUninitializedCapacity: observables.count) { buffer, count in
      count = buffer.count
      write(kernel, to: buffer.baseAddress!)
    }
  }

  /// - Parameter values: receives `observables.count` numbers.
  func write(_ kernel: UnsafePointer<Double>, to values: UnsafeMutablePointer<Double>) {
    var out = values
    for family in families {
      for a in 0..<inputs {
        switch family {
        case .kernel:
          for b in a..<inputs {
            out.pointee = kernel[a &* inputs &+ b]
            out += 1
          }
        case .logNorm:
          out.pointee = Elementary.log(kernel[a &* inputs &+ a])
          out += 1
        }
      }
    }
  }
}
