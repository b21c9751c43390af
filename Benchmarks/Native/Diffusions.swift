import Diffusions
import Kernels
import Randomness

/// Steps of a variance-exploding diffusion with the exact score of a kernel mixture around a given number of points, for 64 samples side by side.
func diffusionTimes() {
  for (points, dimension) in [(180, 64), (1797, 64)] {
    var stream = Stream(key: 5)
    stream.start(draw: 0)
    let cloud = PointCloud(
      (0..<points).map { _ in (0..<dimension).map { _ in stream.normal() } }, bandwidth: 0.1)
    let (block, steps) = (64, 60)
    let room = cloud.makeRoom(block: block)
    let (y, means) = (
      UnsafeMutablePointer<Double>.allocateZeros(block * dimension),
      UnsafeMutablePointer<Double>.allocateZeros(block * dimension)
    )
    defer {
      y.deallocate()
      means.deallocate()
    }
    let seconds = best {
      for i in 0..<block * dimension { y[i] = 0.03 * stream.normal() }
      var t = 1e-3
      for _ in 0..<steps {
        cloud.means(y, rows: block, signal: t, into: means, room)
        let step = t * 0.3
        let root = step.squareRoot()
        for i in 0..<block * dimension { y[i] += step * means[i] + root * stream.normal() }
        t += step
      }
      sink += y[0]
    }
    print(
      "{\"name\": \"diffusion\", \"points\": \(points), \"dimension\": \(dimension), \"per_second\": \(Double(block * steps) / seconds)}"
    )
  }
}
