import Experiments
import Randomness

/// Draws that are the rows of a file: the k-th draw is row k, so that nothing is random.
struct SampleRows: Draw {
  let schema: Schema
  /// All rows of the file, `schema.width` numbers each.
  let values: [Double]

  var count: Int { values.count / schema.width }

  final class Scratch {}
  func makeScratch() -> Scratch { Scratch() }

  func draw(
    using stream: inout Stream, scratch: Scratch, into out: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let width = schema.width
    // Draws beyond the rows are asked for as pilots only.
    let start = Int(stream.number % UInt64(count)) * width
    var events: DrawEvents = []
    for i in 0..<width {
      out[i] = values[start + i]
      if !out[i].isFinite { events.formUnion(.overflowed) }
    }
    return events
  }
}
