import Foundation
import Kernels
import Randomness
import Testing

@Suite struct PhiloxTests {
  /// Known answers of Random123 1.14 for philox4x32-10.
  @Test func knownAnswers() {
    let ones = UInt32.max
    #expect(Philox.block(counter: (0, 0, 0, 0), key: (0, 0)) == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      Philox.block(counter: (ones, ones, ones, ones), key: (ones, ones))
        == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      Philox.block(
        counter: (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: (0xa409_3822, 0x299f_31d0))
        == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test func keysDependOnEveryPart() {
    let paths = ["main/network", "main/networl", "main/", "", "main/network/", "a long path of more than eight bytes"]
    let keys = paths.map { Stream.key(seed: 1, path: $0) } + paths.map { Stream.key(seed: 2, path: $0) }
    #expect(Set(keys).count == keys.count)
  }
}

@Suite struct StreamTests {
  @Test func aDrawIsAPureFunctionOfItsIndex() {
    var s = Stream(key: 42)
    s.start(draw: 7)
    let first = Array(UnsafeBufferPointer(start: s.normals(1000), count: 1000))
    let word = s.word()
    s.start(draw: 8)
    let other = Array(UnsafeBufferPointer(start: s.normals(1000), count: 1000))
    s.start(draw: 7)
    let wordFirst = s.word()
    let again = Array(UnsafeBufferPointer(start: s.normals(1000), count: 1000))
    #expect(first == again && first != other && word == wordFirst)
  }

  @Test func theSequenceDoesNotDependOnHowItIsAskedFor() {
    var s = Stream(key: 42)
    s.start(draw: 3)
    let whole = Array(UnsafeBufferPointer(start: s.normals(4096), count: 4096))
    s.start(draw: 3)
    var pieces: [Double] = []
    var size = 1
    while pieces.count < 4096 {
      let count = min(size, 4096 - pieces.count)
      pieces += UnsafeBufferPointer(start: s.normals(count), count: count)
      _ = s.uniform()
      size = size % 517 + 13
    }
    #expect(pieces == whole)
  }

  @Test func normalsFollowTheirFormula() {
    // The kernel against the C library, from the same words (Philox block b of draw 5).
    var s = Stream(key: 0x0123_4567_89ab_cdef)
    s.start(draw: 5)
    let normals = Array(UnsafeBufferPointer(start: s.normals(256), count: 256))
    for chunk in 0..<2 {
      for i in 0..<32 {
        let w = Philox.block(counter: (UInt32(32 * chunk + i), 0, 5, 0), key: (0x89ab_cdef, 0x0123_4567))
        for (pair, bits) in [(0, UInt64(w.0) << 32 | UInt64(w.1)), (1, UInt64(w.2) << 32 | UInt64(w.3))] {
          let k = (bits >> 23) & ((1 << 40) - 1)
          let r = sqrt(-2 * log((Double(k) + 0.5) * 0x1p-40))
          let place = Double((bits >> 1) & 0x3f_ffff)
          let angle = (Double.pi / 2) * ((place + 0.5) * 0x1p-22 - 0.5)
          let sign = bits >> 63 == 1 ? -1.0 : 1.0
          let (a, b) = bits & 1 == 1 ? (sin(angle), cos(angle)) : (cos(angle), sin(angle))
          let at = chunk * 128 + i + 32 * pair
          #expect(abs(normals[at] - sign * r * a) < 2e-13 * max(1, r))
          #expect(abs(normals[at + 64] - sign * r * b) < 2e-13 * max(1, r))
        }
      }
    }
  }
}
