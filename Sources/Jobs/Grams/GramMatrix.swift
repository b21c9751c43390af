import Experiments
import Foundation
import Limits

/// A Gram matrix, whole, with the ends of its spectrum.
package struct GramMatrix: Sendable {
  package let count: Int
  /// Row by row, symmetric to the bit.
  package let values: [Double]
  /// Eigenvalues with the jitter: NaN where they were not asked for, and a least one of NaN where the matrix is not positive definite in double precision.
  package let largest, least: Double
  package let prediction: GramPrediction?

  /// What an expectation names; nil of anything else.
  fileprivate func value(_ subject: String) -> Double? {
    switch subject {
    case "log10 condition": return log10(least.isNaN ? .infinity : largest / least)
    case "test error": return prediction?.error
    case "mean diagonal": return (0..<count).reduce(0) { $0 + values[$1 * count + $1] } / Double(count)
    default:
      let places = subject.dropFirst(2).dropLast().split(separator: ",").compactMap { Int($0) }
      guard subject.hasPrefix("K["), subject.hasSuffix("]"), places.count == 2,
        places.allSatisfy({ (0..<count).contains($0) })
      else { return nil }
      return values[places[0] * count + places[1]]
    }
  }
}

extension GramJob {
  /// Rows of as many entries as the last of them has.
  package static func rows(_ range: Range<Int>, of kernel: any GramRows) throws -> [Double] {
    let length = range.upperBound
    return try [Double](unsafeUninitializedCapacity: range.count * length) { buffer, filled in
      buffer.initialize(repeating: 0)
      try kernel.write(range, to: buffer.baseAddress!, stride: length)
      filled = range.count * length
    }
  }

  /// Puts the bands together.
  /// - Parameter band: gives `rows` of one.
  /// - Throws: `Failure` where an entry is no number.
  package func matrix(_ band: (Range<Int>) throws -> [Double]) throws -> GramMatrix {
    var values = Array(repeating: 0.0, count: count * count)
    for range in bands {
      let part = try band(range)
      for a in range {
        for b in 0...a {
          let value = part[(a - range.lowerBound) * range.upperBound + b]
          (values[a * count + b], values[b * count + a]) = (value, value)
        }
      }
    }
    if let place = values.firstIndex(where: { !$0.isFinite }) {
      throw Failure(
        .badData,
        "K of the rows \(rows[place / count]) and \(rows[place % count]) is \(values[place]): the kernel leaves the range of numbers"
      )
    }
    let prediction = try regression?.predict(values, count)
    guard hasCondition else {
      return GramMatrix(count: count, values: values, largest: .nan, least: .nan, prediction: prediction)
    }
    let ends = GramSpectrum.ends(values, count, jitter: jitter)
    return GramMatrix(
      count: count, values: values, largest: ends.largest, least: ends.least ?? .nan, prediction: prediction)
  }

  /// Compares the matrix with what the job expects of it.
  package func check() throws -> [(holds: Bool, sentence: String)] {
    let kernel = try make()
    let found = try matrix { try Self.rows($0, of: kernel) }
    return expectations.map { expectation in
      guard let value = found.value(expectation.subject), let expected = expectation.value,
        let tolerance = expectation.tolerance
      else {
        return (
          false,
          "\(expectation.subject): nothing of that name is in a Gram matrix: \"log10 condition\", \"mean diagonal\", \"test error\" and \"K[a,b]\" are, with a value and a tolerance"
        )
      }
      return (
        (value - expected).magnitude <= tolerance,
        "\(expectation.subject): expected \(expected) +- \(tolerance), found \(value)"
      )
    }
  }
}
