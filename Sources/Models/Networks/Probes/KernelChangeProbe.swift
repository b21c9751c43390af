import Experiments
import Kernels
import Randomness

extension Probe {
  package static let kernelChange = Probe(
    name: "dntk", summary: "the change of the tangent kernel under gradient flow, of the first output",
    equation:
      "dNTK_abc = g_b . (Hessian of f_a) g_c, g = grad f in the metric of the learning rates; d NTK_ab / dt = dNTK_abc + dNTK_bac under dw/dt = g_c",
    reference: "arXiv:2106.10165, ch. 11; arXiv:2210.04909",
    observables: KernelChangePass.Family.allCases.map(\.rawValue),
    defaults: [KernelChangePass.Family.change.rawValue],
    isOfWholeNetwork: true, passes: KernelChangePass.self)
}

/// Second derivatives of the output along gradients of outputs: a forward pass of Taylor coefficients along the direction $(\delta b, \delta W) =
/// (\lambda_b D, \lambda_W D \phi^\top / n)$ of each pair of inputs.
struct KernelChangePass: PassProbe {
  /// Most inputs: the products of three are as many as their cube.
  private static let most = 8

  enum Family: String, CaseIterable, Sendable {
    case change = "dntk"
    case withOutput = "f_dntk"
  }

  private let inputs, width: Int
  private let families: [Family]

  init(_ p: Parameters, _ network: PassSettings) throws {
    (inputs, width) = (network.network.count, network.network.width)
    families = network.network.own.compactMap(Family.init(rawValue:))
    guard inputs <= Self.most else {
      throw p.invalid("probes", "\(Probe.kernelChange.name) takes at most \(Self.most) inputs, not \(inputs)")
    }
  }

  /// Input a, and the pair b <= c of directions.
  private var triples: [(a: Int, b: Int, c: Int)] {
    (0..<inputs).flatMap { a in (0..<inputs).flatMap { b in (b..<inputs).map { (a, b, $0) } } }
  }

  var observables: [Observable] {
    families.flatMap { family -> [Observable] in
      if family == .withOutput {
        return (0..<inputs).map {
          Observable("f_dNTK", [$0], role: .heavyTailed, "f_a dNTK_aaa, a = \($0)")
        }
      }
      return triples.map {
        Observable(
          "dNTK", [$0.a, $0.b, $0.c], role: .heavyTailed,
          "g_b . (Hessian of f_a) g_c, a = \($0.a), b = \($0.b), c = \($0.c)")
      }
    }
  }

  var needs: PassNeeds {
    let vectors = inputs * inputs + triples.count
    return PassNeeds(
      gradients: true, curvature: true, forward: vectors, numbers: 2 * Double(vectors) * Double(width))
  }

  func makeMeter() -> any PassMeter { Meter(inputs, width, triples, families) }

  private final class Meter: PassMeter {
    let triples: [(a: Int, b: Int, c: Int)]
    let families: [Family]
    var change: [Double]
    /// First coefficients of input a along g_b in column `a m + b`, second ones by triple; in the buffers of a layer and the next.
    private let first, second: (now: Columns, next: Columns)
    /// Of a column in the layer before, where layers are residual.
    private let before: Columns

    init(_ inputs: Int, _ width: Int, _ triples: [(a: Int, b: Int, c: Int)], _ families: [Family]) {
      (self.triples, self.families) = (triples, families)
      change = Array(repeating: 0, count: triples.count)
      first = (Columns(inputs * inputs, rows: width), Columns(inputs * inputs, rows: width))
      second = (Columns(triples.count, rows: width), Columns(triples.count, rows: width))
      before = Columns(1, rows: width)
    }

    func measure(_ passes: Passes, _ stream: inout Stream, to values: UnsafeMutablePointer<Double>) {
      taylor(passes, &stream)
      var out = values
      for family in families {
        for (place, triple) in triples.enumerated() {
          if family == .change {
            out.pointee = change[place]
          } else if triple.a == triple.b && triple.b == triple.c {
            out.pointee = passes.values[triple.a] * change[place]
          } else {
            continue
          }
          out += 1
        }
      }
    }

