import Archive
import Calibration
import Foundation

// What `make calibrate` runs: every kind of verdict with a true and a false statement, of a number of seeds each, in one process.
//
//     fathom-calibrate SEEDS FOLDER [KIND ...]
//
// FOLDER/runs.csv holds what is done: a command that is repeated, also after a kill, continues there; another build of the program starts from nothing.
// FOLDER/summary.tsv is the table of all kinds; with KINDs there is none. Ends with 1 where a kind is not calibrated.

let words = CommandLine.arguments.dropFirst()
guard words.count >= 2, let seeds = Int(words[1]), seeds >= 2 else {
  print("usage: fathom-calibrate SEEDS FOLDER [KIND ...], at least 2 seeds")
  exit(64)
}
let folder = words[2]
let wanted = Set(words.dropFirst(2))
let names = Calibration.kinds.map(\.name)
if let unknown = wanted.first(where: { !names.contains($0) }) {
  print("calibrate: no kind \(unknown); there are \(names.joined(separator: ", "))")
  exit(64)
}

func digest(_ bytes: [UInt8]) throws -> String {
  var hash = try SHA256()
  try hash.update(bytes)
  return try String(hash.finalize().prefix(16))
}

let program = try digest([UInt8](Data(contentsOf: URL(fileURLWithPath: "/proc/self/exe"))))
let ledger = try Ledger("\(folder)/runs.csv")

@MainActor func outcomes(_ kind: Kind, _ side: Kind.Side) throws -> [Outcome] {
  let statement = kind.statement(side)
  let texts = [program, statement.job, "\(statement.effect)"] + statement.finite
  let identity = try digest([UInt8](texts.joined(separator: "\n").utf8))
  return try (1...seeds).map { seed in
    let entry = Ledger.Entry(digest: identity, kind: kind.name, side: side, seed: seed)
    if let done = ledger.outcome(entry) { return done }
    let outcome = try kind.run(side, seed: seed)
    try ledger.add(entry, outcome)
    return outcome
  }
}

var findings: [Finding] = []
for kind in Calibration.kinds where wanted.isEmpty || wanted.contains(kind.name) {
  let start = Date()
  let finding = try Finding(
    kind, truth: outcomes(kind, .truth), falsehood: outcomes(kind, .falsehood), kinds: Calibration.kinds.count)
  findings.append(finding)
  print("\(finding.sentence) (\(Int(Date().timeIntervalSince(start).rounded())) s)")
  fflush(nil)
}
guard wanted.isEmpty else { exit(findings.contains(where: \.isWrong) ? 1 : 0) }
let table = ([Finding.header] + findings.map(\.line)).map { $0 + "\n" }.joined()
try table.write(toFile: "\(folder)/summary.tsv", atomically: true, encoding: .utf8)
exit(findings.contains(where: \.isWrong) ? 1 : 0)
