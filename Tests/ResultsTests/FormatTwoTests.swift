import Archive
import Experiments
import Foundation
import Testing

import Results

/// Files that the program of format 2 wrote, and what it printed of them.
@Suite struct FormatTwoTests {
  static let names = ["network", "particles", "unfinished", "health"]

  private func sample(_ name: String) -> String { Bundle.module.resourcePath! + "/Format2/" + name }

  @Test(arguments: names) func digestsAreThoseThatWerePrinted(name: String) throws {
    let snapshot = try ResultFile.verified(sample(name + ".h5"))
    let printed = try String(contentsOfFile: sample(name + ".txt"), encoding: .utf8)
    let digest = try Digest.of(snapshot.states)
    #expect(printed.contains("digest \(digest)"))
    #expect(snapshot.job.streamVersion == 1 && snapshot.isFinished == (name != "unfinished"))
    #expect(try Report(snapshot).text.contains("note: "))
    if name == "unfinished" { #expect(snapshot.states[0].begun.count == 1) }
  }

  /// All numbers of the legs in the JSON report are those that were printed.
  @Test(arguments: names) func legsAreThoseThatWerePrinted(name: String) throws {
    let snapshot = try ResultFile.load(sample(name + ".h5"))
    func object(_ data: Data) throws -> NSDictionary { try JSONSerialization.jsonObject(with: data) as! NSDictionary }
    let new = try object(Data(Report(snapshot).json().utf8))
    let old = try object(Data(contentsOf: URL(fileURLWithPath: sample(name + ".json"))))
    for (a, b) in zip(old["cases"] as! [NSDictionary], new["cases"] as! [NSDictionary]) {
      #expect(a["label"] as? String == b["label"] as? String)
      for (a, b) in zip(a["legs"] as! [NSDictionary], b["legs"] as! [NSDictionary]) {
        #expect(a["draws"] as? Int == b["draws"] as? Int && a["name"] as? String == b["name"] as? String)
        let (a, b) = (a["observables"] as! [NSDictionary], b["observables"] as! [NSDictionary])
        #expect(a.count == b.count)
        for (a, b) in zip(a, b) {
          for (key, value) in a { #expect((value as! NSObject).isEqual(b[key]), "\(name): \(key)") }
        }
      }
    }
  }

  @Test func rolesAndIndicesAreInferred() throws {
    let network = try ResultFile.load(sample("network.h5")).job.cases[0].legs[0]
    #expect(network.observables.map(\.family) == ["V"] && network.observables[0].indices == [0, 0])
    #expect(network.observables[0].role == .heavyTailed && network.axis.name == "layer" && network.process == nil)
    let particles = try ResultFile.load(sample("particles.h5")).job.cases[0]
    #expect(particles.finite!.observables.map(\.role) == [.quantity, .quantity, .energy, .certificate])
    #expect(particles.finite!.process?.frame?.timeStep == 0.05 && particles.legs.last?.role == .refinement)
    #expect(particles.legs[2].refines?.parameter == "number" && particles.legs[3].refines?.symbol == "h")
    #expect(try ResultFile.load(sample("health.h5")).job.cases[0].legs[0].observables.last?.role == .failure)
  }

  /// A table that does not follow from the state, and a state that is not whole.
  @Test func tamperedFilesAreFound() throws {
    let folder = try Folder()
    for (name, datasets) in [
      ("network", ["/cases/network.width=8/network/mean", "/state/2/words", "/provenance/job"]),
      ("particles", ["/cases/main/particles/replica_value", "/state/0/replicas/rows", "/state/0/replicas/ids"]),
    ] {
      for dataset in datasets {
        for kind in [Forger.Kind.missing, .half, .type] {
          try Forger.copy(sample(name + ".h5"), to: folder("x.h5"), changing: dataset, kind)
          #expect("\(dataset), \(kind)") { try ResultFile.verified(folder("x.h5")) } throws: {
            ($0 as? Failure)?.status == .badData
          }
        }
      }
      for more in ["/state/0/more", "/cases/more"] {
        try Forger.copy(sample(name + ".h5"), to: folder("x.h5"), adding: more)
        #expect { try ResultFile.verified(folder("x.h5")) } throws: { "\($0)".contains(more) }
      }
    }
  }
}
