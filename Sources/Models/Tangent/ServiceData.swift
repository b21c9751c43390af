import Experiments
import Regression

/// Rows of a file, of length 1, with the network that services use at some of them.
struct ServiceData {
  let data: RegressionData
  /// The checked table `data`.
  let keys: Parameters

  static let parameter = Parameter(
    "data", .structured("a table: { file = \"data/digits.csv\", positive = [0, 2, 4, 6, 8] }"),
    "the rows, their targets and the activation, as of [regression]")

  init(_ p: Parameters, _ source: any DataSource) throws {
    guard case .table(let table)? = p["data"], table["file"] != nil else {
      throw p.invalid("data", "must be a table: { file = \"data/digits.csv\", positive = [0, 2, 4, 6, 8] }")
    }
    keys = try Parameters(p["data"], path: "\(p.path).data", allowed: RegressionData.parameters)
    data = try RegressionData(keys, source)
  }

  func network(_ rows: [Int], _ p: Parameters) throws -> ShallowNetwork {
    let d = data.columns
    return try ShallowNetwork(
      rows.map { Array(data.inputs[$0 * d..<($0 + 1) * d]) }, areNormalised: true, activation: data.activation,
      of: keys, p)
  }

  func targets(_ rows: [Int]) -> [Double] { rows.map { data.targets[$0] } }

  /// Labels of the leg.
  var attributes: [String: String] { ["data": data.fingerprint] }

  /// Refuses draws that are too large.
  static func refuse(_ size: Double, _ p: Parameters, _ key: String) throws {
    guard size <= ShallowNetwork.mostNumbers else {
      throw p.invalid(
        key, "makes a draw of \(Float(size)) numbers; at most \(Int(ShallowNetwork.mostNumbers)) are kept")
    }
  }
}
