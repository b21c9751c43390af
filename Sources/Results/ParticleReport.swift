import Foundation
import Simulation

/// The part of the report that is about particle systems.
extension Report {
  func table(_ item: Diagnostics) -> [String] {
    var rows = [["observable", "mean", "batch means", "effective samples", "split R-hat"]]
    for row in item.rows {
      rows.append([
        row.observable, Self.withError(row.mean, row.error), Self.withError(row.mean, row.batchMeansError),
        row.effectiveSamples.isFinite ? String(format: "%.4g", row.effectiveSamples) : "-",
        row.rHat.isFinite ? String(format: "%.4f", row.rHat) : "-",
      ])
    }
    var lines = Self.aligned(rows)
    for marginal in item.marginals {
      var text = "law of \(marginal.name): entropy \(Self.withError(marginal.entropy, marginal.entropyError))"
      if let law = marginal.law {
        text +=
          "; from the known one (\(law)): W2 = \(Self.withError(marginal.w2, marginal.w2Error)), KL = \(Self.withError(marginal.divergence, marginal.divergenceError))"
        if marginal.normalDivergence.isFinite {
          text += ", by second moments \(Self.withError(marginal.normalDivergence, marginal.normalDivergenceError))"
        }
      }
      lines.append(text)
    }
    if let free = item.freeEnergy { lines.append("free energy per particle \(Self.withError(free.value, free.error))") }
    lines.append("certificate: " + item.sentence + ".")
    return lines
  }

  func table(_ bias: Bias) -> [String] {
    var rows = [["observable", "step", "value", "bias in N", "bias in h", "extrapolated", "limit", "z"]]
    let last = bias.rows.map(\.record).max() ?? 0
    for row in bias.rows where allLayers || row.record == last {
      rows.append([
        row.observable, String(row.record), Self.withError(row.value, row.valueError),
        Self.withError(row.numberBias, row.numberError), Self.withError(row.stepBias, row.stepError),
        Self.withError(row.extrapolated, row.extrapolatedError),
        row.reference.isNaN ? "-" : String(format: "%.8g", row.reference),
        row.z.isNaN ? "-" : String(format: "%+.2f", row.z),
      ])
    }
    return ["bias\(bias.caseLabel == "main" ? "" : " of case \(bias.caseLabel)")"] + Self.aligned(rows)
  }

  func table(_ sweep: OrderSweep) -> [String] {
    let size = sweep.key == "particles.number" ? "1/N" : "h"
    var rows = [["observable", "order in \(size)", "coefficient", "at \(size) = 0", "chi2/dof"]]
    for row in sweep.rows {
      let fit = row.fit
      rows.append([
        row.observable, fit.isSeen ? Self.withError(fit.order, fit.orderError) : "no error seen",
        fit.isSeen ? String(format: "%.4g", fit.coefficient) : "-",
        fit.limitError == 0 ? String(format: "%.8g (known)", fit.limit) : Self.withError(fit.limit, fit.limitError),
        String(format: "%.2g/%d", fit.chiSquare, fit.degreesOfFreedom),
      ])
    }
    return ["order of the error, \(sweep.key) swept\(sweep.label.isEmpty ? "" : ", \(sweep.label)")"]
      + Self.aligned(rows)
  }

  /// Keys of the JSON report that only particle jobs fill.
  func particleEntries(_ number: (Double) -> Any) -> [String: Any] {
    [
      "diagnostics": diagnostics.map { item -> [String: Any] in
        [
          "case": item.caseLabel, "leg": item.leg, "replicas": item.replicas, "certificate": item.sentence,
          "free_energy": number(item.freeEnergy?.value ?? .nan),
          "free_energy_error": number(item.freeEnergy?.error ?? .nan),
          "rows": item.rows.map { row -> [String: Any] in
            [
              "observable": row.observable, "mean": number(row.mean), "standard_error": number(row.error),
              "batch_means_error": number(row.batchMeansError), "effective_samples": number(row.effectiveSamples),
              "split_r_hat": number(row.rHat),
            ]
          },
          "marginals": item.marginals.map { marginal -> [String: Any] in
            [
              "name": marginal.name, "known_law": marginal.law as Any? ?? NSNull(), "w2": number(marginal.w2),
              "w2_error": number(marginal.w2Error), "kl": number(marginal.divergence),
              "kl_error": number(marginal.divergenceError), "entropy": number(marginal.entropy),
              "entropy_error": number(marginal.entropyError), "kl_normal": number(marginal.normalDivergence),
              "kl_normal_error": number(marginal.normalDivergenceError),
            ]
          },
        ]
      },
      "bias": biases.map { bias -> [String: Any] in
        [
          "case": bias.caseLabel, "step_order": bias.order, "sentence": bias.sentence,
          "rows": bias.rows.map { row -> [String: Any] in
            [
              "observable": row.observable, "step": row.record, "value": number(row.value),
              "value_error": number(row.valueError), "number_bias": number(row.numberBias),
              "number_bias_error": number(row.numberError), "step_bias": number(row.stepBias),
              "step_bias_error": number(row.stepError), "extrapolated": number(row.extrapolated),
              "extrapolated_error": number(row.extrapolatedError), "reference": number(row.reference),
              "z": number(row.z),
            ]
          },
        ]
      },
      "orders": orders.map { sweep -> [String: Any] in
        [
          "label": sweep.label, "key": sweep.key,
          "rows": sweep.rows.map { row -> [String: Any] in
            [
              "observable": row.observable, "sizes": row.sizes, "order": number(row.fit.order),
              "order_error": number(row.fit.orderError), "coefficient": number(row.fit.coefficient),
              "limit": number(row.fit.limit), "limit_error": number(row.fit.limitError),
              "chi_square": number(row.fit.chiSquare), "degrees_of_freedom": row.fit.degreesOfFreedom,
              "seen": row.fit.isSeen,
            ]
          },
        ]
      },
    ]
  }
}
