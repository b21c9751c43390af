import Experiments
import Foundation
import Kernels
import Limits
import Regression
import Testing

/// Bad input, and what is known of data.
@Suite struct RegressionInputTests {
  /// Rows of numbers with a label behind them.
  private struct Rows: DataSource {
    let rows: [[Double]]

    func table(_ request: TableRequest) throws -> DataTable {
      let names = (0..<rows[0].count - 1).map { "x\($0)" } + ["label"]
      return DataTable(columns: names, rows: request.rows.map { $0.map { rows[$0] } } ?? rows)
    }
    func samples(_ request: SampleRequest) throws -> SampleTable { throw Failure(.badData, "none") }
  }

  private static func ring(_ count: Int) -> [[Double]] {
    (0..<count).map { i in
      let (sine, cosine) = Elementary.sinCosTurns(Double(i) / Double(count))
      return [sine, cosine, Double(i % 3 == 0 ? 1 : 0)]
    }
  }

  @Test(
    arguments: [
      (["ridges": JobValue.list([.real(-0.1)])], ["regression.ridges", "at least 0"]),
      (["ridges": .list([.real(1), .real(0.5)])], ["regression.ridges", "ascending"]),
      (["ridges": .list([])], ["regression.ridges"]),
      (["ridges": .real(0.1)], ["regression.ridges", "array"]),
      (["features": .integer(20), "ridges": .list([.real(0)])], ["regression.observables", "infinite", "log_test"]),
      (["features": .integer(21), "ridges": .list([.real(0)])], ["regression.observables", "infinite"]),
      (["features": .integer(0)], ["regression.features", "the nearest is 1"]),
      (["samples": .integer(5000)], ["regression.samples", "4096"]),
      (["model": .text("eigenbases")], ["regression.model", "eigenbasis"]),
      (["noise_variance": .real(-1)], ["regression.noise_variance"]),
      (["noise_variance": .table(["relativ": .real(1)])], ["regression.noise_variance.relativ", "relative"]),
      (["observables": .list([.text("tset")])], ["regression.observables", "test"]),
      (["observables": .list([.text("test"), .text("test")])], ["regression.observables", "different"]),
      (
        ["spectrum": .table(["decay": .real(0.9), "modes": .real(1e12)])],
        ["regression.spectrum.decay", "not summable"]
      ),
      (
        ["spectrum": .table(["decay": .real(2), "modes": .real(1e19)])],
        ["regression.spectrum.modes", "the nearest is"]
      ),
      (["spectrum": .table(["decay": .real(2), "modes": .real(10.5)])], ["regression.spectrum.modes", "whole"]),
      (["spectrum": .table(["modes": .integer(10)])], ["regression.spectrum.decay", "must be given"]),
      (["spectrum": .table(["decay": .real(2)])], ["regression.spectrum", "must be a table"]),
      (
        ["spectrum": .table(["eigenvalues": .list([.real(1), .real(0)])])],
        ["regression.spectrum.eigenvalues", "positive"]
      ),
      (
        ["spectrum": .table(["decay": .real(2), "modes": .integer(10), "eigenvalues": .list([.real(1)])])],
        ["regression.spectrum.eigenvalues", "cannot be given together"]
      ),
      (["teacher": .text("randon")], ["regression.teacher", "random"]),
      (["teacher": .text("targets")], ["regression.teacher"]),
      (["teacher": .table(["coefficients": .list([.real(1)])])], ["regression.teacher.coefficients", "listed"]),
      (
        ["spectrum": .table(["decay": .real(2), "modes": .real(1e18)]), "teacher": .table(["decay": .real(0.5)])],
        ["regression.teacher.decay", "summable"]
      ),
      (
        ["spectrum": .table(["decay": .real(2), "modes": .real(1e18)]), "sampler": .text("weights")],
        ["regression.sampler", "reduced"]
      ),
      (
        [
          "ridges": .table(["times_best": .list([.real(1)])]), "noise_variance": .real(0),
          "features": .integer(1_000_000),
        ],
        ["regression.ridges", "0 here"]
      ),
    ] as [([String: JobValue], [String])])
  func saysWhatIsWrong(changes: [String: JobValue], words: [String]) {
    let message = RegressionJobs.message(RegressionJobs.eigenbasis(changes.mapValues { $0 }))
    for word in words { #expect(message.contains(word), "\(changes): \(message)") }
  }

  /// Where the mean is infinite, logarithms are left.
  @Test func offersLogarithmsWhereTheMeanIsInfinite() throws {
    let model = try RegressionJobs.read(
      RegressionJobs.eigenbasis([
        "features": .integer(20), "ridges": .list([.real(0)]),
        "observables": .list([.text("log_test"), .text("train")]),
      ]))
    #expect(model.experiment.schema.observables.map(\.name) == ["train", "log_test"])
    let found = Drawn(model.experiment, draws: 200)
    #expect(found.mean(1).isFinite && found.error(1) < 1)
  }

  @Test func fallsBackToEveryModeAndSaysSo() throws {
    _ = Notes.take()
    let model = try RegressionJobs.read(
      RegressionJobs.eigenbasis(["spectrum": .table(["decay": .real(1.5), "modes": .integer(15)])]))
    #expect(model.attributes["sampler"] == "weights")
    #expect(Notes.take().contains { $0.contains("regression.samples") && $0.contains("15 modes") })
    let found = Drawn(model.experiment, draws: 400)
    let theory = (model.problem as! EigenbasisRegression).framework.risk(ridge: 0.01)
    #expect((found.mean(0) / theory.test - 1).magnitude < 0.15)
  }

  private func data(_ changes: [String: JobValue] = [:], file: [String: JobValue] = [:]) -> [String: JobValue] {
    let own: [String: JobValue] = ["file": .text("ring.csv"), "positive": .list([.integer(1)])]
    let keys: [String: JobValue] = [
      "model": .text("data"), "samples": .integer(10), "draws": .integer(10), "ridges": .list([.real(0.1)]),
      "data": .table(own.merging(file) { $1 }),
    ]
    return keys.merging(changes) { $1 }
  }

  @Test func saysWhatIsWrongWithData() {
    let rows = Rows(rows: Self.ring(12))
    func check(_ keys: [String: JobValue], _ source: Rows, _ words: [String]) {
      let message = RegressionJobs.message(keys, data: source)
      for word in words { #expect(message.contains(word), "\(message)") }
    }
    check(data(["ridges": .list([.real(0)])]), rows, ["regression.ridges", "equal rows"])
    check(data(file: ["positive": .list([.integer(7)])]), rows, ["regression.data.positive", "constant"])
    check(data(file: ["label": .text("lable")]), rows, ["regression.data.label", "label"])
    check(data(file: ["rows": .integer(1)]), rows, ["regression.data.rows"])
    check(data(file: ["activation": .text("rely")]), rows, ["regression.data.activation", "relu"])
    check(data(["features": .integer(90_000), "samples": .integer(8000)]), rows, ["regression.features", "numbers"])
    check(data(["data": .table([:])]), rows, ["regression.data", "file"])
    check(data(), Rows(rows: [[0, 0, 1], [1, 0, 0]]), ["zero"])
    check(data(), Rows(rows: [[.nan, 0, 1], [1, 0, 0]]), ["finite"])
    check(data(), Rows(rows: (0..<5000).map { [1, Double($0), Double($0 % 2)] }), ["regression.data.rows", "4096"])
  }

  @Test func saysWhatIsWrongWithBandlimitedOnes() {
    let keys: [String: JobValue] = [
      "model": .text("bandlimited"), "neurons": .integer(5), "band": .real(10), "draws": .integer(10),
      "ridges": .list([.real(0.1)]),
    ]
    func check(_ changes: [String: JobValue], _ words: [String]) {
      let message = RegressionJobs.message(keys.merging(changes) { $1 })
      for word in words { #expect(message.contains(word), "\(message)") }
    }
    check(["ridges": .list([.real(0)])], ["regression.ridges", "no bound"])
    check(["band": .real(201)], ["regression.band", "the nearest is 200"])
    check(["target": .text("0")], ["regression.target"])
    check(["target": .text("1/(x - y)")], ["regression.target", "y"])
    check(["target": .text("log(0*x)")], ["regression.target", "finite"])
    check(["observables": .list([.text("test")])], ["regression.observables", "error"])
  }

  /// On a ring the kernel is circulant: eigenvalues are those of its Fourier series, and the eigenframework is that of the list.
  @Test func spectrumOfARingIsItsFourierSeries() throws {
    let count = 24
    let model = try RegressionJobs.read(data(), data: Rows(rows: Self.ring(count)))
    let problem = model.problem as! DataRegression
    let gram = problem.data.gram()
    let (values, squares) = problem.data.spectrum()
    let exact = (0..<count).map { k in
      (0..<count).reduce(0) { sum, j in
        sum + gram[j] * Elementary.sinCosTurns(Double(j * k % count) / Double(count)).cos / Double(count)
      }
    }.sorted(by: >)
    for (found, value) in zip(values, exact) { #expect((found - value).magnitude < 1e-13) }
    #expect((squares.reduce(0, +) - 1).magnitude < 1e-12)
    // The arc-cosine kernel of ReLU, 1 at coinciding points and sin(t)/pi at right angles.
    #expect(gram[0] == 1 && (gram[count / 4] - 1 / Double.pi).magnitude < 1e-14)
  }
}
