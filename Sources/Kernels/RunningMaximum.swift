/// Running maxima of whole numbers: each becomes the largest up to it.
///
/// Where numbers are written at the beginnings of runs, and 0 between them, this fills the runs: how selection says who is whose child without a jump for each.
enum RunningMaximum {
  private static let block = 256
  /// Numbers that are looked back at in vectors.
  private static let reach = 16

  /// - Parameters:
  ///   - values: none below 0.
  ///   - start: what comes before them.
  static func fill(_ values: UnsafeMutablePointer<Int32>, _ count: Int, from start: Int32) {
    withUnsafeTemporaryAllocation(byteCount: 2 &* (block &+ reach) &* 4, alignment: 64) { room in
      let own = room.baseAddress!.bindMemory(to: Int32.self, capacity: 2 &* (block &+ reach))
      let paired = own + (block &+ reach)
      var (last, done) = (start, 0)
      while done < count {
        let (target, size) = (values + done, min(block, count &- done))
        for i in 0..<reach { (own[i], paired[i]) = (last, last) }
        for i in 0..<size { own[i &+ reach] = target[i] }
        // The largest of four, and of four of these: of sixteen.
        for i in reach..<size &+ reach {
          paired[i] = max(max(own[i], own[i &- 1]), max(own[i &- 2], own[i &- 3]))
        }
        for i in 0..<size {
          let p = paired + (i &+ reach)
          target[i] = max(max(p[0], p[-4]), max(p[-8], p[-12]))
        }
        // A run that began before all these.
        if target[0] < last || !isRising(target, size) {
          for i in 0..<size {
            last = max(last, target[i])
            target[i] = last
          }
        }
        last = target[size &- 1]
        done &+= size
      }
    }
  }

  private static func isRising(_ values: UnsafePointer<Int32>, _ count: Int) -> Bool {
    var falls: Int32 = 0
    for i in 1..<max(count, 1) { falls |= values[i] &- values[i &- 1] }
    return falls >= 0
  }
}
