import Experiments
import Foundation
import Jobs
import Testing

/// Text files as people write them: what is read of each, and what is refused with which words.
@Suite struct TableTests {
  private static func text(
    _ content: String, header: Bool? = nil, drop: [String] = [], rows: [Int]? = nil
  ) throws -> DataTable {
    try DelimitedText(Array(content.utf8), file: "t.csv", header: header).table(drop: drop, rows: rows)
  }

  private static func refusal(_ content: [UInt8], header: Bool? = nil, drop: [String] = [], rows: [Int]? = nil)
    -> String
  {
    do {
      let table = try DelimitedText(content, file: "t.csv", header: header).table(drop: drop, rows: rows)
      return "read as \(table.columns) \(table.rows)"
    } catch { return "\(error)" }
  }

  static let good: [(String, [String], [[Double]])] = [
    ("1,2\n3,4\n", [], [[1, 2], [3, 4]]),
    ("\u{FEFF}1,2\n3,4", [], [[1, 2], [3, 4]]),
    ("\u{FEFF}a,b\r\n1,2\r\n3,4\r\n", ["a", "b"], [[1, 2], [3, 4]]),
    ("a,b\r1,2\r3,4\r", ["a", "b"], [[1, 2], [3, 4]]),
    ("\u{FEFF}\"a\",\"b\"\n\"1\",\"2\"\n", ["a", "b"], [[1, 2]]),
    ("\"a,b\",\"say \"\"c\"\"\",\"d\ne\"\n1,2,3\n", ["a,b", "say \"c\"", "d\ne"], [[1, 2, 3]]),
    ("a;b\n1.5;2\n", ["a", "b"], [[1.5, 2]]), ("a\tb c\n1\t2\n", ["a", "b c"], [[1, 2]]),
    ("1.0e+00 2.0e+00\n3 4\n", [], [[1, 2], [3, 4]]), ("  1   2\n 30   4 \n", [], [[1, 2], [30, 4]]),
    ("# a,b\n1,2\n", ["a", "b"], [[1, 2]]), ("# a b\n1 2\n", ["a", "b"], [[1, 2]]),
    ("#,b\n1,2\n", ["#", "b"], [[1, 2]]),
    ("x, y; z\n1, 2\n", ["x", "y; z"], [[1, 2]]), ("x\n1\n2\n\n\n", ["x"], [[1], [2]]),
    ("a,b\n\n1,2\n\n3,4\n", ["a", "b"], [[1, 2], [3, 4]]),
    // Sodium is a name, and NA is one beside others.
    ("RI,Na,NA\n1.5,13,4\n", ["RI", "Na", "NA"], [[1.5, 13, 4]]),
  ]

  @Test(arguments: good) func isRead(content: String, columns: [String], rows: [[Double]]) throws {
    let table = try Self.text(content)
    #expect(table.columns == columns && table.rows == rows, "\(content.debugDescription): \(table)")
  }

