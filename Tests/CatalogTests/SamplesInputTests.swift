import Experiments
import Foundation
import Jobs
import Testing

/// Bad files of rows, and bad keys about them: what the failure says.
@Suite(.serialized) struct SamplesInputTests {
  private let files: RowFiles
  init() throws { files = try RowFiles() }

  private func refusal(_ text: String, _ settings: [String] = []) -> String {
    do { return "taken: \(try job(text, settings).job.identity)" } catch let failure as Failure {
      return failure.status == .badData ? failure.message : "\(failure.status): \(failure.message)"
    } catch { return "\(error)" }
  }

  private static func alone(_ path: String, _ keys: String = "") -> String {
    "seed = 1\n[samples]\nfile = \"\(path)\"\n\(keys)\n"
  }

  private static func network(_ path: String, _ layers: String = "[4, 8]") -> String {
    "\(alone(path))[network]\narchitecture = \"mlp\"\nactivation = \"relu\"\nwidth = 8\ndepth = 8\ninputs = { correlation = 0.3 }\nlayers = \(layers)\ndraws = 100\n"
  }

  @Test(arguments: [
    ("x@4\n1\nnan\n", "", ["bad.csv, line 3, column 1 (x@4)", "\"nan\" is not a finite number"]),
    ("x,y\n1,2\n3\n", "", ["bad.csv, line 3", "1 column, the first line has 2"]),
    ("x@a\n1\n2\n", "", ["column x@a", "must be a finite number, the point of the axis"]),
    ("x@4,y@8\n1,2\n3,4\n", "", ["x has the point 4 of the axis, y has not"]),
    ("x@4,y\n1,2\n3,4\n", "", ["x has the point 4 of the axis, y has none", "observables = […]"]),
    ("x@4,x@4.0\n1,2\n3,4\n", "", ["the column x@4 is there twice"]),
    ("x,x@4\n1,2\n3,4\n", "", ["two columns hold x"]),
    ("x\n1\n", "", ["has 1 row; at least 2 are needed"]),
    ("x\n1\n2\n", "rows = 3", ["samples.rows = 3", "has 2 rows; the nearest is 2"]),
    ("x,y\n1,2\n3,4\n", "observables = [\"xx\"]", ["samples.observables", "has no xx; it has x, y"]),
    ("x\n1\n2\n", "chains = true", ["samples.chains = true", "has no column chain"]),
    ("x,walker\n1,2\n3,4\n", "chains = \"walkr\"", ["samples.chains", "did you mean walker?"]),
    ("x,chain\n1,0\n2,0\n3,1\n", "", ["chain 0 has 2 rows, chain 1 has 1; chains must be equally long"]),
    ("x,chain\n1,0.5\n2,0\n", "", ["row 0, column chain is 0.5: chains are numbered by integers"]),
    ("1.5,2\n3,4\n", "", ["its 2 columns have no names; give columns"]),
    ("1.5,2\n3,4\n", "columns = [\"x\"]", ["1 names for the 2 columns"]),
    ("x,y\n1,2\n3,4\n", "columns = [\"a\", \"b\"]", ["bad.csv"]),
    ("1.5\n2\n", "columns = [\"a\", \"a\"]", ["samples.columns", "a is there twice"]),
  ])
  func badRows(content: String, keys: String, says words: [String]) throws {
    let message = refusal(Self.alone(try files.text("bad.csv", content), keys))
    for word in words { #expect(message.contains(word), "\(word): \(message)") }
  }

  @Test func namesAndPointsOfTheNetworkAreAsked() throws {
    let network = try files.text("n.csv", "\"roh[0,1]@8\"\n1\n2\n")
    #expect(refusal(Self.network(network)).contains("roh[0,1] is not measured in network; it has V[0,0], "))
    #expect(refusal(Self.network(network)).contains("did you mean rho[0,1]?"))
    let point = try files.text("p.csv", "\"rho[0,1]@6\"\n1\n2\n")
    #expect(refusal(Self.network(point)).contains("layer 6 is not measured in network, which has 4, 8"))
    let none = try files.text("q.csv", "\"rho[0,1]\"\n1\n2\n")
    #expect(
      refusal(Self.network(none)).contains(
        "say no layer, and network is measured at several; name them as in rho[0,1]@4"))
    // The only layer that there is.
    #expect(refusal(Self.network(none, "[8]")).hasPrefix("taken"))
  }

  @Test func otherFilesAndKeys() throws {
    let good = try files.text("good.csv", "x\n1\n2\n")
    let h5 = try files.text("text.h5", "x\n1\n2\n")
    #expect(refusal(Self.alone(h5)).contains("text.h5: is no HDF5 file"))
    #expect(refusal(Self.alone(files.folder + "/none.csv")).contains("none.csv: no such file"))
    #expect(
      refusal(Self.alone(good, "fiel = 3")).contains("unknown key; did you mean file?")
        || refusal(Self.alone(good, "fiel = 3")).contains("did you mean file?"))
    #expect(refusal("seed = 1\n[samples]\nrows = 2\n").contains("samples.file is missing"))
    #expect(refusal(Self.alone(good, "[[limit]]\nequation = \"sampels\"")).contains("did you mean samples?"))
    let twice = "[[limit]]\nequation = \"samples\"\nfile = \"\(good)\"\n"
    #expect(refusal(Self.alone(good, twice + twice)).contains("every limit can be asked for once"))
    #expect(refusal(Self.alone(good, twice + "name = \"samples\"\n")).contains("two references need different names"))
    #expect(refusal(Self.alone(good, twice + "name = \"a/b\"\n")).contains("must be of letters"))
    #expect(
      refusal(Self.alone(good, twice + "[[limit]]\nequation = \"samples\"\nname = \"jax\"\nfile = \"\(good)\""))
        .hasPrefix("taken"))
    let particles = Self.alone(good) + BadInputTests.particles.replacing("seed = 5", with: "")
    #expect(refusal(particles + "\n[bias]\nenabled = true\n").contains("cannot be refined"))
  }
}
