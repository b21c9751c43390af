import Calibration
import Foundation
import Testing

/// The calibration of `make calibrate` in a reduced size, and what it rests on.
@Suite struct CalibrationTests {
  /// With 40 seeds (replicas: 10) two false alarms are usual and eight too many; the probability of any finding is below 1e-3 for all kinds together.
  @Test("Words are as often wrong as alpha says, and detect what they print", arguments: Calibration.kinds.map(\.name))
  func calibrated(name: String) throws {
    let kind = try #require(Calibration.kinds.first { $0.name == name })
    let seeds = kind.truth.job.contains("[particles]") ? 10 : 40
    func outcomes(_ side: Kind.Side) throws -> [Outcome] { try (1...seeds).map { try kind.run(side, seed: $0) } }
    let finding = try Finding(
      kind, truth: outcomes(.truth), falsehood: outcomes(.falsehood), kinds: Calibration.kinds.count)
    #expect(!finding.isWrong, "\(finding.sentence)")
    // Effects that are always or never seen say nothing about the power.
    #expect((0.4...0.97).contains(finding.power), "\(finding.sentence)")
  }

  @Test("Too many alarms and too little power are found")
  func wrong() {
    let kind = Calibration.kinds[0]
    func outcomes(_ differing: Int) -> [Outcome] {
      (0..<300).map { Outcome(word: $0 < differing ? .differs : .undecided, power: 0.8) }
    }
    func finding(_ alarms: Int, _ detected: Int) -> Finding {
      Finding(kind, truth: outcomes(alarms), falsehood: outcomes(detected), kinds: 10)
    }
    #expect(finding(15, 240).ofAlarms == .calibrated && finding(15, 240).ofPower == .calibrated)
    #expect(finding(45, 240).ofAlarms == .wrong && finding(45, 240).isWrong)
    #expect(finding(0, 240).ofAlarms == .conservative && !finding(0, 240).isWrong)
    #expect(finding(15, 200).ofPower == .wrong && finding(15, 200).isWrong)
    #expect(finding(15, 280).ofPower == .conservative && !finding(15, 280).isWrong)
  }

  /// Against sums of binomial probabilities: P(X > 2) = 0.0702 and P(X < 0) = 0 of 10 trials at 0.1, P(X > 3) = 0.0128.
  @Test("Binomial ranges")
  func binomial() {
    #expect(Binomial.range(10, 0.1, level: 0.15) == 0...2)
    #expect(Binomial.range(10, 0.1, level: 0.13) == 0...3)
    // P(X < 4) = 0.0547 = P(X > 6) of 11 outcomes at 1/2: 1 + 10 + 45 + 120 of 1024 is 0.172, 1 + 10 + 45 is 0.0547.
    #expect(Binomial.range(10, 0.5, level: 0.2) == 3...7)
    #expect(Binomial.range(10, 0.5, level: 0.4) == 4...6)
    #expect(Binomial.range(10, 0, level: 0.1) == 0...0 && Binomial.range(10, 1, level: 0.1) == 10...10)
  }

  @Test("The ledger continues where it was, without a line that was cut, and not with runs of another program")
  func ledger() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "ledger-\(UUID().uuidString)/runs.csv").path
    defer { try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent) }
    func entry(_ seed: Int, digest: String = "a") -> Ledger.Entry {
      Ledger.Entry(digest: digest, kind: "z", side: .truth, seed: seed)
    }
    let outcome = Outcome(word: .differs, power: 0.1 + 0.2)
    do {
      let ledger = try Ledger(path)
      for seed in 1...3 { try ledger.add(entry(seed), outcome) }
    }
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    for cut in 1..<10 {
      try whole.dropLast(cut).write(to: URL(fileURLWithPath: path))
      let ledger = try Ledger(path)
      #expect(ledger.outcome(entry(2)) == outcome && ledger.outcome(entry(3)) == nil)
      #expect(ledger.outcome(entry(2, digest: "b")) == nil)
      try ledger.add(entry(3), outcome)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == whole)
    }
  }

  @Test("Names fit into the lines of the ledger, each once")
  func names() {
    let names = Calibration.kinds.map(\.name)
    #expect(Set(names).count == names.count && names.allSatisfy { !$0.contains(",") })
    #expect(Calibration.kinds.allSatisfy { $0.falsehood.effect > 0 })
  }
}
