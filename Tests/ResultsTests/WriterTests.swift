import Archive
import Experiments
import Foundation
import Testing

import Results

@Suite struct WriterTests {
  private var rows: Table {
    var table = Table(
      group: "comparison/0",
      attributes: [("case", .text("main")), ("critical_z", .number(.infinity)), ("n", .integer(3))],
      rows: [
        .init("observable", .texts(["a", "bb", "c"])), .init("value", .numbers([1.23456, .nan, -2])),
        .init("error", .numbers([0.015, 0.1, 0])), .init("reached", .optionalIntegers([4, nil, 9])),
        .init("verdict", .optionalTexts([nil, "agrees", "differs"])), .init("seen", .flags([true, false, true])),
        .init("sizes", .numbers([1, 2, 3, 4, 5, .nan]), axes: ["row", "point"]),
      ])
    table.axes.append(.init("point", .integers([0, 1]), axes: ["point"]))
    table.fields = [
      .init("observable", "observable"), .init("value", "value", .value(error: "error")),
      .init("z", "value", .format("%+.2f", missing: "untested")), .init("reached", "reached"),
      .init("n", "reached", .format("%d", missing: "never")), .init("verdict", "verdict"),
    ]
    table.shown = [2, 0]
    table.heading = "heading"
    table.notes = ["note"]
    return table
  }

  @Test func textIsAligned() {
    #expect(
      TextWriter.lines(rows, all: false) == [
        "heading",
        "observable  value      z      reached  n  verdict",
        "c           -2         -2.00  9        9  differs",
        "a           1.235(15)  +1.23  4        4  -      ",
        "(1 more row: fathom show --all)",
        "note",
      ])
    let all = TextWriter.lines(rows, all: true)
    #expect(all.count == 6)
    #expect(all[3] == "bb          -          untested  -        never  agrees ")
  }

  @Test func numbersCarryTheirErrors() {
    #expect(TextWriter.withError(0.52261, 0.0015) == "0.5226(15)")
    #expect(TextWriter.withError(2, 0) == "2" && TextWriter.withError(.infinity, 1) == "inf")
    #expect(TextWriter.withError(1234.5, 120) == "1234(120)" && TextWriter.withError(0.1, .nan) == "0.1")
  }

  @Test func jsonHasAttributesAndRows() throws {
    let text = try JSONWriter.text(GroupDocument(tables: [rows], lists: ["marginals"]))
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as! [String: Any]
    #expect(object["case"] as? String == "main" && (object["marginals"] as? [Any])?.isEmpty == true)
    #expect(object["critical_z"] is NSNull && object["n"] as? Int == 3)
    let found = object["rows"] as! [[String: Any]]
    #expect(found.count == 3 && found[0]["row"] == nil && found[0]["reached"] as? Int == 4)
    #expect(found[1]["reached"] is NSNull && found[1]["value"] is NSNull && found[0]["verdict"] is NSNull)
    #expect(found[0]["sizes"] as? [Int] == [1, 2] && found[2]["sizes"] as? [Int] == [5])
    #expect(found[0]["seen"] as? Bool == true)
  }

  @Test func jsonNestsFurtherAxes() throws {
    var table = Table(group: "x")
    table.axes = [
      .init("layer", .numbers([1, 2]), axes: ["layer"]), .init("observable", .texts(["a", "b"]), axes: ["observable"]),
      .init("level", .numbers([0.1, 0.9, 0.99]), axes: ["level"]),
    ]
    table.columns = [
      .init("mean", .numbers([1, 2, 3, 4]), axes: ["layer", "observable"]),
      .init("quantile", .numbers((0..<12).map(Double.init)), axes: ["layer", "observable", "level"]),
    ]
    let text = try JSONWriter.text(GroupDocument(tables: [table]))
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as! [String: Any]
    let last = (object["rows"] as! [[String: Any]])[3]
    #expect(last["layer"] as? Int == 2 && last["observable"] as? String == "b" && last["mean"] as? Int == 4)
    let levels = last["levels"] as! [[String: Any]]
    #expect(levels.map { $0["quantile"] as? Int } == [9, 10, 11] && levels[0]["level"] as? Double == 0.1)
  }

  @Test func severalTablesShareAGroup() throws {
    let folder = try Folder()
    var other = Table(group: "comparison/0")
    other.attributes = [("more", .text("yes"))]
    other.columns = [.init("square", .numbers([1, 4, 9]), axes: ["row"], unit: "m", "a square")]
    var writer = try ArchiveWriter(path: folder("x.h5"))
    try TableWriter.write([rows, other], to: &writer)
    try writer.publish()
    let reader = try ArchiveReader(sealed: folder("x.h5"))
    #expect(try reader.read("/comparison/0/square", as: Double.self).values == [1, 4, 9])
    #expect(try reader.attribute("/comparison/0/square", "units") == "m")
    #expect(try reader.attribute("/comparison/0", "more") == "yes")
    #expect(try reader.numberAttribute("/comparison/0", "critical_z") == .infinity)
    #expect(try reader.values("/comparison/0/seen").values == .integers([1, 0, 1]))
    #expect(try reader.readStrings("/comparison/0/verdict") == ["", "agrees", "differs"])
    let reached = try reader.read("/comparison/0/reached", as: Double.self).values
    #expect(reached[0] == 4 && reached[1].isNaN)
    other.columns = [.init("short", .numbers([1]), axes: ["row"])]
    var again = try ArchiveWriter(path: folder("y.h5"))
    #expect(throws: Failure.self) { try TableWriter.write([rows, other], to: &again) }
  }
}
