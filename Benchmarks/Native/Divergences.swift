import Divergences
import Kernels

/// A step of the law of LMC on a grid: U = (1 + x^2)^{1/2}, h = 0.1, [-40, 40], as SciPy makes it in `peers_divergence.py`.
func divergenceTimes() {
  for points in [2001, 1201] {
    let law = GridStepper(alpha: 1, step: 0.1, reach: 40, points: points)
    law.start(mean: 3, std: 0.5)
    let seconds = bestOfProcessor(total: 1) {
      for _ in 0..<20 { law.step() }
      sink += law.divergence()
    }
    law.start(mean: 3, std: 0.5)
    for _ in 0..<100 { law.step() }
    report(
      "grid", [("points", "\(points)"), ("ms", "\(seconds / 20 * 1e3)"), ("kl", "\(law.divergence())")])
  }
}
