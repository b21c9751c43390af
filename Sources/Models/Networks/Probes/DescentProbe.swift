import Experiments
import Kernels
import Randomness

extension Probe {
  package static let descent = Probe(
    name: "descent", summary: "the first output and its tangent kernel after steps of gradient descent on all weights",
    equation:
      "w <- w - eta n^s lambda dL/dw, L = (1/2) sum_a (f_a - y_a)^2, f = n^(-s/2) f_0; learned_a = n^(1-s) (NTK_aa after all steps / NTK_aa before - 1)",
    reference: "arXiv:2210.04909; arXiv:2106.10165, ch. 11",
    observables: DescentPass.Family.allCases.map(\.rawValue), defaults: [DescentPass.Family.learned.rawValue],
    isOfWholeNetwork: true,
    parameters: [
      Parameter("steps", .integer(1...10_000), optional: true, "steps of gradient descent; 1 unless given"),
      Parameter(
        "eta", .real(.above(0)), optional: true, small: .init(.direct, "eta", companions: ["steps"]),
        "learning rate, times those of kernels; 0.1 unless given"),
      Parameter("targets", .structured(DescentPass.words), optional: true, "targets y_a; 1 unless given"),
    ], passes: DescentPass.self)
}

/// Full-batch gradient descent: after t steps a weight matrix is the drawn one and a matrix of rank m t, of which the
/// factors are kept. So a step asks each matrix 2 m further questions, and costs O(n m^2 t) a layer.
struct DescentPass: PassProbe {
  static let words = "an array of a number for each input"

  enum Family: String, CaseIterable, Sendable {
    case learned
    case output = "f_trained"
  }

  private let inputs, width, depth, steps: Int
  private let rate: Double
  let targets: [Double]
  private let families: [Family]

  init(_ p: Parameters, _ network: PassSettings) throws {
    (inputs, width, depth) = (network.network.count, network.network.width, network.depth)
    families = network.network.own.compactMap(Family.init(rawValue:))
    steps = p["steps"] != nil ? p.integer("steps") : 1
    rate = p["eta"] != nil ? p.real("eta") : 0.1
    var targets = Array(repeating: 1.0, count: inputs)
    if let given = p["targets"] {
      guard case .list(let items) = given, items.count == inputs, items.allSatisfy({ $0.number?.isFinite == true })
      else { throw p.invalid("targets", "must be \(Self.words): \(inputs) here") }
      targets = items.map { $0.number! }
    }
    self.targets = targets
  }

  var observables: [Observable] {
    families.flatMap { family in
      (0..<inputs).map {
        switch family {
        case .learned:
          Observable(family.rawValue, [$0], "n^(1-s) (NTK_aa after \(steps) steps / NTK_aa - 1), a = \($0)")
        case .output: Observable(family.rawValue, [$0], "f_a after \(steps) steps, a = \($0)")
        }
      }
    }
  }

  var needs: PassNeeds {
    PassNeeds(
      gradients: true, forward: inputs * steps, backward: inputs * steps,
      numbers: Double(depth) * Double(width) * Double(inputs) * Double(2 * steps + 3))
  }

  func makeMeter() -> any PassMeter { Meter(self) }

  private final class Meter: PassMeter {
    private let probe: DescentPass
    /// phi(z_l) and D^l of the layers 1 ... d, input a and step t in column `t m + a`.
    private let post, gradients: [Columns]
    private let slopes: [Columns]
    /// The residual stream of a forward pass.
    private let residual: Columns
    /// What a step adds along each of these: $-\eta$ times the residual.
    private var moves: [Double]
    /// f_0 at the start and now, and NTK_aa likewise.
    private var outputs, now, before, after: [Double]

    init(_ probe: DescentPass) {
      self.probe = probe
      let (m, n, t) = (probe.inputs, probe.width, probe.steps)
      post = (0..<probe.depth).map { _ in Columns(m * (t + 1), rows: n) }
      gradients = (0..<probe.depth).map { _ in Columns(m * (t + 1), rows: n) }
      slopes = (0..<probe.depth).map { _ in Columns(m, rows: n) }
      residual = Columns(m, rows: n)
      moves = Array(repeating: 0, count: m * t)
      outputs = Array(repeating: 0, count: m)
      (now, before, after) = (outputs, outputs, outputs)
    }

    func measure(_ passes: Passes, _ stream: inout Stream, to values: UnsafeMutablePointer<Double>) {
      let m = probe.inputs
      let settings = passes.settings
      start(passes)
      for a in 0..<m { before[a] = kernel(passes, a, at: 0) }
      // f = n^(-s/2) f_0, and rates times n^s.
      let (root, rate) = (
        settings.power(-0.5 * settings.exponent), probe.rate * settings.power(0.5 * settings.exponent)
      )
      for step in 0..<probe.steps {
        for a in 0..<m { moves[step &* m &+ a] = -rate * (root * now[a] - probe.targets[a]) }
        forward(passes, after: step &+ 1, &stream)
        backward(passes, after: step &+ 1, &stream)
      }
      for a in 0..<m { after[a] = kernel(passes, a, at: probe.steps) }
      let scale = settings.power(1 - settings.exponent)
      var out = values
      for family in probe.families {
        for a in 0..<m {
          switch family {
          // A network of which nothing reaches the output learns nothing.
          case .learned: out.pointee = before[a] == 0 ? 0 : scale * (after[a] - before[a]) / before[a]
          case .output: out.pointee = root * now[a]
          }
          out += 1
        }
      }
    }

