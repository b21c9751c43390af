/// Many numbers at once, and places in the stream: what ranks need that share the particles of one draw.
extension Stream {
  /// Writes the next `count` words, those of `word()`, in vectors.
  public mutating func words(_ count: Int, into out: UnsafeMutablePointer<UInt64>) {
    var made = 0
    if count > 0 && hasSpareWord {
      out[0] = word()
      made = 1
    }
    let pairs = (count &- made) / 2
    Self.fill(out + made, pairs: pairs, block: block, draw: draw, key: key)
    block &+= UInt64(truncatingIfNeeded: pairs)
    if made &+ 2 &* pairs < count { out[count &- 1] = word() }
  }

  @inline(never)
  private static func fill(
    _ out: UnsafeMutablePointer<UInt64>, pairs: Int, block: UInt64, draw: (UInt64, UInt64), key: (UInt64, UInt64)
  ) {
    for i in 0..<pairs {
      let place = block &+ UInt64(truncatingIfNeeded: i)
      let w = Philox.rounds((place & 0xffff_ffff, place >> 32, draw.0, draw.1), key: key)
      out[2 &* i] = w.0
      out[2 &* i &+ 1] = w.1
    }
  }

  /// Where a stream stands in its draw: how many numbers were taken, and the second normal of a scalar pair if it is still to come.
  public struct Position: Sendable, Equatable {
    public var normals, words: UInt64
    public var spare: Double?

    public init(normals: UInt64 = 0, words: UInt64 = 0, spare: Double? = nil) {
      (self.normals, self.words, self.spare) = (normals, words, spare)
    }
  }

  /// Setting it moves the stream there: what follows is what would have followed.
  public var position: Position {
    get {
      Position(
        normals: chunk &* UInt64(NormalKernel.chunk) &- UInt64(end &- begin),
        words: 2 &* (block &- 1 << 63) &- (hasSpareWord ? 1 : 0), spare: hasSpareNormal ? spareNormal : nil)
    }
    set {
      restart()
      let length = UInt64(NormalKernel.chunk)
      chunk = newValue.normals / length
      let taken = Int(newValue.normals % length)
      if taken > 0 { _ = normals(taken) }
      block &+= newValue.words / 2
      if newValue.words % 2 == 1 { _ = word() }
      if let spare = newValue.spare { (hasSpareNormal, spareNormal) = (true, spare) }
    }
  }

  /// Passes over so many numbers of `normals`.
  public mutating func skip(normals count: Int) {
    var next = position
    next.normals &+= UInt64(count)
    position = next
  }

  /// Passes over so many numbers of `word()`, or of `uniform()`.
  public mutating func skip(words count: Int) {
    var next = position
    next.words &+= UInt64(count)
    position = next
  }

  /// Passes over so many numbers of `normal()`, of which a word makes two.
  public mutating func skip(scalars count: Int) {
    guard count > 0 else { return }
    let rest = hasSpareNormal ? count - 1 : count
    hasSpareNormal = false
    skip(words: rest / 2)
    if rest % 2 == 1 { _ = normal() }
  }
}
