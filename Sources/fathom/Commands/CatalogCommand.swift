import ArgumentParser
import Foundation
import Limits
import Networks
import Particles
import Simulation

struct CatalogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "catalog",
    abstract: "List architectures, activations, limits, particle systems, integrators and every key of a job.")

  @Flag(help: "Print JSON.") var json = false

  private struct Entry {
    let kind, name, summary, equation, reference: String
    let parameters: [Parameter]
  }

  private var entries: [Entry] {
    NetworkCatalog.architectures.map {
      Entry(
        kind: "architecture", name: $0.name, summary: $0.summary, equation: $0.equation, reference: $0.reference,
        parameters: $0.parameters)
    }
      + ActivationEntry.all.map {
        Entry(
          kind: "activation", name: $0.name, summary: $0.summary, equation: "", reference: "", parameters: $0.parameters
        )
      }
      + LimitCatalog.limits.map {
        Entry(
          kind: "limit", name: $0.name, summary: $0.summary, equation: $0.equation, reference: $0.reference,
          parameters: $0.parameters)
      }
      + ParticleCatalog.systems.map {
        Entry(
          kind: "system", name: $0.name, summary: $0.summary, equation: $0.equation, reference: $0.reference,
          parameters: $0.parameters)
      }
      + ParticleCatalog.integrators.map {
        Entry(
          kind: "integrator", name: $0.name, summary: $0.summary, equation: $0.equation, reference: $0.reference,
          parameters: $0.parameters)
      } + [
        Entry(
          kind: "table", name: "particles",
          summary: "a particle system; takes the keys of its system and integrator as well",
          equation: "", reference: "", parameters: ParticleCatalog.parameters),
        Entry(
          kind: "table", name: "bias", summary: "tells the bias in the number of particles from that in the step size",
          equation: "", reference: "", parameters: JobReader.biasParameters),
        Entry(
          kind: "table", name: "network.inputs", summary: "the inputs of a network", equation: "", reference: "",
          parameters: Inputs.parameters),
        Entry(
          kind: "table", name: "health",
          summary: "asks for a health report: which failures, how likely, from which depth on",
          equation: "", reference: "", parameters: JobReader.healthParameters),
        Entry(
          kind: "table", name: "run", summary: "how a job runs", equation: "", reference: "",
          parameters: JobReader.runParameters),
        Entry(
          kind: "table", name: "comparison", summary: "when two laws count as the same", equation: "", reference: "",
          parameters: JobReader.comparisonParameters),
      ]
  }

  func run() throws {
    print(json ? try jsonText() : text())
  }

  private func text() -> String {
    var lines: [String] = []
    for entry in entries {
      lines.append("\(entry.kind) \(entry.name): \(entry.summary)")
      if !entry.equation.isEmpty { lines.append("  equation:  \(entry.equation)") }
      if !entry.reference.isEmpty { lines.append("  reference: \(entry.reference)") }
      for parameter in entry.parameters {
        let standard =
          parameter.standard.map { ", default \($0)" } ?? (parameter.optional ? ", optional" : ", required")
        let unit = parameter.unit == "1" ? "" : " [\(parameter.unit)]"
        lines.append("  \(parameter.name)\(unit): \(parameter.summary); \(parameter.allowed)\(standard)")
      }
      lines.append("")
    }
    return lines.dropLast().joined(separator: "\n")
  }

  private func jsonText() throws -> String {
    let list = entries.map { entry -> [String: Any] in
      [
        "kind": entry.kind, "name": entry.name, "summary": entry.summary, "equation": entry.equation,
        "reference": entry.reference,
        "parameters": entry.parameters.map { parameter -> [String: Any] in
          [
            "name": parameter.name, "unit": parameter.unit, "allowed": parameter.allowed, "summary": parameter.summary,
            "default": parameter.standard?.description as Any? ?? NSNull(),
            "required": parameter.standard == nil && !parameter.optional,
          ]
        },
      ]
    }
    let data = try JSONSerialization.data(
      withJSONObject: ["schema": "fathom-catalog/1", "entries": list],
      options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
    return String(decoding: data, as: UTF8.self)
  }
}
