import Randomness
import Testing

/// Many words at once, and places in a stream: what follows is what would have followed.
@Suite struct PositionTests {
  private static func stream() -> Stream {
    var stream = Stream(key: 0x1234_5678_9abc_def0)
    stream.start(draw: 3)
    return stream
  }

  @Test(arguments: [0, 1, 2, 3, 64, 333]) func wordsAreThoseOneByOne(count: Int) {
    for before in 0..<3 {
      var a = Self.stream()
      var b = Self.stream()
      for _ in 0..<before { #expect(a.word() == b.word()) }
      var words = Array(repeating: UInt64(0), count: count + 1)
      words.withUnsafeMutableBufferPointer { a.words(count, into: $0.baseAddress!) }
      #expect(Array(words.dropLast()) == (0..<count).map { _ in b.word() } && words[count] == 0)
      #expect(a.word() == b.word() && a.position == b.position)
    }
  }

  /// Takes numbers of all kinds.
  private static func take(_ stream: inout Stream, _ kinds: [Int]) -> [UInt64] {
    var found: [UInt64] = []
    for kind in kinds {
      switch kind % 4 {
      case 0: found.append(stream.word())
      case 1: found.append(stream.normal().bitPattern)
      case 2: found.append(stream.uniform().bitPattern)
      default:
        let normals = stream.normals(kind)
        for k in 0..<kind { found.append(normals[k].bitPattern) }
      }
    }
    return found
  }

  @Test func positionsAreTakenUp() {
    let kinds = [1, 0, 3, 1, 2, 127, 1, 131, 0, 3, 1, 1, 255, 2]
    for length in 0...kinds.count {
      var a = Self.stream()
      var b = Self.stream()
      _ = Self.take(&a, Array(kinds.prefix(length)))
      b.position = a.position
      #expect(b.position == a.position)
      #expect(Self.take(&a, kinds) == Self.take(&b, kinds), "after \(length)")
    }
  }

  @Test(arguments: [0, 1, 2, 5, 128, 1001]) func skippedNumbersAreThoseTaken(count: Int) {
    let kinds = [1, 3, 0, 1, 131]
    for before in 0...kinds.count {
      for kind in 0..<3 {
        var a = Self.stream()
        var b = Self.stream()
        _ = Self.take(&a, Array(kinds.prefix(before)))
        _ = Self.take(&b, Array(kinds.prefix(before)))
        switch kind {
        case 0:
          a.skip(words: count)
          for _ in 0..<count { _ = b.word() }
        case 1:
          a.skip(scalars: count)
          for _ in 0..<count { _ = b.normal() }
        default:
          a.skip(normals: count)
          for _ in 0..<count { _ = b.normals(1) }
        }
        #expect(a.position == b.position)
        #expect(Self.take(&a, kinds) == Self.take(&b, kinds), "kind \(kind), before \(before)")
      }
    }
  }
}
