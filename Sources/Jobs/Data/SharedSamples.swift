import Experiments

extension SharedData {
  /// Rows that rank 0 reads for all.
  package func samples(_ request: SampleRequest) throws -> SampleTable {
    if let table = sampleTables[request] { return table }
    var encoder = StateEncoder()
    try world.onRoot {
      let table = try source.samples(request)
      encoder.add("texts", [table.path, table.digest] + (table.axis.map { [$0] } ?? []))
      encoder.add("names", table.columns.map(\.name))
      encoder.add("points", table.columns.map { $0.point ?? .nan })
      encoder.add("values", table.values)
    }
    let decoder = StateDecoder(bytes: try world.broadcast(world.isRoot ? encoder.bytes : []))
    let texts = try decoder.texts("texts")
    let columns = zip(try decoder.texts("names"), try decoder.doubles("points")).map {
      SampleTable.Column($0, at: $1.isNaN ? nil : $1)
    }
    let table = SampleTable(
      path: texts[0], digest: texts[1], axis: texts.count > 2 ? texts[2] : nil, columns: columns,
      values: try decoder.doubles("values"))
    sampleTables[request] = table
    return table
  }
}
