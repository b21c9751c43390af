import Experiments

/// Networks of finite width, as `peers_finite_width.py` draws them: a tangent kernel, its change, a Transformer; microseconds a draw.
func finiteWidthTimes() throws {
  func time(
    _ name: String, _ label: String, _ keys: [String: JobValue], n: Int, depth: Int, inputs: JobValue? = nil,
    batch: UInt64
  ) throws {
    let (ms, normal) = try drawTime(
      inputs.map { keys.merging(["inputs": $0]) { $1 } } ?? keys, width: n, depth: depth, inputs: 2,
      sampler: "conditional", seconds: 0.5, batch: batch)
    var fields = [("label", "\"\(label)\""), ("us", "\(ms * 1e3)"), ("normal", "\(normal)")]
    for (key, value) in keys { if case .text(let text) = value { fields.append((key, "\"\(text)\"")) } }
    report(name, fields)
  }
  func probes(_ names: String..., of observable: String, activation: String) -> [String: JobValue] {
    [
      "architecture": .text("mlp"), "activation": .text(activation), "c": .real(activation == "relu" ? 2 : 1),
      "probes": .list(names.map { .text($0) }), "observables": .list([.text(observable)]),
    ]
  }
  for activation in ["tanh", "relu"] {
    try time("ntk", "reduced", probes("ntk", of: "ntk", activation: activation), n: 80, depth: 3, batch: 200)
    try time("ntk", "passes", probes("ntk", "output", of: "ntk", activation: activation), n: 80, depth: 3, batch: 100)
  }
  try time(
    "pre-ln-transformer", "reduced",
    [
      "architecture": .text("pre-ln-transformer"), "activation": .text("gelu"), "heads": .integer(4),
      "observables": .list([.text("V")]),
    ], n: 256, depth: 4,
    inputs: .table([
      "gram": .list([[1, 0.5, 0.2], [0.5, 1, -0.3], [0.2, -0.3, 0.8]].map { .list($0.map(JobValue.real)) })
    ]),
    batch: 4)
  try time("dntk", "passes", probes("dntk", of: "dntk", activation: "tanh"), n: 256, depth: 4, batch: 10)
}