    /// What the passes have found.
    private func start(_ passes: Passes) {
      for layer in 0..<probe.depth {
        for a in 0..<probe.inputs {
          post[layer][a].update(from: passes.post[layer][a], count: post[layer].stride)
          gradients[layer][a].update(from: passes.gradients[layer][a], count: gradients[layer].stride)
        }
      }
      for a in 0..<probe.inputs {
        outputs[a] = passes.plainOutput(a)
        now[a] = outputs[a]
      }
    }

    /// $\lambda_b + \lambda_W \phi \cdot \phi' / n$ of two columns of a layer, or of two inputs.
    private func increment(_ passes: Passes, _ layer: Int, _ column: Int, _ other: Int) -> Double {
      let m = probe.inputs
      if layer == 0 { return passes.increments[(column % m) &* m &+ other % m] }
      let product = Triangular.dot(post[layer &- 1][column], post[layer &- 1][other], post[0].stride)
      return passes.settings.increment(into: layer &+ 1, product / Double(probe.width))
    }

    private func forward(_ passes: Passes, after step: Int, _ stream: inout Stream) {
      let (m, n, d) = (probe.inputs, probe.width, probe.depth)
      let scale = passes.settings.scale(d &+ 1)
      for layer in 1...d {
        let skip = passes.settings.skip(layer)
        for a in 0..<m {
          let place = step &* m &+ a
          let target = post[layer &- 1][place]
          passes.ask(layer, layer == 1 ? nil : post[layer &- 2][place], of: a, into: target, &stream)
          for k in 0..<step &* m {
            let x = moves[k] * increment(passes, layer &- 1, k, place)
            let direction = gradients[layer &- 1][k]
            for i in 0..<n { target[i] = target[i].addingProduct(x, direction[i]) }
          }
          for i in n..<post[layer &- 1].stride { target[i] = 0 }
          if skip != 0 { for i in 0..<n { target[i] = target[i].addingProduct(skip, residual[a][i]) } }
          residual[a].update(from: target, count: residual.stride)
          passes.activate(layer, target, slopes: slopes[layer &- 1][a], curvatures: nil)
        }
      }
      let (top, v) = (post[d &- 1], passes.readout[0])
      for a in 0..<m {
        let place = step &* m &+ a
        now[a] =
          outputs[a] + scale * (Triangular.dot(v, top[place], top.stride) - Triangular.dot(v, top[a], top.stride))
        for k in 0..<step &* m { now[a] += moves[k] * increment(passes, d, k, place) }
      }
    }

    private func backward(_ passes: Passes, after step: Int, _ stream: inout Stream) {
      let (m, n, d) = (probe.inputs, probe.width, probe.depth)
      for layer in (1...d).reversed() {
        let (scale, skip) = (passes.settings.scale(layer &+ 1), passes.settings.skip(layer &+ 1))
        let rate = passes.settings.weightRate(layer &+ 1) / Double(n)
        for a in 0..<m {
          let place = step &* m &+ a
          let target = gradients[layer &- 1][place]
          if layer == d {
            for i in 0..<n { target[i] = scale * passes.readout[0][i] }
          } else {
            passes.matrices[layer].multiplyTransposed(gradients[layer][place], into: target, &stream)
            for i in 0..<n { target[i] *= scale }
          }
          for k in 0..<step &* m {
            let above =
              layer == d ? 1 : Triangular.dot(gradients[layer][k], gradients[layer][place], gradients[layer].stride)
            let (x, direction) = (rate * moves[k] * above, post[layer &- 1][k])
            for i in 0..<n { target[i] = target[i].addingProduct(x, direction[i]) }
          }
          let slope = slopes[layer &- 1][a]
          for i in 0..<n { target[i] *= slope[i] }
          if skip != 0 && layer < d {
            let above = gradients[layer][place]
            for i in 0..<n { target[i] = target[i].addingProduct(skip, above[i]) }
          }
          for i in n..<gradients[layer &- 1].stride { target[i] = 0 }
        }
      }
    }

    /// NTK_aa after a given number of steps.
    private func kernel(_ passes: Passes, _ a: Int, at step: Int) -> Double {
      let place = step &* probe.inputs &+ a
      return (0..<probe.depth).reduce(increment(passes, probe.depth, place, place)) { sum, layer in
        let column = gradients[layer][place]
        return sum + Triangular.dot(column, column, gradients[layer].stride) * increment(passes, layer, place, place)
      }
    }
  }
}
