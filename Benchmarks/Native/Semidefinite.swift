import Experiments
import Jobs
import Kernels
import Randomness
import Semidefinite

/// Max-Cut of a graph file to a relative gap, the bound proved: seconds of the processor from random vectors to the certificate, which is tried whenever the mixing method has
/// gained little, as one that does not know the value of the program must.
func semidefiniteTimes(_ files: [String]) throws {
  for file in files {
    let name = String(file.split(separator: "/").last!)
    let graph = try DataFiles(job: "").graph(GraphRequest(file: file))
    let (rank, accuracy) = (20, 1e-5)
    var result = (bound: 0.0, value: 0.0, sweeps: 0, mixing: 0.0, proof: 0.0)
    var seconds = Double.infinity
    for _ in 0..<20 {
      let start = processorSeconds()
      let program = SpinProgram(.maxCut, graph)
      let (n, stride) = (graph.vertices, SpinRows.stride(rank))
      let base = UnsafeMutablePointer<Double>.allocateZeros(n * stride)
      defer { base.deallocate() }
      var stream = Stream(key: 1)
      stream.start(draw: 0)
      for i in 0..<n { for c in 0..<rank { base[i * stride + c] = stream.normal() } }
      let rows = SpinRows(base, count: n, stride: stride)
      rows.normalise()
      let (factor, radii) = (SparseFactor(program.matrix), program.matrix.rowSums)
      var y = [Double](repeating: 0, count: n)
      var (sweeps, proof, until) = (0, 0.0, 100)
      while true {
        while sweeps < until {
          rows.relax(program.matrix)
          sweeps += 1
        }
        rows.alignments(program.matrix, into: &y)
        let begun = processorSeconds()
        let certificate = DualCertificate(program, factor, multipliers: y, radii: radii)
        proof += processorSeconds() - begun
        let value = program.value(y)
        if certificate.bound - value <= accuracy * certificate.bound {
          let spent = processorSeconds() - start
          if spent < seconds {
            seconds = spent
            result = (certificate.bound, value, sweeps, spent - proof, proof)
          }
          break
        }
        until *= 2
      }
    }
    sink += result.bound
    report(
      "max-cut",
      [
        ("graph", "\"\(name)\""), ("seconds", "\(seconds)"), ("value", "\(result.value)"), ("bound", "\(result.bound)"),
        ("sweeps", "\(result.sweeps)"), ("mixing", "\(result.mixing)"), ("proof", "\(result.proof)"),
        ("accuracy", "\(accuracy)"), ("rank", "\(rank)"),
      ])
  }
}