  static let bad: [(String, [String])] = [
    // A first line that is not clear.
    ("NA,2\n3,4\n", ["line 1, column 1 (\"NA\")", "numbers and gaps", "header = true", "header = false"]),
    ("1,,3\n4,5,6\n", ["line 1, column 2 (\"\")", "header = true", "header = false"]),
    ("1,nan\n2,3\n", ["line 1, column 2 (\"nan\")", "header = true"]),
    ("0,1,2\n5,6,7\n", ["line 1: 0, …, 2", "data frame", "header = true", "header = false"]),
    ("0\n5\n", ["line 1: 0", "data frame"]), (",0,1\n0,5,6\n1,7,8\n", ["line 1, column 1 (\"\")", "header = true"]),
    ("5.1,3.5,setosa\n4.9,3.0,setosa\n", ["line 1, column 3 (\"setosa\")", "number 5.1", "header = true"]),
    ("NA,setosa\n5.1,setosa\n", ["line 1, column 2 (\"setosa\")", "above numbers"]),
    ("1x\n2\n3\n", ["line 1, column 1 (\"1x\")", "is not a finite number"]),
    ("# made by a program\n1,2\n", ["line 1", "begins with #"]), ("a,b\n# 1,2\n3,4\n", ["line 2", "begins with #"]),
    ("# 1,2\n3,4\n", ["line 1", "begins with #"]),
    // Names.
    ("x,y,x\n1,2,3\n", ["line 1", "columns 1 and 3", "the same name, x"]),
    (",,b\n1,2,3\n", ["line 1", "columns 1 and 2", "no name"]),
    (",a,b\n0,1,2\n1,3,4\n", ["line 1: column 1 has no name", "drop = [\"\"]"]),
    ("Unnamed: 0,a\n0,1\n", ["column 1 has no name", "drop = [\"Unnamed: 0\"]"]),
    ("a,b,\n1,2,\n", ["column 3 has no name"]), ("a,b\n", ["names, and no rows"]),
    // Gaps and what is no number: the line as an editor counts them, and the name of the column.
    ("a,b\n1,2\n3,\n", ["line 3, column 2 (b): a gap"]), ("\"a\nz\",b\n1,2\n3,NA\n", ["line 4, column 2 (b): \"NA\""]),
    ("a,b\r\n1,2\r\n\r\n3,inf\r\n", ["line 4, column 2 (b): \"inf\""]), ("a\n1\n\n2\n", ["line 3", "may be a gap"]),
    ("a\tb\n1\t2\n\t\n", ["line 3, column 1 (a): a gap"]), ("a,b\n1,0x10\n", ["line 2, column 2 (b): \"0x10\""]),
    // Separators.
    ("a;b\n1,5;2,5\n", ["line 2, column 1 (a): \"1,5\"", "decimal comma", "1.5"]),
    ("1,5;2,5\n3,5;4,5\n", ["line 1", "commas and semicolons", "decimal points"]),
    ("1,2,3\n4;5;6\n", ["line 2"]), ("1 2 3\n4 5\n", ["line 2: 2 columns, the first line has 3"]),
    ("1,2,3\n4,5\n", ["line 2: 2 columns, the first line has 3"]),
    // Quotes.
    ("a,b\n\"1,2\n3,4\n", ["line 2, column 1", "never closed"]),
    ("a,b\n1,2\"\n", ["line 2, column 2", "a quote within"]),
    ("a,b\n\"1\"x,2\n", ["line 2, column 1", "after the closing quote"]),
    ("", ["is empty"]), ("\u{FEFF}\r\n\n", ["is empty"]), ("a,b\n1,\u{0}\n", ["line 2", "zero byte"]),
    ("PK\u{3}\u{4}rest", ["zip archive", ".xlsx"]),
  ]

