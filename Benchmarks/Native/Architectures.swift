import Networks
import Randomness
import Experiments
import Statistics

/// Every architecture at n = 1024, d = 256, m = 2 and 8: milliseconds a draw, conditional and with every weight. The weights run
/// through a few layers only, since a layer costs the same wherever it is; so do gated networks, which over- or underflow when
/// they are deep.
let architectures: [(label: String, keys: [String: JobValue], layersOfWeights: Int)] = [
  ("mlp, relu", ["architecture": .text("mlp"), "activation": .text("relu")], 4),
  ("mlp, tanh", ["architecture": .text("mlp"), "activation": .text("tanh")], 4),
  ("mlp, gelu", ["architecture": .text("mlp"), "activation": .text("gelu")], 4),
  ("orthogonal-mlp, relu", ["architecture": .text("orthogonal-mlp"), "activation": .text("relu")], 1),
  ("linear-mlp", ["architecture": .text("linear-mlp")], 4),
  ("gated-mlp, silu", ["architecture": .text("gated-mlp"), "activation": .text("silu")], 4),
  ("resnet, relu", ["architecture": .text("resnet"), "activation": .text("relu")], 4),
  (
    "conv-resnet, relu, 4 positions",
    ["architecture": .text("conv-resnet"), "activation": .text("relu"), "positions": .integer(4)], 4
  ),
  ("transformer", ["architecture": .text("transformer"), "bound": .real(1e6)], 4),
  (
    "transformer, mlp block",
    ["architecture": .text("transformer"), "bound": .real(1e6), "mlp": .table(["name": .text("shaped-relu")])], 4
  ),
  ("ntk-mlp, tanh", ["architecture": .text("ntk-mlp"), "activation": .text("tanh"), "c": .real(1)], 4),
]

/// Milliseconds a draw of a batch, and nanoseconds a normal in between.
func drawTime(
  _ keys: [String: JobValue], width: Int, depth: Int, inputs: Int, sampler: String, seconds total: Double,
  batch: UInt64 = 1
) throws -> (ms: Double, normal: Double) {
  let standard: [String: JobValue] = [
    "width": .integer(Int64(width)), "depth": .integer(Int64(depth)), "sampler": .text(sampler), "draws": .integer(10),
    "inputs": .table(["correlation": .real(0.3), "count": .integer(Int64(inputs))]),
    "observables": .list([.text("log_V"), .text("rho")]),
  ]
  let model = try NetworkCatalog.read(.table(standard.merging(keys) { $1 }), path: "network", data: NoData())
  let (runner, tally) = prepare(model.experiment, covariances: false)
  var next: UInt64 = 0
  var stream = Stream(key: 1)
  stream.start(draw: 0)
  let count = 1 << 16
  let (draw, normals) = bestInTurns(total: total) {
    runner.run(next..<next + batch, tally, nil)
    next += batch
  } _: {
    drawNormals(&stream, count)
  }
  sink += tally.moments(0).mean
  return (draw / Double(batch) * 1e3, normals / Double(count) * 1e9)
}

func architectureTimes() throws {
  for (label, keys, layers) in architectures {
    for m in [2, 8] {
      let depth = label.hasPrefix("gated") ? 4 : 256
      let (draw, normal) = try drawTime(
        keys, width: 1024, depth: depth, inputs: m, sampler: "conditional", seconds: 0.3)
      let conditional = draw * 256 / Double(depth)
      let weights =
        try drawTime(keys, width: 1024, depth: layers, inputs: m, sampler: "weights", seconds: 0).ms * 256
        / Double(layers)
      report(
        "architecture",
        [
          ("label", "\"\(label)\""), ("m", "\(m)"), ("conditional", "\(conditional)"), ("normal", "\(normal)"),
          ("weights", "\(weights)"),
        ])
    }
  }
  // Cost against the width where it should not depend on it.
  for (label, keys) in [("transformer", architectures[8].keys), ("linear-mlp", architectures[4].keys)] {
    for n in [64, 4096, 1_000_000, 1_000_000_000] {
      let ms = try drawTime(keys, width: n, depth: 256, inputs: 4, sampler: "conditional", seconds: 0.3).ms
      report("any-width", [("label", "\"\(label)\""), ("n", "\(n)"), ("ms", "\(ms)")])
    }
  }
}

/// Cost of the conditional samplers against n, d and m, for the plots.
func costs() throws {
  for (label, keys, _) in architectures {
    for (axis, n, d, m) in [256, 512, 1024, 2048, 4096].map({ ("n", $0, 64, 2) })
      + [16, 64, 256].map({ ("d", 256, $0, 2) })
      + [1, 2, 4, 8, 16].map({ ("m", 1024, 16, $0) })
    {
      // Gated networks over- or underflow when they are deep; a layer costs the same wherever it is.
      let depth = label.hasPrefix("gated") ? 4 : d
      let ms =
        try drawTime(keys, width: n, depth: depth, inputs: m, sampler: "conditional", seconds: 0.1).ms * Double(d)
        / Double(depth)
      report(
        "cost",
        [
          ("label", "\"\(label)\""), ("axis", "\"\(axis)\""), ("size", "\(["n": n, "d": d, "m": m][axis]!)"),
          ("ms", "\(ms)"),
        ])
    }
  }
}
