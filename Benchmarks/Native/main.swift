import Kernels
import Randomness

func now() -> Double {
  let c = ContinuousClock.now - start
  return Double(c.components.seconds) + Double(c.components.attoseconds) * 1e-18
}
let start = ContinuousClock.now
var sink = 0.0
var s = Stream(key: 7)
s.start(draw: 1)
for size in [1024, 2048, 4096] {
  var best = 1e9
  for _ in 0..<30 {
    let t = now()
    for _ in 0..<(2_000_000 / size) {
      let p = s.normals(size)
      sink += p[3]
    }
    best = min(best, (now() - t) / Double(2_000_000 / size * size))
  }
  print("normals \(size): \(best * 1e9) ns")
}
print(sink)
