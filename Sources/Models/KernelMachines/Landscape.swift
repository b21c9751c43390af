import Kernels

/// The negative log density of the posterior in Bartlett's coordinates, with its gradient, at eight places at once, one a lane.
///
/// $G_l = A_l A_l^T$, $A_l = L_{l-1} T_l$, $L_{l-1} L_{l-1}^T = k(G_{l-1})$, with $T_l$ lower triangular: under the prior $N T_{l,ii}^2 \sim \chi^2_{N-i}$ (i from 0) and $\sqrt N T_{l,ij} \sim N(0, 1)$,
/// all independent (Bartlett 1933). Coordinates are $q_{ii} = \log T_{ii}$ and $q_{ij} = T_{ij}$, L P (P+1)/2 of them whatever N is, each of order $1/\sqrt N$:
///
/// $$ U = -N\,\mathrm{fit} + \sum_l \Bigl[\frac N2 \sum_{j \le i} T_{l,ij}^2 - \sum_i (N - i)\, q_{l,ii}\Bigr], \qquad
///    \mathrm{fit} = -\frac\nu2 \bigl[\log\det C + \operatorname{tr} C^{-1} \hat Y\bigr], \quad C = k(G_L) + s^2 . $$
///
/// U/N without the i of the Jacobian is minus the objective of the limit, but for a constant. A place where a matrix is not positive definite to rounding has a U that is not a number.
///
/// Octets of coordinates: diagonals first, layer by layer, then what is below them, row by row of each layer.
package final class Landscape {
  private let settings: MachineSettings
  /// N, and the factor of i: 1 each in place of N and 0 for the limit.
  private let mass, jacobian: Double
  private let p, depth, room, pairs, loop: Int

  /// U of each lane, and the fit.
  package let potential, fit: UnsafeMutablePointer<Double>
  /// dU/dq, octets as those of q.
  package let gradient: UnsafeMutablePointer<Double>

  private let start, targets: UnsafeMutablePointer<Double>
  /// By layer.
  private let t, a, factors, slopes: UnsafeMutablePointer<Double>
  /// C, then its factor; k(G_L); the solutions of all targets.
  private let covariance, kernel, solved: UnsafeMutablePointer<Double>
  /// Derivatives.
  private let lowerBar, tBar, aBar, gramBar, solvedBar: UnsafeMutablePointer<Double>
  /// Loops over lanes: variances and covariances of pairs, results.
  private let lanes: UnsafeMutablePointer<Double>

  package init(_ settings: MachineSettings, ofLimit: Bool = false) {
    self.settings = settings
    (mass, jacobian) = ofLimit ? (1, 0) : (Double(settings.width), 1)
    (p, depth) = (settings.points, settings.depth)
    room = OctetTriangles.room(p)
    pairs = p * (p - 1) / 2
    loop = Triangular.padded(8 * max(pairs, depth * p))
    func zeros(_ count: Int) -> UnsafeMutablePointer<Double> { .allocateZeros(count) }
    (potential, fit) = (zeros(8), zeros(8))
    gradient = zeros(8 * settings.coordinates)
    start = zeros(room)
    for i in 0..<p {
      for j in 0...i {
        (start + OctetTriangles.place(i, j)).update(repeating: settings.startFactor[i * p + j], count: 8)
      }
    }
    let columns = settings.targets.count
    targets = zeros(columns * p)
    for (c, y) in settings.targets.enumerated() { for i in 0..<p { targets[c * p + i] = y[i] } }
    (t, a, factors) = (zeros(depth * room), zeros(depth * room), zeros(depth * room))
    slopes = zeros(depth * 4 * loop)
    (covariance, kernel, solved) = (zeros(room), zeros(room), zeros(8 * columns * p))
    (lowerBar, tBar, aBar, gramBar) = (zeros(room), zeros(room), zeros(room), zeros(room))
    solvedBar = zeros(8 * p)
    lanes = zeros(4 * loop)
  }

  deinit {
    for buffer in [
      potential, fit, gradient, start, targets, t, a, factors, slopes, covariance, kernel, solved, lowerBar, tBar, aBar,
      gramBar, solvedBar, lanes,
    ] { buffer.deallocate() }
  }

  /// The octet of $T_{l,ij}$ among those of q, l from 0.
  @inline(__always) private func diagonal(_ l: Int, _ i: Int) -> Int { 8 &* (l &* p &+ i) }
  @inline(__always) private func below(_ l: Int, _ i: Int, _ j: Int) -> Int {
    8 &* (depth &* p &+ l &* pairs &+ i &* (i &- 1) / 2 &+ j)
  }

  /// U and fit at q, and the gradient if it is asked for.
  package func update(_ q: UnsafePointer<Double>, gradient isAsked: Bool) {
    spread(q)
    var lower = start
    for l in 0..<depth {
      let (own, last) = (a + l &* room, l == depth &- 1)
      OctetTriangles.multiply(lower, t + l &* room, p, into: own)
      if settings.kernel == .linear {
        lower = own
        if last { OctetTriangles.square(own, p, into: kernel) }
      } else {
        OctetTriangles.square(own, p, into: kernel)
        applyKernel(slopes: isAsked ? slopes + l &* 4 &* loop : nil)
        if !last {
          lower = factors + l &* room
          OctetTriangles.factor(kernel, p, into: lower)
        }
      }
    }
    likelihood()
    prior(q)
    if isAsked { differentiate(q) }
  }

  private func spread(_ q: UnsafePointer<Double>) {
    let count = 8 &* depth &* p
    lanes.update(from: q, count: count)
    for i in 0..<Triangular.padded(count) { lanes[i] = Elementary.exp(lanes[i]) }
    for l in 0..<depth {
      let own = t + l &* room
      for i in 0..<p {
        (own + OctetTriangles.place(i, i)).update(from: lanes + diagonal(l, i), count: 8)
        if i > 0 { (own + OctetTriangles.place(i, 0)).update(from: q + below(l, i, 0), count: 8 &* i) }
      }
    }
  }

  /// `kernel`, a Gram matrix, becomes k of it.
  private func applyKernel(slopes: UnsafeMutablePointer<Double>?) {
    let (vp, vq, r, out) = (lanes, lanes + loop, lanes + 2 &* loop, lanes + 3 &* loop)
    var at = 0
    for i in 1..<max(p, 1) {
      for j in 0..<i {
        (vp + at).update(from: kernel + OctetTriangles.place(i, i), count: 8)
        (vq + at).update(from: kernel + OctetTriangles.place(j, j), count: 8)
        (r + at).update(from: kernel + OctetTriangles.place(i, j), count: 8)
        at &+= 8
      }
    }
    fill(vp, vq, r, from: at)
    let padded = Triangular.padded(at)
    settings.kernel.write(vp, vq, r, padded, to: out)
    if let slopes {
      settings.kernel.write(vp, vq, r, padded, slopes: (slopes, slopes + loop, slopes + 2 &* loop))
    }
    at = 0
    for i in 1..<max(p, 1) {
      (kernel + OctetTriangles.place(i, 0)).update(from: out + at, count: 8 &* i)
      at &+= 8 &* i
    }
    // Of the arc-cosine kernel the diagonal stays.
    guard settings.kernel == .erf else { return }
    for i in 0..<p { (vp + 8 &* i).update(from: kernel + OctetTriangles.place(i, i), count: 8) }
    let count = Triangular.padded(8 &* p)
    for i in 8 &* p..<count { vp[i] = 1 }
    settings.kernel.write(vp, vp, vp, count, to: out)
    for i in 0..<p { (kernel + OctetTriangles.place(i, i)).update(from: out + 8 &* i, count: 8) }
    if let slopes {
      let (sp, sq, own) = (vq, r, slopes + 3 &* loop)
      settings.kernel.write(vp, vp, vp, count, slopes: (sp, sq, own))
      for i in 0..<count { own[i] += sp[i] + sq[i] }
    }
  }

  private func fill(
    _ vp: UnsafeMutablePointer<Double>, _ vq: UnsafeMutablePointer<Double>, _ r: UnsafeMutablePointer<Double>,
    from at: Int
  ) {
    for i in at..<Triangular.padded(at) { (vp[i], vq[i], r[i]) = (1, 1, 0) }
  }

  private func likelihood() {
    covariance.update(from: kernel, count: room)
    for i in 0..<p {
      let own = covariance + OctetTriangles.place(i, i)
      for k in 0..<8 { own[k] += settings.noise }
    }
    OctetTriangles.factor(covariance, p, into: covariance)
    // log det C / 2, then half of tr C^-1 Yh.
    for i in 0..<p { (lanes + 8 &* i).update(from: covariance + OctetTriangles.place(i, i), count: 8) }
    let count = Triangular.padded(8 &* p)
    for i in 8 &* p..<count { lanes[i] = 1 }
    for i in 0..<count { lanes[i] = Elementary.log(lanes[i]) }
    fit.update(repeating: 0, count: 8)
    for i in 0..<p { OctetTriangles.add(lanes + 8 &* i, 1, scale: -settings.outputRatio, to: fit) }
    for c in settings.targets.indices {
      OctetTriangles.solve(covariance, targets + c &* p, p, into: solved + 8 &* c &* p)
    }
    OctetTriangles.addSquares(solved, settings.targets.count &* p, scale: -0.5 * settings.outputRatio, to: fit)
  }

  private func prior(_ q: UnsafePointer<Double>) {
    for k in 0..<8 { potential[k] = -mass * fit[k] }
    OctetTriangles.addSquares(t, depth &* room / 8, scale: 0.5 * mass, to: potential)
    for l in 0..<depth {
      for i in 0..<p {
        OctetTriangles.add(q + diagonal(l, i), 1, scale: jacobian * Double(i) - mass, to: potential)
      }
    }
  }

  // MARK: Backwards

  private func differentiate(_ q: UnsafePointer<Double>) {
    let scale = mass * settings.outputRatio
    // By the factor of C, then by C.
    lowerBar.update(repeating: 0, count: room)
    for i in 0..<p {
      let place = OctetTriangles.place(i, i)
      for k in 0..<8 { lowerBar[place &+ k] = scale / covariance[place &+ k] }
    }
    for c in settings.targets.indices {
      let z = solved + 8 &* c &* p
      for i in 0..<8 &* p { solvedBar[i] = scale * z[i] }
      OctetTriangles.solveBack(covariance, z, solvedBar, p, lBar: lowerBar)
    }
    OctetTriangles.factorBack(covariance, p, lowerBar)
    for l in (0..<depth).reversed() {
      let (own, last, isLinear) = (a + l &* room, l == depth &- 1, settings.kernel == .linear)
      if isLinear && !last {
        aBar.update(from: lowerBar, count: room)
      } else {
        if !last { OctetTriangles.factorBack(factors + l &* room, p, lowerBar) }
        if !isLinear { kernelBack(slopes + l &* 4 &* loop) }
        aBar.update(repeating: 0, count: room)
        OctetTriangles.squareBack(own, isLinear ? lowerBar : gramBar, p, aBar: aBar)
      }
      let lower =
        l == 0 ? start : isLinear ? a + (l &- 1) &* room : factors + (l &- 1) &* room
      OctetTriangles.multiplyBack(lower, t + l &* room, aBar, p, lBar: l == 0 ? nil : lowerBar, tBar: tBar)
      OctetTriangles.add(t + l &* room, room / 8, scale: mass, to: tBar)
      for i in 0..<p {
        let (place, to) = (OctetTriangles.place(i, i), gradient + diagonal(l, i))
        let own = t + l &* room + place
        for k in 0..<8 { to[k] = tBar[place &+ k] * own[k] - (mass - jacobian * Double(i)) }
        if i > 0 { (gradient + below(l, i, 0)).update(from: tBar + OctetTriangles.place(i, 0), count: 8 &* i) }
      }
    }
  }

  /// From the derivatives by k(G), `lowerBar`, those by G, `gramBar`.
  private func kernelBack(_ slopes: UnsafePointer<Double>) {
    for i in 0..<p {
      let place = OctetTriangles.place(i, i)
      for k in 0..<8 {
        gramBar[place &+ k] =
          settings.kernel == .erf ? lowerBar[place &+ k] * slopes[3 &* loop &+ 8 &* i &+ k] : lowerBar[place &+ k]
      }
    }
    var at = 0
    for i in 1..<max(p, 1) {
      for j in 0..<i {
        let (place, first, second) = (
          OctetTriangles.place(i, j), OctetTriangles.place(i, i), OctetTriangles.place(j, j)
        )
        for k in 0..<8 {
          let bar = lowerBar[place &+ k]
          gramBar[place &+ k] = bar * slopes[2 &* loop &+ at &+ k]
          gramBar[first &+ k] += bar * slopes[at &+ k]
          gramBar[second &+ k] += bar * slopes[loop &+ at &+ k]
        }
        at &+= 8
      }
    }
  }

  // MARK: What is measured of the last place

  /// Means over the first `count` lanes: entries of all Gram matrices, complexities, fit.
  package func write(_ q: UnsafePointer<Double>, count: Int = 8, to values: UnsafeMutablePointer<Double>) {
    func mean(_ octet: UnsafePointer<Double>) -> Double {
      var sum = 0.0
      for k in 0..<count { sum += octet[k] }
      return sum / Double(count)
    }
    var out = values
    for l in 0..<depth {
      OctetTriangles.square(a + l &* room, p, into: gramBar)
      for e in 0..<settings.entries { out[e] = mean(gramBar + 8 &* e) }
      out += settings.entries
    }
    for l in 0..<depth {
      aBar.update(repeating: 0, count: 8)
      OctetTriangles.addSquares(t + l &* room, settings.entries, scale: 0.5, to: aBar)
      for i in 0..<p { OctetTriangles.add(q + diagonal(l, i), 1, scale: -1, to: aBar) }
      out[l] = mean(aBar) - 0.5 * Double(p)
    }
    out[depth] = mean(fit)
  }

  /// 1 - q.grad U/(number of coordinates), mean over the lanes: its expectation is 0.
  package func residual(_ q: UnsafePointer<Double>) -> Double {
    OctetTriangles.dot(q, gradient, settings.coordinates, into: aBar)
    var sum = 0.0
    for k in 0..<8 { sum += aBar[k] }
    return 1 - sum / (8 * Double(settings.coordinates))
  }
}
