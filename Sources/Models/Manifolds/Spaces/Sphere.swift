import Kernels
import Randomness

/// The unit sphere S^(k-1) in R^k, k >= 2; angles are the case k = 2.
package struct Sphere: Manifold {
  package let width: Int
  package var dimension: Int { width - 1 }
  package var curvature: Double { Double(width - 1) }
  package var hasGeodesics: Bool { true }

  package init(_ k: Int) {
    precondition(k >= 2)
    width = k
  }

  package func normalise(_ x: LaneBlock, _ count: Int, room: LaneBlock) {
    laneProducts(x, x, width, count, into: room)
    for i in 0..<count { room[i] = 1 / room[i].squareRoot() }
    for c in 0..<width {
      let row = x + c &* Lanes.width
      for i in 0..<count { row[i] *= room[i] }
    }
  }

  package func project(_ u: LaneBlock, at x: LaneBlock, _ count: Int, room: LaneBlock) {
    laneProducts(x, u, width, count, into: room)
    for c in 0..<width {
      let (p, q) = (u + c &* Lanes.width, x + c &* Lanes.width)
      for i in 0..<count { p[i] = p[i].addingProduct(-room[i], q[i]) }
    }
  }

  /// x cos rt + v/r sin rt, r = |v|.
  package func flow(_ x: LaneBlock, _ v: LaneBlock, time: Double, _ count: Int, room: LaneBlock) {
    let (cosine, sine, speed) = (room, room + Lanes.width, room + 2 &* Lanes.width)
    laneProducts(v, v, width, count, into: speed)
    for i in 0..<count {
      let r = speed[i].squareRoot()
      let turn = Elementary.sinCos(time * r)
      cosine[i] = turn.cos
      // Where r underflows the chord is the arc.
      sine[i] = r > 0x1p-500 ? turn.sin / r : time
      speed[i] = r * turn.sin
    }
    for c in 0..<width {
      let (p, q) = (x + c &* Lanes.width, v + c &* Lanes.width)
      for i in 0..<count {
        let (place, velocity) = (p[i], q[i])
        p[i] = (place * cosine[i]).addingProduct(velocity, sine[i])
        q[i] = (velocity * cosine[i]).addingProduct(-place, speed[i])
      }
    }
    normalise(x, count, room: room)
  }

  package func retract(_ x: LaneBlock, by u: LaneBlock, _ count: Int, room: LaneBlock) {
    for c in 0..<width {
      let (p, q) = (x + c &* Lanes.width, u + c &* Lanes.width)
      for i in 0..<count { p[i] += q[i] }
    }
    normalise(x, count, room: room)
  }

  /// The von Mises-Fisher law around -field with concentration kappa = beta |field|, exactly and whatever x was.
  ///
  /// With y uniform on the sphere, m the mean direction and z = m . y, a new point is W m + sqrt((1 - W^2)/(1 - z^2)) (y - z m): the part of y
  /// that is orthogonal to m is uniform and independent of z, so there is no frame to complete and no special direction.
  package func renew(
    _ x: LaneBlock, field: LaneBlock, beta: Double, _ noise: Noise, _ count: Int, room: LaneBlock
  ) {
    let kappa = room
    laneProducts(field, field, width, count, into: kappa)
    for i in 0..<count {
      let length = kappa[i].squareRoot()
      let usable = length > 0x1p-500
      kappa[i] = usable ? beta * length : 0
      room[Lanes.width &+ i] = usable ? -1 / length : 0
    }
    for c in 0..<width {
      let row = field + c &* Lanes.width
      // Where there is no field any direction will do.
      let usual = c == 0 ? 1.0 : 0
      for i in 0..<count { row[i] = kappa[i] > 0 ? row[i] * room[Lanes.width &+ i] : usual }
    }
    if width == 3 {
      renewByInversion(x, mean: field, kappa, noise, count, room: room + Lanes.width)
    } else {
      renewByRejection(x, mean: field, kappa, noise, count, room: room + Lanes.width)
    }
  }

  /// k = 3: z is uniform (Archimedes), and W = 1 + log(u + (1 - u) e^(-2 kappa))/kappa with u = (1 + z)/2.
  private func renewByInversion(
    _ x: LaneBlock, mean: LaneBlock, _ kappa: LaneBlock, _ noise: Noise, _ count: Int, room: LaneBlock
  ) {
    let (y, z, along, across) = (
      x, room, room + Lanes.width, room + 2 &* Lanes.width
    )
    fillNormals(y, 3, count, noise)
    normalise(y, count, room: room)
    laneProducts(y, mean, 3, count, into: z)
    for i in 0..<count {
      let u = 0.5 * (1 + min(max(z[i], -1), 1))
      let k = kappa[i]
      let rest = 1 - u
      // To first order in kappa where the difference of logarithms would lose more: an error below 1e-10 either way.
      let small = k < 1e-5
      let down =
        small
        ? 2 * rest - 2 * k * u * rest
        : -Elementary.log(u.addingProduct(rest, Elementary.exp(-2 * k))) / k
      along[i] = 1 - down
      across[i] = (max(down * (2 - down), 0) / max(4 * u * rest, 0x1p-100)).squareRoot()
    }
    for c in 0..<3 {
      let (p, m) = (y + c &* Lanes.width, mean + c &* Lanes.width)
      for i in 0..<count { p[i] = (along[i] * m[i]).addingProduct(across[i], p[i].addingProduct(-z[i], m[i])) }
    }
    normalise(x, count, room: room)
  }

  /// Wood (1994), as a map of the sphere: with x0 = (1 - b)/(1 + b), b = (k-1)/(2 kappa + sqrt(4 kappa^2 + (k-1)^2)), the point
  /// W = (x0 + z)/(1 + x0 z) of a uniform y is accepted with probability exp(kappa (W - x0) - (k-1) log(1 + x0 z)); for k = 2 these are the
  /// proposals of Best and Fisher (1979). Above two thirds are accepted at any kappa.
  private func renewByRejection(
    _ x: LaneBlock, mean: LaneBlock, _ kappa: LaneBlock, _ noise: Noise, _ count: Int, room: LaneBlock
  ) {
    let lanes = Lanes.width
    let (y, z, along, across, wait) = (
      room, room + width &* lanes, room + (width &+ 1) &* lanes, room + (width &+ 2) &* lanes,
      room + (width &+ 3) &* lanes
    )
    let slots = room + (width &+ 4) &* lanes
    for i in 0..<count { slots[i] = Double(i) }
    let d = Double(width - 1)
    var pending = count
    while pending > 0 {
      fillNormals(y, width, pending, noise)
      laneProducts(y, y, width, pending, into: wait)
      laneProducts(y, mean, width, pending, into: z)
      for i in 0..<pending { across[i] = 1 / wait[i].squareRoot() }
      // The squared length of two normals is independent of their direction: an exponential for nothing.
      if width > 2 {
        let normals = noise.normals(0, 2 &* pending)
        for i in 0..<pending {
          let (a, b) = (normals[i], normals[pending &+ i])
          wait[i] = a * a + b * b
        }
      }
      for i in 0..<pending {
        let k = kappa[i]
        let b = d / (2 * k + (4 * k * k + d * d).squareRoot())
        let centre = (1 - b) / (1 + b)
        let spread = 4 * b / ((1 + b) * (1 + b))
        let scale = across[i]
        let height = min(max(z[i] * scale, -1), 1)
        let t = max((1.0).addingProduct(centre, height), 0x1p-1000)
        let gain = k * height * spread / t - d * Elementary.log(t)
        wait[i] = gain + 0.5 * wait[i]
        along[i] = (centre + height) / t
        across[i] = spread.squareRoot() / t * scale
        z[i] = z[i] * (spread.squareRoot() / t) * scale
      }
      for c in 0..<width {
        let (p, m) = (y + c &* lanes, mean + c &* lanes)
        for i in 0..<pending { p[i] = (along[i] * m[i]).addingProduct(across[i], p[i]).addingProduct(-z[i], m[i]) }
      }
      var left = 0
      for i in 0..<pending {
        if wait[i] >= 0 {
          let slot = Int(slots[i])
          for c in 0..<width { x[c &* lanes &+ slot] = y[c &* lanes &+ i] }
        } else {
          if left < i {
            for c in 0..<width { mean[c &* lanes &+ left] = mean[c &* lanes &+ i] }
            kappa[left] = kappa[i]
            slots[left] = slots[i]
          }
          left &+= 1
        }
      }
      // Values that are not finite would never be accepted.
      if left == pending && !(kappa[0] < .infinity) { return }
      pending = left
    }
    normalise(x, count, room: room)
  }
}
