import Kernels

/// Products of matrices at the shapes of training, against what the vector units of this core give at the same time, in double and in
/// single precision: times of the processor, since a window of milliseconds is seldom free of other processes.
func matrixTimes() {
  for shape in [32, 64, 128, 256, 512].map({ MatrixShape($0, $0, $0) }) { shape.time() }
  // Forward, a batch at a time; the weights' gradient X^T G, as it is and scaled into the weights.
  for (batch, features, width) in [(128, 64, 256), (128, 784, 256), (256, 784, 256), (128, 128, 128), (128, 1024, 256)]
  {
    MatrixShape(batch, width, features).time()
    MatrixShape(features, width, batch, .transposed).time()
    MatrixShape(features, width, batch, .scaled).time()
  }
}

/// C is rows x columns, the sum has `inner` terms.
private struct MatrixShape {
  enum Kind: String { case plain, transposed, scaled }

  let rows, columns, inner: Int
  let kind: Kind

  init(_ rows: Int, _ columns: Int, _ inner: Int, _ kind: Kind = .plain) {
    (self.rows, self.columns, self.inner, self.kind) = (rows, columns, inner, kind)
  }

  func time() {
    time("double", Double.self)
    time("float", Float.self)
  }

  /// The product and the peak in turns.
  private func time<T: MatrixScalar>(_ name: String, _: T.Type) {
    func room(_ count: Int, _ x: T) -> UnsafeMutablePointer<T> {
      let bytes = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<T>.size, alignment: 64)
      let numbers = bytes.bindMemory(to: T.self, capacity: count)
      numbers.initialize(repeating: x, count: count)
      return numbers
    }
    let (a, b, c) = (room(rows * inner, 0.01), room(inner * columns, 1), room(rows * columns, 0))
    defer { for p in [a, b, c] { p.deallocate() } }
    let (rowStride, columnStride) = kind == .plain ? (inner, 1) : (1, rows)
    func multiply() {
      let isStep = kind == .scaled
      MatrixProduct.add(
        c, columns, fresh: !isStep, scale: isStep ? 0.001 : nil, rows: rows, columns: columns, a, rowStride: rowStride,
        columnStride: columnStride, inner: inner, b, columns)
    }
    let calls = max(1, 4_000_000 / (rows * columns * inner))
    var windows: [(product: Double, peak: Double)] = []
    let start = processorSeconds()
    repeat {
      let product = window {
        for _ in 0..<calls { multiply() }
        sink += Double(c[0])
      }
      windows.append((product, window { sink += Double(multiplyAdds(8000, T.self)) }))
    } while processorSeconds() - start < 0.3
    // The system's account of a process is at times too short: not the least, but the first tenth.
    let seconds = windows.map(\.product).sorted()[windows.count / 10]
    let peak = windows.map(\.peak).sorted()[windows.count / 10]
    let rate = 2e-9 * Double(calls * rows * columns * inner) / seconds
    let best = 2e-9 * Double(8000 * multiplyAddsAtOnce * MatrixProduct.lanes(T.self)) / peak
    report(
      "matrix",
      [
        ("number", "\"\(name)\""), ("kind", "\"\(kind)\""), ("rows", "\(rows)"), ("columns", "\(columns)"),
        ("inner", "\(inner)"), ("gflops", "\(rate)"), ("peak_gflops", "\(best)"), ("of_peak", "\(rate / best)"),
      ])
  }
}

private func window(_ body: () -> Void) -> Double {
  let start = processorSeconds()
  body()
  return processorSeconds() - start
}

/// Vectors that one round of `multiplyAdds` multiplies and adds.
private let multiplyAddsAtOnce = 16 * 16

/// Chains of fused multiply-adds in registers: 4 in each of the 4 vectors of a loop.
private func multiplyAdds<T: MatrixScalar>(_ rounds: Int, _: T.Type) -> T {
  let part = 4 * MatrixProduct.lanes(T.self)
  let x = UnsafeMutablePointer<T>.allocate(capacity: 4 * part)
  defer { x.deallocate() }
  x.initialize(repeating: 1, count: 4 * part)
  let (factor, term) = (T(0.75), T(0.25))
  for _ in 0..<rounds {
    for i in 0..<part {
      let y = x + i
      var (p, q, r, s) = (y[0], y[part], y[2 * part], y[3 * part])
      for _ in 0..<16 {
        p = term.addingProduct(p, factor)
        q = term.addingProduct(q, factor)
        r = term.addingProduct(r, factor)
        s = term.addingProduct(s, factor)
      }
      (y[0], y[part], y[2 * part], y[3 * part]) = (p, q, r, s)
    }
  }
  return x[0] + x[part]
}
