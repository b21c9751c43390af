import Experiments

/// A question that people ask, and a job that answers it: what `fathom new` writes. Jobs of examples take seconds, and expect
/// something of themselves as those of jobs/ do.
package struct Example: Sendable {
  package let name, question: String
  /// Dotted keys of the sizes that are asked for, at most two.
  package let sizes: [String]
  /// A job without comments on its keys: those are made from the catalog.
  package let job: String

  package init(_ name: String, _ question: String, sizes: [String], _ job: String) {
    (self.name, self.question, self.sizes, self.job) = (name, question, sizes, job)
  }

  /// In the order in which they are listed.
  package static let all: [Example] = networks + training + particles + samples

  /// Throws a `Failure` with status 64 that names the nearest.
  package static func named(_ name: String) throws -> Example {
    if let found = all.first(where: { $0.name == name }) { return found }
    let names = all.map(\.name)
    throw Failure(
      .usage, "\(name) is no example; there is \(names.joined(separator: ", "))\(Nearest.hint(name, among: names))")
  }

  /// What the job says of one of its sizes.
  package func size(_ key: String) throws -> String {
    try TOML.parse(job, name: name)[key]?.description ?? ""
  }

  /// The job with a comment on every key: what it is, its unit and its range, as the catalog has them.
  /// - Parameters:
  ///   - file: its name, for the commands in its first lines.
  ///   - sizes: values in the place of those of the job, by dotted key.
  package func text(file: String, sizes: [String: String] = [:]) throws -> String {
    let value = try TOML.parse(job, name: name)
    let stem = file.hasSuffix(".toml") ? String(file.dropLast(5)) : file
    let output = (stem.split(separator: "/").last.map(String.init) ?? stem) + ".h5"
    var lines = [
      "# \(question)", "#", "#   fathom run \(file)", "#   fathom explain \(output)", "#",
      "# Every key with its range and default: fathom catalog.",
    ]
    var table = ""
    var limits = 0
    for line in job.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasPrefix("[") {
        table = line.filter { $0 != "[" && $0 != "]" }
        if table == "limit" { limits += 1 }
      }
      guard let end = line.firstRange(of: " = "), !line.hasPrefix("#"), !line.hasPrefix(" "),
        let parameter = Self.parameter(String(line[..<end.lowerBound]), table, limits, value)
      else {
        lines.append(line)
        continue
      }
      let key = table.isEmpty ? parameter.name : "\(table).\(parameter.name)"
      let own = sizes[key].map { "\(parameter.name) = \($0)" } ?? line
      lines += Self.commented(own, parameter)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: Comments

  private static let columns = 118

  private static func commented(_ line: String, _ parameter: Parameter) -> [String] {
    let unit = parameter.unit == "1" ? "" : "[\(parameter.unit)] "
    let text = "\(unit)\(parameter.summary); \(parameter.allowed)"
    let start = line.count < 32 ? line + String(repeating: " ", count: 32 - line.count) : line + "  "
    if start.count + 2 + text.count <= columns { return ["\(start)# \(text)"] }
    var lines: [String] = []
    var own = "#"
    for word in text.split(separator: " ") {
      if own.count + 1 + word.count > columns {
        lines.append(own)
        own = "#"
      }
      own += " " + word
    }
    return lines + [own, line]
  }

  /// The entry of the catalog for a key of a table; nil in tables whose keys are those of others.
  private static func parameter(_ key: String, _ table: String, _ limits: Int, _ job: JobValue) -> Parameter? {
    if table.isEmpty { return JobReader.topParameters.first { $0.name == key } }
    if ["sweep", "expect", "check", "check.expect", "check.sweep"].contains(table) { return nil }
    var chosen: [String] = []
    for name in ["architecture", "system", "integrator", "problem", "sampler"] {
      if case .text(let text)? = job["\(table).\(name)"] { chosen.append(text) }
    }
    if table == "limit" {
      let tables: [JobValue] = if case .list(let list)? = job["limit"] { list } else { [job["limit"] ?? .table([:])] }
      if case .text(let text)? = tables[limits - 1]["equation"] { chosen.append(text) }
    }
    let entries = Registry.entries
    let mine = entries.filter { chosen.contains($0.name) } + entries.filter { $0.kind == "table" && $0.name == table }
    return mine.lazy.flatMap(\.parameters).first { $0.name == key }
  }
}
