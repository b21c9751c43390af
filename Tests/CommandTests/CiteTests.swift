import Foundation
import Support
import Testing

extension Commands {
  /// `fathom cite`: exactly the works behind a job, from its file or its result.
  @Suite struct CiteTests {
    struct Cited: Decodable {
      struct Work: Decodable {
        let key, arxiv, title: String
        let authors: [String]
        let year: Int
        let cited_by: [String]
      }
      let schema: String
      let entries: [String]
      let works: [Work]
    }

    private func cite(_ place: borrowing Workplace, _ arguments: [String]) throws -> Cited {
      let result = try place.fathom(["cite", "--json"] + arguments)
      #expect(result.status == 0, "\(result)")
      let found = try JSONDecoder().decode(Cited.self, from: Data(result.output.utf8))
      #expect(found.schema == "fathom-cite/1")
      return found
    }

    @Test func theWorksBehindAResult() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      #expect(try place.fathom(["run", "job.toml"] + settings(["network.draws=200"])).status == 0)
      let text = try place.fathom(["cite", "out.h5"])
      #expect(text.status == 0, "\(text)")
      // The program, and one paper for the network and its limit.
      let works = text.output.split(separator: "\n").filter { $0.hasPrefix("@") }
      #expect(works == ["@software{fathom,", "@misc{li2022neural,"])
      let entries = "% architecture mlp, activation shaped-relu, limit covariance-sde\n"
      #expect(text.output.contains(entries), "\(text.output)")
      #expect(text.output.contains("author = {Li, Mufan Bill and Nica, Mihai and Roy, Daniel M.}"), "\(text.output)")
      #expect(try place.fathom(["cite", "job.toml"]).output == text.output)
    }

    /// Models, integrators and samplers are those of each case of a sweep, and those that a job leaves to the default.
    @Test(arguments: [
      (
        """
        seed = 1
        [particles]
        system = "kuramoto"
        coupling = 1.0
        integrator = "baoab"
        number = 8
        step = 0.1
        steps = 10
        replicas = 2
        [sweep]
        "particles.integrator" = ["baoab", "obabo"]
        """, ["bertini2010dynamical", "bussi2007accurate", "leimkuhler2012rational"]
      ),
      (
        """
        seed = 1
        [coulomb]
        dimension = 2
        number = 4
        inverse_temperature = 2.0
        draws = 4
        warm_up = 10
        steps = 10
        """, ["bruyne2023linear", "neal2012mcmc"]
      ),
      (
        """
        seed = 1
        [kernel]
        of = "ntk"
        file = "points.csv"
        [network]
        architecture = "mlp"
        activation = "relu"
        depth = 1
        """, ["jacot2018neural", "lee2019wide", "li2022neural"]
      ),
    ])
    func theWorksBehindAJob(job: String, keys: [String]) throws {
      let place = try Workplace()
      try place.write("x,y\n1,0\n0,1\n1,1\n", "points.csv")
      try place.write(job)
      let found = try cite(place, ["job.toml"])
      #expect(found.works.map(\.key).sorted() == keys)
    }

    @Test func theWholeBibliography() throws {
      struct Catalog: Decodable {
        struct Entry: Decodable { let kind, name, family, reference, equation, summary: String }
        let entries: [Entry]
      }
      let place = try Workplace()
      let all = try cite(place, ["--all"])
      #expect(Set(all.works.map(\.key)).count == all.works.count, "keys must differ")
      for work in all.works {
        #expect(work.arxiv.isEmpty || work.year > 1990)
        // A work that is no number alone has all of it.
        #expect(work.title.isEmpty == work.authors.isEmpty && (!work.title.isEmpty || !work.arxiv.isEmpty), "\(work)")
      }
      let result = try place.fathom(["catalog", "--json"])
      let catalog = try JSONDecoder().decode(Catalog.self, from: Data(result.output.utf8))
      for entry in catalog.entries {
        let text = [entry.reference, entry.equation, entry.summary].joined(separator: " ")
        for match in text.matches(of: /arXiv:([0-9]{4}\.[0-9]{4,5})/) {
          let work = try #require(all.works.first { $0.arxiv == match.1 })
          #expect(work.cited_by.contains("\(entry.kind) \(entry.name)"))
        }
        // A reference that is neither a number, nor a page, nor a work of the table would be lost.
        let isCited = all.works.contains { $0.cited_by.contains("\(entry.kind) \(entry.name)") }
        let reference = entry.reference
        #expect(isCited || reference.isEmpty || reference.contains("docs/"), "\(entry.name): \(reference)")
      }
      let text = try place.fathom(["cite", "--all"]).output
      #expect(text.count { $0 == "{" } == text.count { $0 == "}" })
    }

    @Test func refusals() throws {
      let place = try Workplace()
      try place.write("x,y\n1,2\n", "rows.csv")
      let foreign = try place.fathom(["cite", "rows.csv"])
      #expect(foreign.status == 65 && foreign.error.contains("rows.csv is not a fathom result file"), "\(foreign)")
      let missing = try place.fathom(["cite", "none.h5"])
      #expect(missing.status == 65 && missing.error.contains("no such file"), "\(missing)")
      for arguments in [["cite"], ["cite", "--all", "rows.csv"]] {
        #expect(try place.fathom(arguments).status == 64)
      }
      try place.write("a\n" + (0..<300).map { "\($0 % 7)" }.joined(separator: "\n") + "\n", "mine.csv")
      let table = "file = \"mine.csv\"\n"
      try place.write("seed = 1\n[samples]\n\(table)[[limit]]\nequation = \"samples\"\n\(table)", "rows.toml")
      let rows = try place.fathom(["cite", "rows.toml"])
      #expect(rows.status == 65 && rows.error.contains("rows that another program made"), "\(rows)")
    }
  }
}
