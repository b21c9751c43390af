import Kernels
import Randomness
import Experiments

extension Probe {
  /// The empirical neural tangent kernel; drawn by `TangentMLP`, or with other probes from passes.
  package static let tangentKernel = Probe(
    name: "ntk", summary: "the empirical neural tangent kernel of a scalar output, at the last layer",
    equation: "f = sqrt(c/n) v . phi(z_d) + sigma_b b; NTK_ab = sum_w df_a/dw df_b/dw",
    reference: "arXiv:1806.07572; arXiv:2310.07765 (orthogonal weights)",
    observables: TangentKernelObservables.Family.allCases.map(\.rawValue),
    defaults: [TangentKernelObservables.Family.kernel.rawValue], isOfWholeNetwork: true,
    passes: TangentKernelPass.self)
}

/// The kernel of the first output from passes.
struct TangentKernelPass: PassProbe {
  private let kernel: TangentKernelObservables
  var observables: [Observable] { kernel.observables }
  var needs: PassNeeds { PassNeeds(gradients: true) }

  init(_ p: Parameters, _ network: PassSettings) throws {
    kernel = TangentKernelObservables(network.network, groups: network.groups)
    try kernel.check(p)
  }

  func makeMeter() -> any PassMeter { Meter(kernel) }

  private final class Meter: PassMeter {
    let kernel: TangentKernelObservables
    var theta, blocks: [Double]
    let work: UnsafeMutablePointer<Double>

    init(_ kernel: TangentKernelObservables) {
      self.kernel = kernel
      theta = Array(repeating: 0, count: kernel.inputs * kernel.inputs)
      blocks = Array(repeating: 0, count: kernel.blockRoom)
      work = .allocate(capacity: kernel.inputs * (kernel.inputs + 1))
    }

    deinit { work.deallocate() }

    func measure(_ passes: Passes, _ stream: inout Stream, to values: UnsafeMutablePointer<Double>) {
      let m = passes.inputs
      for a in 0..<m { for b in 0..<m { theta[a &* m &+ b] = passes.tangentKernel(a, b) } }
      if kernel.hasBlocks {
        for a in 0..<m { for b in 0..<m { passes.tangentBlocks(a, b, to: &blocks, at: a &* m &+ b) } }
      }
      kernel.write(theta, blocks: blocks, work: work, to: values)
    }
  }
}

extension Passes {
  /// $\Theta_{ab} = \lambda_b + \lambda_W \phi_a \cdot \phi_b / n + \sum_l (D^l_a \cdot D^l_b) (\lambda_b + \lambda_W \phi_a \cdot \phi_b / n)_{l-1}$ of the first
  /// output.
  func tangentKernel(_ a: Int, _ b: Int) -> Double {
    var sum = increments[(depth &* inputs &+ a) &* inputs &+ b]
    for layer in (0..<depth).reversed() {
      let product = Triangular.dot(gradients[layer][a], gradients[layer][b], gradients[layer].stride)
      sum += product * increments[(layer &* inputs &+ a) &* inputs &+ b]
    }
    return sum
  }

  /// What each group of weights adds to the kernel, in the order of `PassSettings.groups`, at the given place of m x m numbers each.
  func tangentBlocks(_ a: Int, _ b: Int, to blocks: inout [Double], at place: Int) {
    let size = inputs &* inputs
    var biases = 0.0
    for layer in 0...depth {
      let product =
        layer == depth ? 1 : Triangular.dot(gradients[layer][a], gradients[layer][b], gradients[layer].stride)
      let rate = settings.biasRate(into: layer &+ 1)
      biases += product * rate
      blocks[layer &* size &+ place] = product * (increments[(layer &* inputs &+ a) &* inputs &+ b] - rate)
    }
    if settings.hasBiases { blocks[(depth &+ 1) &* size &+ place] = biases }
  }
}

/// Weights of a network that learn together, as its tangent kernel is divided: each adds $\sum_w \lambda \, \partial_w f_a \, \partial_w f_b$ over its own.
public struct TangentGroup: Sendable, Equatable {
  /// First index of `ntk_block`.
  package let index: Int
  package let summary: String

  /// Of a perceptron: 1 ... d the layers, d + 1 the output, d + 2 all biases, if there are any.
  static func perceptron(depth: Int, hasBiases: Bool) -> [TangentGroup] {
    (1...depth).map { TangentGroup(index: $0, summary: "weights of layer \($0)") }
      + [TangentGroup(index: depth + 1, summary: "weights of the output")]
      + (hasBiases ? [TangentGroup(index: depth + 2, summary: "all biases")] : [])
  }

  /// Of a residual network: 0 what puts the inputs in, 1 ... d the branches, d + 1 the output.
  static func residual(depth: Int) -> [TangentGroup] {
    [TangentGroup(index: 0, summary: "weights of the embedding")]
      + (1...depth).map { TangentGroup(index: $0, summary: "weights of the branch of layer \($0)") }
      + [TangentGroup(index: depth + 1, summary: "weights of the output")]
  }
}

/// What is measured of a neural tangent kernel, an m x m matrix.
public struct TangentKernelObservables: Sendable {
  /// Families of observables, as jobs name them.
  public enum Family: String, CaseIterable, Sendable {
    case kernel = "ntk"
    case block = "ntk_block"
    case logNorm = "log_ntk"
    case eigenvalue = "ntk_eigenvalue"
    case logEigenvalue = "log_ntk_eigenvalue"
    case logCondition = "log_ntk_condition"
  }

  let inputs: Int
  let families: [Family]
  package let groups: [TangentGroup]
  let hasBlocks: Bool
  private let hasEigenvalues: Bool
  /// What of the largest eigenvalue is rounding in a draw: every layer adds products of vectors of n entries, each of which is rounded.
  let rounding: Double

