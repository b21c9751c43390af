import Archive

/// Writes a table with the values of its axis, and reads it back: the path then holds this file whole, or what it held before.
func squares(of values: [Double], at path: String) throws -> [Double] {
  var writer = try ArchiveWriter(path: path)
  try writer.makeGroup("/table")
  try writer.write("/table/x", shape: [values.count], values)
  try writer.makeScale("/table/x", name: "x")
  try writer.write("/table/square", shape: [values.count], values.map { $0 * $0 })
  try writer.attachScales(["/table/x"], to: "/table/square")
  try writer.setAttribute("/table", "unit", "m")
  // Nothing stands at the path until here.
  try writer.publish()

  let reader = try ArchiveReader(sealed: path)
  let (shape, squares) = try reader.read("/table/square", as: Double.self)
  precondition(shape == [values.count])
  return squares
}
