import Experiments
import Statistics

/// What is made of a result once its draws are counted: tables that people read, and verdicts.
///
/// An analysis asks for roles, refinements, small parameters and the facts of a process; it knows no family, no key and
/// no observable by name.
package protocol Analysis {
  /// All in one group of the file.
  var tables: [Table] { get }
  /// Empty where nothing is judged.
  var verdicts: [Verdict] { get }
}

/// What an analysis says of one case, or of one sweep.
package struct Verdict: Sendable, Equatable {
  /// The reference that was compared with, or what was analysed: `covariance-sde`, `covariance-sde remainder`,
  /// `stationarity`.
  package let subject: String
  /// Label of the case, or of the sweep.
  package let caseLabel: String
  package let word: Word
  package let sentence: String

  /// What is found by a test, or proved.
  package enum Word: String, Sendable, CaseIterable { case agrees, differs, undecided, proved }

  package init(subject: String, caseLabel: String, word: Equivalence, sentence: String) {
    self.init(subject: subject, caseLabel: caseLabel, word: Word(rawValue: word.rawValue)!, sentence: sentence)
  }

  package init(subject: String, caseLabel: String, word: Word, sentence: String) {
    self.subject = subject
    self.caseLabel = caseLabel
    self.word = word
    self.sentence = sentence
  }
}

/// The analyses of a result: the report, the file and `fathom check` all use these.
package enum Analyses {
  package static func all(_ snapshot: Snapshot) -> [any Analysis] {
    let comparisons = comparisons(snapshot)
    return comparisons + estimands(snapshot) + scalings(snapshot, comparisons) + depthLaws(snapshot)
      + trends(snapshot) + transfers(snapshot) + claims(snapshot) + diagnostics(snapshot) + health(snapshot)
  }

  /// One for every leg that proves something.
  package static func claims(_ snapshot: Snapshot) -> [Claims] {
    snapshot.job.cases.flatMap { item in
      item.legs.compactMap { leg in
        snapshot.state(item.path(of: leg)).flatMap { Claims(caseLabel: item.label, leg: leg, state: $0) }
      }
    }.numbered { $0.index = $1 }
  }

  /// One for every leg of draws that has some.
  package static func estimands(_ snapshot: Snapshot) -> [Estimands] {
    snapshot.job.cases.flatMap { item in
      item.legs.compactMap { leg in
        snapshot.state(item.path(of: leg)).flatMap { Estimands(caseLabel: item.label, leg: leg, state: $0) }
      }
    }.numbered { $0.index = $1 }
  }

  /// Every finite leg against every reference of its case, as far as there are draws.
  package static func comparisons(_ snapshot: Snapshot) -> [Comparison] {
    snapshot.job.cases.flatMap { CaseComparisons($0, snapshot)?.results ?? [] }.numbered { $0.index = $1 }
  }

  /// Every extrapolation: in the cases of sweeps over a small parameter, and from refined legs.
  /// - Parameter comparisons: those of the same snapshot, if they are at hand.
  package static func scalings(_ snapshot: Snapshot, _ comparisons: [Comparison]? = nil) -> [Scaling] {
    Scaling.all(snapshot, comparisons ?? self.comparisons(snapshot)).numbered { $0.index = $1 }
  }

  /// Laws over depth, for a job that asks for them: of the layers of every case, and of every sweep of depths.
  package static func depthLaws(_ snapshot: Snapshot) -> [DepthLaws] {
    snapshot.job.exponents.map { DepthLaws.all(snapshot, $0).numbered { $0.index = $1 } } ?? []
  }

  /// One for every leg of replicas that has some.
  package static func diagnostics(_ snapshot: Snapshot) -> [Diagnostics] {
    // The probability of a false alarm is shared by all certificates of the job.
    let certificates = snapshot.job.sampledLegs.count {
      $0.leg.process?.schedule.warmUp ?? 0 > 0 && $0.leg.schema.place(of: .certificate) != nil
    }
    let alpha = snapshot.tolerances.alpha / Double(max(1, certificates))
    return snapshot.job.cases.flatMap { item in
      item.legs.compactMap { leg in
        snapshot.state(item.path(of: leg)).flatMap {
          Diagnostics(caseLabel: item.label, leg: leg, state: $0, alpha: alpha)
        }
      }
    }.numbered { $0.index = $1 }
  }

  /// One for every sweep of a size along which logarithms are measured.
  package static func trends(_ snapshot: Snapshot) -> [Trends] {
    Sweep.all(snapshot.job).compactMap { Trends($0, snapshot) }.numbered { $0.index = $1 }
  }

  /// One for every key that is tuned and swept.
  package static func transfers(_ snapshot: Snapshot) -> [Transfers] {
    Transfers.all(snapshot).numbered { $0.index = $1 }
  }

  /// One for every case of a job that asks for it.
  package static func health(_ snapshot: Snapshot) -> [Health] {
    guard let threshold = snapshot.job.healthThreshold else { return [] }
    return snapshot.job.cases.compactMap { item in
      item.finite.flatMap { leg in
        snapshot.state(item.path(of: leg)).flatMap {
          Health(
            caseLabel: item.label, leg: leg, tally: $0.tally, threshold: threshold,
            level: 0.05 * snapshot.job.levelShare)
        }
      }
    }.numbered { $0.index = $1 }
  }
}

extension Array {
  fileprivate func numbered(_ set: (inout Element, Int) -> Void) -> [Element] {
    enumerated().map { index, element in
      var result = element
      set(&result, index)
      return result
    }
  }
}
