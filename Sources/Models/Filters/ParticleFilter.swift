import Experiments
import Kernels
import Randomness

/// A run of a particle filter on the observations, with smoothed functionals if its plan has backward draws. A draw is one run.
///
/// Exact at every number of particles: $E \hat Z = Z$ and $E[\hat Z \hat h] = Z\, E[h | y]$; the variance of $\hat Z$ of hidden Markov models where particles are selected multinomially at every step.
package struct ParticleFilter<Model: StateSpaceModel>: DrawnProblem, SmoothingProblem {
  let model: Model
  let plan: FilterPlan
  package let smoothed: SmoothedValues?
  package let attributes: [String: String]
  /// What particles estimate with a bias of order 1/N.
  package var estimated: [[String]] { plan.backward > 0 ? [model.names] : [] }

  package init(_ model: Model, _ plan: FilterPlan, attributes: [String: String] = [:]) {
    (self.model, self.plan, self.attributes) = (model, plan, attributes)
    smoothed = model.exact
  }

  package var axis: Axis { .observations(model.length) }

  package var observables: [Observable] {
    var all = [
      Observable("log_evidence", "log of the estimate of Z; -infinity where all weights became 0"),
      Observable(
        "effective_share", role: .auxiliary, "effective number of particles over N, mean over the observations"),
      Observable(
        "observations_used", role: .auxiliary, unit: "observations",
        "observations taken in before all weights were 0: T unless the filter stopped"),
      Observable("stopped", role: .failure, "1 where all weights became 0, which ends the run"),
    ]
    if smoothed != nil {
      all.append(Observable("evidence_ratio", role: .heavyTailed, "estimate of Z over Z; 0 where the filter stopped"))
    }
    guard plan.backward > 0 else { return all }
    all += [
      Observable("proposals", role: .auxiliary, "proposals a backward draw"),
      Observable("exact_backward", role: .auxiliary, "share of backward draws that looked at all particles"),
    ]
    for functional in model.functionals {
      all.append(Observable(functional.name, functional.indices, functional.summary))
    }
    guard smoothed != nil else { return all }
    return all
      + model.functionals.map {
        Observable(
          "weighted_\($0.name)", $0.indices, role: .heavyTailed,
          "\($0.name) times evidence_ratio, of which the mean is E[h | y] at every N")
      }
  }

  package var known: [KnownStatistic] {
    guard let smoothed else { return [] }
    var all = [KnownStatistic(.mean, of: "evidence_ratio", 1)]
    if plan.scheme == .multinomial, plan.threshold >= 1, plan.proposal == .bootstrap,
      let square = model.evidenceSecondMoment(particles: plan.particles)
    {
      all.append(KnownStatistic(.variance, of: "evidence_ratio", square - 1))
    }
    if plan.backward > 0 {
      all += zip(model.names, smoothed.functionals).map { KnownStatistic(.mean, of: "weighted_\($0)", $1) }
    }
    return all
  }

  package func makeState() -> FilterPass<Model> { FilterPass(model, plan) }

  package func draw(_ pass: FilterPass<Model>, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    let ended = pass.run(model, &stream)
    var next = write(
      logEvidence: pass.logEvidence, effectiveShare: pass.effectiveShare, used: pass.used, ended: ended, into: values)
    guard plan.backward > 0 else { return }
    let draws = Double(max(pass.backwardDraws, 1))
    (values[next], values[next + 1]) = (Double(pass.proposals) / draws, Double(pass.fallbacks) / draws)
    next += 2
    let count = model.functionals.count
    for f in 0..<count {
      values[next + f] = ended ? pass.estimates[f] : .nan
      if smoothed != nil { values[next + count + f] = ended ? values[4] * pass.estimates[f] : 0 }
    }
  }

  /// Writes what every run measures, and says how many numbers that are.
  func write(
    logEvidence: Double, effectiveShare: Double, used: Int, ended: Bool, into values: UnsafeMutablePointer<Double>
  ) -> Int {
    (values[0], values[1], values[2], values[3]) = (logEvidence, effectiveShare, Double(used), ended ? 0 : 1)
    guard let smoothed else { return 4 }
    values[4] = Elementary.exp(logEvidence - smoothed.logEvidence)
    return 5
  }
}

extension StateSpaceModel {
  /// Names of the functionals as observables have them.
  package var names: [String] { functionals.map { Observable($0.name, $0.indices, $0.summary).name } }
}

extension Axis {
  /// Of runs with one record: the number of observations.
  static func observations(_ count: Int) -> Axis {
    Axis(
      name: "observations", unit: "observations", summary: "observations that a run takes in", values: [Double(count)])
  }

  /// Of sweeps or iterations, from 1.
  static func counts(_ name: String, _ count: Int, _ summary: String) -> Axis {
    Axis(name: name, summary: summary, values: (1...count).map(Double.init))
  }
}

/// What limits read of a problem that estimates smoothed functionals.
package protocol SmoothingProblem: DrawnProblem {
  /// What is known without particles.
  var smoothed: SmoothedValues? { get }
  /// Names of observables that estimate E[h | y], a list each over the functionals.
  var estimated: [[String]] { get }
}
