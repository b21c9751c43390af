import Experiments
import Networks
import Statistics

extension FiniteWidth {
  /// A reference that predicts fluctuations and information as well, to their leading orders 1/n and 1/n^2:
  /// $v = C_{aa,aa}/(n K^2)$, $I = m_1 m_2 v^2/8$ (arXiv:2106.10165, app. A).
  func adding(_ asked: InformationRequest, to known: ReferenceValues, _ settings: NetworkSettings) -> ReferenceValues {
    let m = settings.count
    let units = (asked.units[0], asked.units[1])
    var found: [PredictedStatistic] = []
    for a in 0..<m {
      guard let place = known.schema.place(of: "log_V[\(a)]") else { continue }
      var state: Single? = Single(variance: settings.inputs.gram[a * m + a])
      var reached = settings.inputs.layer
      for (record, target) in settings.layers.enumerated() {
        while reached < target {
          state = state.flatMap { next($0, moments) }
          reached += 1
        }
        guard let state, state.variance > 0 else { break }
        let v = state.vertex / (Double(width) * state.variance * state.variance)
        for (name, value) in [
          (InformationRequest.fluctuationName(a), v),
          (InformationRequest.informationName(a), UnitInformation.leading(v, units: units)),
        ] {
          found.append(PredictedStatistic(.estimand(name), record: record, observable: place, value: value))
        }
      }
    }
    return ReferenceValues(schema: known.schema, statistics: known.statistics + found, remainder: known.remainder)
  }
}