  /// Most entries of blocks.
  private static let most = 10_000

  /// - Parameter groups: those into which the kernel is divided.
  init(_ settings: NetworkSettings, groups: [TangentGroup]) {
    inputs = settings.count
    self.groups = groups
    rounding =
      Double(inputs * (settings.depth + 1)) * Triangular.rounding(m: inputs, rows: settings.width, merges: 1)
    let families = settings.own.compactMap(Family.init(rawValue:))
    self.families = families
    hasEigenvalues = [.eigenvalue, .logEigenvalue, .logCondition].contains { families.contains($0) }
    hasBlocks = families.contains(.block)
  }

  /// Numbers of the blocks, m x m each; none unless they are measured.
  package var blockRoom: Int { hasBlocks ? groups.count * inputs * inputs : 0 }

  /// - Throws: `Failure` where the blocks are too many.
  func check(_ p: Parameters) throws {
    guard blockRoom <= Self.most else {
      throw p.invalid(
        "observables",
        "must leave out \(Family.block.rawValue): \(groups.count) groups of \(inputs) x \(inputs) entries are above \(Self.most)"
      )
    }
  }

  package var observables: [Observable] {
    families.flatMap { family -> [Observable] in
      switch family {
      case .kernel:
        (0..<inputs).flatMap { a in
          (a..<inputs).map { Observable("NTK", [a, $0], role: .heavyTailed, "NTK_ab, a = \(a), b = \($0)") }
        }
      case .block:
        groups.flatMap { group in
          (0..<inputs).flatMap { a in
            (a..<inputs).map {
              Observable(
                "NTK_block", [group.index, a, $0], role: .heavyTailed,
                "what the \(group.summary) add to NTK_ab, a = \(a), b = \($0)")
            }
          }
        }
      case .logNorm: (0..<inputs).map { Observable("log_NTK", [$0], "log NTK_aa, a = \($0)") }
      case .eigenvalue:
        (0..<inputs).map {
          Observable(
            "NTK_eigenvalue", [$0], role: .heavyTailed,
            "eigenvalue \($0) of the NTK, the largest first; 0 where it is rounding of the largest")
        }
      case .logEigenvalue:
        (0..<inputs).map {
          Observable("log_NTK_eigenvalue", [$0], "log of eigenvalue \($0) of the NTK, the largest first")
        }
      case .logCondition:
        [Observable("log_NTK_condition", "log of the condition number of the NTK, largest over smallest eigenvalue")]
      }
    }
  }

  /// The observables of a kernel, m x m, in the order of `observables`, and whether they are smooth functions of it: eigenvalues that coincide are
  /// not, which move apart by the root of what moves the kernel.
  /// - Parameters:
  ///   - rounding: what of the largest eigenvalue is rounding.
  ///   - blocks: what the groups add, `blockRoom` numbers.
  package func values(
    _ kernel: [Double], blocks: [Double], rounding: Double
  ) -> (values: [Double], isSmooth: Bool) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: inputs * (inputs + 1)) { work in
      let values = [Double](unsafeUninitializedCapacity: observables.count) { buffer, count in
        count = buffer.count
        write(kernel, blocks: blocks, rounding: rounding, work: work.baseAddress!, to: buffer.baseAddress!)
      }
      let eigenvalues = UnsafeBufferPointer(start: work.baseAddress! + inputs * inputs, count: inputs)
      return (values, !hasEigenvalues || Self.areApart(Array(eigenvalues), rounding: rounding))
    }
  }

  /// Whether no two eigenvalues, the largest first, coincide to rounding.
  package static func areApart(_ eigenvalues: [Double], rounding: Double) -> Bool {
    zip(eigenvalues, eigenvalues.dropFirst()).allSatisfy { $0 - $1 > 16 * rounding * eigenvalues[0] }
  }

  /// - Parameters:
  ///   - blocks: what the groups add, group by group, m x m each; not read unless they are measured.
  ///   - rounding: what of the largest eigenvalue is rounding; that of draws unless given.
  ///   - work: room for `m (m + 1)` numbers.
  ///   - values: receives `observables.count` numbers.
  func write(
    _ kernel: UnsafePointer<Double>, blocks: UnsafePointer<Double>, rounding: Double? = nil,
    work: UnsafeMutablePointer<Double>,
    to values: UnsafeMutablePointer<Double>
  ) {
    let (m, rounding) = (inputs, rounding ?? self.rounding)
    let eigenvalues = work + m &* m
    if hasEigenvalues {
      Triangular.clippedCholesky(kernel, m: m, into: work)
      SingularValues.squares(work, m: m, into: eigenvalues)
      // A kernel that is not definite has the eigenvalue 0, and not what rounding makes of it.
      for a in 1..<max(m, 1) where eigenvalues[a] <= rounding * eigenvalues[0] { eigenvalues[a] = 0 }
    }
    var out = values
    func put(_ value: Double) {
      out.pointee = value
      out += 1
    }
    for family in families {
      switch family {
      case .kernel: for a in 0..<m { for b in a..<m { put(kernel[a &* m &+ b]) } }
      case .block:
        for g in 0..<groups.count {
          for a in 0..<m { for b in a..<m { put(blocks[(g &* m &+ a) &* m &+ b]) } }
        }
      case .logNorm: for a in 0..<m { put(Elementary.log(kernel[a &* m &+ a])) }
      case .eigenvalue: for a in 0..<m { put(eigenvalues[a]) }
      case .logEigenvalue: for a in 0..<m { put(Elementary.log(eigenvalues[a])) }
      case .logCondition: put(Elementary.log(eigenvalues[0] / eigenvalues[m &- 1]))
      }
    }
  }
}
