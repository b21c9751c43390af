import Experiments
import Foundation
import Kernels
import Limits
import Networks
import Randomness
import Signatures

/// Signature kernels: cells of the differential equation a second, draws of a network, and Gram matrices of paths and of digits.
func signatureTimes() throws {
  func random(_ count: Int) -> [Double] {
    var stream = Stream(key: 3)
    stream.start(draw: 0)
    return (0..<count).map { _ in stream.normal() }
  }
  let (steps, d) = (1000, 3)
  let (x, y) = (random(d * steps).map { 0.01 * $0 }, random(d * steps).map { 0.01 * $0 })
  for (name, activation) in [
    ("linear", SlopeActivation(plus: 1, minus: 1)), ("relu", SlopeActivation(plus: 1, minus: 0)),
  ] {
    let equation = SignatureEquation(activation, start: 1, weight: 1, bias: 0.5)
    let (xx, yy) = (equation.variances(x, steps: steps, .trapezoid), equation.variances(y, steps: steps, .trapezoid))
    let seconds = best { sink += equation.kernel(x, y, xx, yy, steps: steps, .trapezoid)[steps] }
    report(
      "signature-cells",
      [
        ("activation", "\"\(name)\""), ("steps", "\(steps)"), ("d", "\(d)"),
        ("per_s", "\(Double(steps * steps) / seconds)"),
      ])
  }
  // 128 paths of 100 points in three dimensions, on the grid of the points: what pySigLib does at order 0.
  let paths = (0..<128).map { _ in
    let numbers = random(300)
    return SignaturePath(points: (0..<100).map { t in (0..<3).map { 0.1 * numbers[3 * t + $0] } })
  }
  let gram = SignatureGram(
    SignatureEquation(SlopeActivation(plus: 1, minus: 1), start: 1, weight: 1, bias: 0), paths, refine: 1)
  var band = Array(repeating: 0.0, count: 128 * 128)
  let seconds = try best {
    try band.withUnsafeMutableBufferPointer { try gram.write(0..<128, to: $0.baseAddress!, stride: 128) }
  }
  report("signature-gram", [("paths", "128"), ("points", "100"), ("ms", "\(seconds * 1e3)")])

  // The tangent kernel of points with 64 features, three hidden ReLU layers.
  let points = (0..<2000).map { _ in random(64) }
  let table: JobValue = .table([
    "architecture": .text("mlp"), "activation": .text("relu"), "depth": .integer(3),
  ])
  let kernel = try NetworkGram.make(table, .ntk, points, normalise: true, seed: 1, draw: 0)
  let rows = 1936..<2000
  var part = Array(repeating: 0.0, count: rows.count * 2000)
  let time = try best {
    try part.withUnsafeMutableBufferPointer { try kernel.write(rows, to: $0.baseAddress!, stride: 2000) }
  }
  report("ntk-gram", [("depth", "3"), ("ns_an_entry", "\(time / Double(rows.count * 1968) * 1e9)")])
}

/// Whole Gram matrices of 10,000 points, both triangles: the digits over and over with noise.
func digitsGramTimes() throws {
  let text = try String(contentsOfFile: "jobs/data/digits.csv", encoding: .utf8)
  let digits = text.split(separator: "\n").dropFirst().map {
    $0.split(separator: ",").prefix(64).compactMap { Double($0) }
  }
  var stream = Stream(key: 3)
  stream.start(draw: 0)
  let count = 10_000
  let points = (0..<count).map { a in digits[a % digits.count].map { $0 + 0.5 * stream.normal() } }
  let table: JobValue = .table([
    "architecture": .text("mlp"), "activation": .text("relu"), "depth": .integer(3),
  ])
  let matrix = UnsafeMutablePointer<Double>.allocateAligned(capacity: count * count)
  defer { matrix.deallocate() }
  for kind in [NetworkGram.Kind.nngp, .ntk] {
    var least = Double.infinity
    for _ in 0..<3 {
      let start = ContinuousClock().now
      let kernel = try NetworkGram.make(table, kind, points, normalise: true, seed: 1, draw: 0)
      for first in stride(from: 0, to: count, by: 64) {
        let rows = first..<min(first + 64, count)
        try kernel.write(rows, to: matrix + first * count, stride: count)
        for b in 0..<rows.upperBound {
          for a in max(rows.lowerBound, b)..<rows.upperBound { matrix[b * count + a] = matrix[a * count + b] }
        }
      }
      least = min(least, (ContinuousClock().now - start).seconds)
    }
    sink += matrix[count * count - 2]
    report("\(kind.rawValue)-digits", [("points", "\(count)"), ("seconds", "\(least)")])
  }
}