  @Test(arguments: bad) func isRefused(content: String, words: [String]) {
    let message = Self.refusal(Array(content.utf8))
    #expect(message.hasPrefix("t.csv"), "\(content.debugDescription): \(message)")
    for word in words { #expect(message.contains(word), "\(content.debugDescription) should say \(word): \(message)") }
  }

  @Test func otherEncodingsAreNamed() {
    #expect(Self.refusal([0xFF, 0xFE, 0x31, 0]).contains("UTF-16"))
    #expect(Self.refusal([0xFE, 0xFF, 0, 0x31]).contains("UTF-16"))
    #expect(Self.refusal(Array("a,b\n1,2\n3,".utf8) + [0xE9]).contains("line 3: is not in UTF-8"))
    #expect(Self.refusal([0x1F, 0x8B, 8]).contains("gzip"))
  }

  /// What the job says decides, and what the first line then is.
  @Test func aStatedHeader() throws {
    let frame = try Self.text("0,1,2\n5,6,7\n", header: true)
    #expect(frame.columns == ["0", "1", "2"] && frame.rows == [[5, 6, 7]])
    let rows = try Self.text("0,1,2\n5,6,7\n", header: false)
    #expect(rows.columns.isEmpty && rows.rows == [[0, 1, 2], [5, 6, 7]])
    #expect(try Self.text(",0,1\n0,5,6\n1,7,8\n", header: true, drop: [""]).rows == [[5, 6], [7, 8]])
    #expect(Self.refusal(Array("NA,2\n3,4\n".utf8), header: false).contains("line 1, column 1: \"NA\""))
    #expect(try Self.text("NA,2\n3,4\n", header: false, rows: [1]).rows == [[3, 4]])
    #expect(Self.refusal(Array("a,b\n3,4\n".utf8), header: false).contains("line 1, column 1: \"a\""))
  }

  /// An index that a data frame has written is left out by its name, or refused; without names it has to be said that it is data.
  @Test func indexColumns() throws {
    let named = try Self.text(",a,b\n0,1,2\n1,3,4\n", drop: [""])
    #expect(named.columns == ["a", "b"] && named.rows == [[1, 2], [3, 4]])
    let counted = Array("3,1,7\n0,5,8\n1,6,9\n2,7,9\n".utf8)
    #expect(Self.refusal(counted).hasPrefix("read as"))
    let index = Array("0,5,8\n1,6,9\n2,7,9\n".utf8)
    #expect(Self.refusal(index).contains("column 1 counts the rows") && Self.refusal(index).contains("header = false"))
    #expect(Self.refusal(index, header: false).hasPrefix("read as [] [[0.0, 5.0"))
  }

  /// A column is dropped by its name; other columns and rows may hold anything.
  @Test func drops() throws {
    let iris = "\u{FEFF}length,\"species\"\n5.1,setosa\n,virginica\n4.9,\"a, b\"\n"
    #expect(try Self.text(iris, drop: ["species"], rows: [2, 0]).rows == [[4.9], [5.1]])
    let bytes = Array(iris.utf8)
    #expect(Self.refusal(bytes, drop: ["species"]).contains("line 3, column 1 (length): a gap"))
    #expect(
      Self.refusal(bytes, drop: ["Spcies"]).contains(
        "no column Spcies to drop; it has length, species; did you mean species?"))
    #expect(Self.refusal(bytes, drop: ["zebra"]).contains("to drop; it has length, species"))
    #expect(Self.refusal(bytes, drop: ["species", "length"]).contains("every column is dropped"))
    #expect(Self.refusal(Array("1,2\n2,3\n".utf8), drop: ["x"]).contains("columns have no names"))
    #expect(Self.refusal(bytes, drop: ["species"], rows: [3]).contains("row 3 was asked for, but there are 3 rows"))
  }

  /// The nearest double to every decimal, as strtod has it; nothing else is a number.
  @Test func numbers() throws {
    var random = SplitMix(state: 7)
    for _ in 0..<20_000 {
      let value = Double(bitPattern: random.next())
      guard value.isFinite else { continue }
      let text = String(format: "%.\(random.below(20))\(random.pick(["e", "g"]))", value)
      guard strtod(text, nil).isFinite else { continue }
      let read = try Self.text("a\n\(text)\n").rows[0][0]
      #expect(read.bitPattern == strtod(text, nil).bitPattern, "\(text)")
    }
    for text in ["1.", ".5", "+.5e+3", "1E5", "-0", "00012", "1e-999", "9007199254740993", "0.1e22", "1e22", "1e23"] {
      #expect(try Self.text("a\n\(text)\n").rows[0][0].bitPattern == strtod(text, nil).bitPattern, "\(text)")
    }
    for text in [".", "+", "e5", "1e", "1e+", "1 2", "0x1", "1_0", "1,0", "nan", "inf", "1e309", "１", "1d5", "- 1"] {
      #expect(Self.refusal(Array("a,b\n\"\(text)\",0\n".utf8)).contains("line 2, column 1 (a): \"\(text)\""), "\(text)")
    }
  }

  @Test func theLogLine() throws {
    func line(_ text: String, header: Bool? = nil) throws -> String {
      try DelimitedText(Array(text.utf8), file: "t.csv", header: header).summary
    }
    #expect(try line("a,b,c\n1,2,3\n4,5,6\n") == "3 columns, 2 rows, header: a, b, c")
    #expect(try line("5;6\n") == "2 columns, 1 row, separated by semicolons, no header")
    #expect(try line("0,5\n1,6\n2,7\n", header: false).hasSuffix("no header, column 1 counts the rows from 0"))
    let names = (0..<65).map { "p\($0)" }.joined(separator: ",")
    let long = try line(names + "\n" + (0..<65).map(String.init).joined(separator: ",") + "\n")
    #expect(long == "65 columns, 1 row, header: p0, p1, p2, p3, p4, p5, p6, p7, p8, …, p64")
  }
}