    private func taylor(_ passes: Passes, _ stream: inout Stream) {
      let (m, n, d) = (passes.inputs, passes.width, passes.depth)
      for layer in 1...d {
        let (scale, skip) = (passes.settings.scale(layer), passes.settings.skip(layer))
        let weightRate = passes.settings.weightRate(layer) / Double(n)
        let (post, slopes, curvatures) = (
          passes.post[layer &- 1], passes.slopes[layer &- 1], passes.curvatures[layer &- 1]
        )
        let gradients = passes.gradients[layer &- 1]
        let below = layer > 1 ? passes.post[layer &- 2] : post
        // Of the pre-activations, from what `now` holds of the post-activations below.
        for a in 0..<m {
          for b in 0..<m {
            let target = first.next[a &* m &+ b]
            if layer > 1 {
              if skip != 0 { before[0].update(from: target, count: before.stride) }
              passes.matrices[layer &- 1].multiply(first.now[a &* m &+ b], into: target, &stream)
            } else {
              for i in 0..<first.next.stride { target[i] = 0 }
            }
            let x = passes.increments[((layer &- 1) &* m &+ a) &* m &+ b]
            let gradient = gradients[b]
            for i in 0..<n { target[i] = (scale * target[i]).addingProduct(x, gradient[i]) }
            if skip != 0 { for i in 0..<n { target[i] = target[i].addingProduct(skip, before[0][i]) } }
          }
        }
        for (place, (a, b, c)) in triples.enumerated() {
          let target = second.next[place]
          guard layer > 1 else {
            for i in 0..<second.next.stride { target[i] = 0 }
            continue
          }
          if skip != 0 { before[0].update(from: target, count: before.stride) }
          passes.matrices[layer &- 1].multiply(second.now[place], into: target, &stream)
          let x = weightRate * Triangular.dot(below[b], first.now[a &* m &+ c], below.stride)
          let y = weightRate * Triangular.dot(below[c], first.now[a &* m &+ b], below.stride)
          let (left, right) = (gradients[b], gradients[c])
          for i in 0..<n {
            target[i] = (scale * target[i]).addingProduct(x, left[i]).addingProduct(y, right[i])
          }
          if skip != 0 { for i in 0..<n { target[i] = target[i].addingProduct(skip, before[0][i]) } }
        }
        // Of the post-activations.
        for (place, (a, b, c)) in triples.enumerated() {
          let (target, source) = (second.now[place], second.next[place])
          let (x, y) = (first.next[a &* m &+ b], first.next[a &* m &+ c])
          let (slope, bend) = (slopes[a], curvatures[a])
          for i in 0..<n { target[i] = (slope[i] * source[i]).addingProduct(bend[i] * x[i], y[i]) }
        }
        for a in 0..<m {
          for b in 0..<m {
            let (target, source, slope) = (first.now[a &* m &+ b], first.next[a &* m &+ b], slopes[a])
            for i in 0..<n { target[i] = slope[i] * source[i] }
          }
        }
      }
      let top = passes.post[d &- 1]
      let scale = passes.settings.scale(d &+ 1)
      let weightRate = passes.settings.weightRate(d &+ 1) / Double(n)
      // f has a factor n^(-s/2), the rates n^s.
      let root = passes.settings.power(0.5 * passes.settings.exponent)
      for (place, (a, b, c)) in triples.enumerated() {
        let x = Triangular.dot(top[b], first.now[a &* m &+ c], top.stride)
        let y = Triangular.dot(top[c], first.now[a &* m &+ b], top.stride)
        let own = Triangular.dot(passes.readout[0], second.now[place], top.stride)
        change[place] = root * (scale * own + weightRate * (x + y))
      }
    }
  }
}
