import Randomness

/// Forty sets of chains, four of each kind, made by the streams of the program. analysis/reference/chains.py writes what ArviZ says of them.
struct ChainSet {
  let name: String
  let count: Int
  /// Chain by chain.
  let values: [Double]

  static let kinds = [
    "independent", "slow", "antithetic", "stuck", "bimodal", "constant", "heavy-tailed", "starts", "discrete", "drift",
  ]
  static let shapes = [(4, 500), (8, 301), (2, 1000), (3, 4096)]

  static let all: [ChainSet] = kinds.indices.flatMap { kind in
    shapes.indices.map { shape in ChainSet(kind, shape) }
  }

  private init(_ kind: Int, _ shape: Int) {
    let (count, length) = Self.shapes[shape]
    let word = Self.kinds[kind]
    name = "\(word) \(count)x\(length)"
    self.count = count
    var stream = Stream(key: 1_903_08008 + UInt64(100 * kind + shape))
    values = (0..<count).flatMap { chain -> [Double] in
      stream.start(draw: UInt64(chain))
      let c = Double(chain)
      let sign = chain % 2 == 0 ? 1.0 : -1.0
      // An autoregressive series of variance 1.
      func series(_ phi: Double, from start: Double? = nil) -> [Double] {
        var x = start ?? stream.normal()
        return (0..<length).map { _ in
          x = phi * x + (1 - phi * phi).squareRoot() * stream.normal()
          return x
        }
      }
      switch word {
      case "slow": return series(0.97)
      case "antithetic": return series(-0.6)
      case "stuck": return chain == 0 ? Array(repeating: 0.5, count: length) : series(0.5)
      case "bimodal": return series(0.3).map { $0 + 4 * sign }
      case "constant": return Array(repeating: c + 0.5, count: length)
      case "heavy-tailed": return (0..<length).map { _ in stream.normal() / stream.normal() }
      case "starts": return series(0.9, from: 20 * (c - 1))
      case "discrete": return series(0.8).map { $0.rounded() }
      case "drift": return series(0.5).enumerated().map { $0.element + Double($0.offset) / Double(length) * 2 }
      default: return (0..<length).map { _ in stream.normal() }
      }
    }
  }
}
