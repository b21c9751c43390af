import Experiments
import Statistics
import Testing

@Suite struct DrawPartTests {
  @Test func textsAreReadStrictly() {
    for text in ["1/1", "2/5", "1-2/5", "5-5/5", "1000000/1000000"] {
      #expect(DrawPart(text) != nil, "\(text)")
    }
    for text in [
      "", "3", "0/5", "6/5", "3-2/5", "1-6/5", "-1/5", "1/-5", "1/2/5", "1-2-3/5", "a/5", "1-/5", "1/0", "1/1000001",
    ] {
      #expect(DrawPart(text) == nil, "\(text)")
    }
    #expect(DrawPart("1-2/5")?.text == "1-2/5" && DrawPart("4-4/5")?.text == "4/5")
  }

  /// Parts cover all draws once, and every draw is found in its part.
  @Test(arguments: [(1, 1), (10, 3), (7, 7), (100, 8), (3, 8), (1000, 999)] as [(UInt64, Int)])
  func drawsAreFoundInTheirParts(draws: UInt64, count: Int) {
    var next: UInt64 = 0
    for number in 1...count {
      let range = DrawPart(first: number, last: number, count: count).range(of: draws)
      #expect(range.lowerBound == next)
      next = range.upperBound
      for draw in range {
        let found = DrawPart.numbers(of: IntervalSet(draw..<draw + 1), draws: draws, count: count)
        #expect(found == IntervalSet(UInt64(number)..<UInt64(number) + 1))
      }
    }
    #expect(next == draws)
    let beyond = DrawPart.numbers(of: IntervalSet(draws..<draws + 5), draws: draws, count: count)
    #expect(beyond.isEmpty)
  }

  @Test func listsAreAsPeopleWriteThem() {
    var numbers = IntervalSet(1..<3)
    numbers.insert(4..<5)
    numbers.insert(9..<12)
    #expect(numbers.list == "1-2, 4, 9-11" && IntervalSet().list.isEmpty)
  }
}
