import ArgumentParser
import Experiments
import Foundation
import Jobs

struct CatalogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "catalog",
    abstract: "List architectures, activations, limits, particle systems, integrators and every key of a job.")

  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    try Console.print(json ? jsonText() : text())
  }

  private func text() -> String {
    var lines: [String] = []
    for entry in Registry.entries {
      lines.append("\(entry.kind) \(entry.name): \(entry.summary)")
      if !entry.equation.isEmpty { lines.append("  equation:  \(entry.equation)") }
      if !entry.reference.isEmpty { lines.append("  reference: \(entry.reference)") }
      for parameter in entry.parameters {
        let standard =
          parameter.default.map { ", default \($0)" } ?? (parameter.optional ? ", optional" : ", required")
        let unit = parameter.unit == "1" ? "" : " [\(parameter.unit)]"
        lines.append("  \(parameter.name)\(unit): \(parameter.summary); \(parameter.allowed)\(standard)")
      }
      lines.append("")
    }
    return lines.dropLast().joined(separator: "\n")
  }

  private func jsonText() throws -> String {
    // The lines of the families come one after another, behind that of the keys at the top.
    let families = [""] + Registry.families.flatMap { family in family.entries.map { _ in family.table } }
    let list = Registry.entries.enumerated().map { place, entry -> [String: Any] in
      [
        "family": place < families.count ? families[place] : "", "kind": entry.kind, "name": entry.name,
        "summary": entry.summary, "equation": entry.equation,
        "reference": entry.reference,
        "parameters": entry.parameters.map { parameter -> [String: Any] in
          [
            "name": parameter.name, "unit": parameter.unit, "allowed": parameter.allowed, "summary": parameter.summary,
            "default": parameter.default?.description as Any? ?? NSNull(),
            "required": parameter.default == nil && !parameter.optional,
          ]
        },
      ]
    }
    let data = try JSONSerialization.data(
      withJSONObject: ["schema": "fathom-catalog/1", "stream_version": Job.streamVersion, "entries": list],
      options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
    return String(decoding: data, as: UTF8.self)
  }
}
