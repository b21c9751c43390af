/// A polynomial in the six components of w and u, for moments that are worked out once a job.
///
/// Exponents are digits to the base 8 of a key, those of w first; terms are added in the order of their keys, so that sums are the same on every machine.
package struct TaggedPolynomial {
  package private(set) var terms: [(key: Int, value: Double)]

  init(constant: Double) { terms = [(0, constant)] }
  init(_ terms: [(key: Int, value: Double)]) { self.terms = terms }

  /// Key of component i of w, or of u.
  static func w(_ i: Int) -> Int { 1 << (3 * i) }
  static func u(_ i: Int) -> Int { 1 << (3 * (i + 3)) }
  package static func exponent(_ key: Int, _ place: Int) -> Int { key >> (3 * place) & 7 }

  static func + (a: TaggedPolynomial, b: TaggedPolynomial) -> TaggedPolynomial { collected(a.terms + b.terms) }

  static func * (a: TaggedPolynomial, b: TaggedPolynomial) -> TaggedPolynomial {
    collected(a.terms.flatMap { x in b.terms.map { (x.key + $0.key, x.value * $0.value) } })
  }

  static func * (a: Double, b: TaggedPolynomial) -> TaggedPolynomial {
    TaggedPolynomial(b.terms.map { ($0.key, a * $0.value) })
  }

  private static func collected(_ terms: [(key: Int, value: Double)]) -> TaggedPolynomial {
    // A sort that is not stable would leave the order of equal keys open.
    let order = terms.indices.sorted { (terms[$0].key, $0) < (terms[$1].key, $1) }
    var found: [(key: Int, value: Double)] = []
    for i in order {
      if found.last?.key == terms[i].key {
        found[found.count - 1].value += terms[i].value
      } else {
        found.append(terms[i])
      }
    }
    return TaggedPolynomial(found)
  }

  /// The mean over $u \sim N(0, \theta I)$: a polynomial in w.
  func averaged(theta: Double) -> TaggedPolynomial {
    let terms = terms.compactMap { term -> (key: Int, value: Double)? in
      var (value, key) = (term.value, term.key)
      for place in 3..<6 {
        let power = Self.exponent(key, place)
        if power % 2 == 1 { return nil }
        // theta^(p/2) (p - 1)!!
        for k in stride(from: 1, to: power, by: 2) { value *= theta * Double(k) }
      }
      key &= (1 << 9) - 1
      return (key, value)
    }
    return TaggedPolynomial(constant: 0) + TaggedPolynomial(terms)
  }
}

extension TaggedCollisions {
  /// $\mathbb E_{u,s} \prod_k w'_{i_k}$ after a collision with molecules of Maxwell: a polynomial in w. Directions enter by $\mathbb E s_i s_j = \delta_{ij}/3$ and
  /// $\mathbb E s_i s_j s_k s_l = (\delta_{ij}\delta_{kl} + \delta_{ik}\delta_{jl} + \delta_{il}\delta_{jk})/15$; odd products vanish, so that only even powers of |w - u| are met.
  /// - Parameter components: at most five of 0, 1, 2.
  package func scattered(_ components: [Int]) -> TaggedPolynomial {
    let centres = components.map {
      TaggedPolynomial([(TaggedPolynomial.w($0), own), (TaggedPolynomial.u($0), bath)])
    }
    var distance = TaggedPolynomial(constant: 0)
    for i in 0..<3 {
      let difference = TaggedPolynomial([(TaggedPolynomial.w(i), 1), (TaggedPolynomial.u(i), -1)])
      distance = distance + difference * difference
    }
    var found = TaggedPolynomial(constant: 0)
    for chosen in 0..<1 << components.count where chosen.nonzeroBitCount % 2 == 0 {
      let directions = components.indices.filter { chosen >> $0 & 1 == 1 }.map { components[$0] }
      let mean = Self.directionMean(directions)
      guard mean > 0 else { continue }
      var term = TaggedPolynomial(constant: mean)
      for _ in 0..<directions.count / 2 { term = bath * bath * (term * distance) }
      for k in components.indices where chosen >> k & 1 == 0 { term = term * centres[k] }
      found = found + term
    }
    return found.averaged(theta: theta)
  }

  private static func directionMean(_ s: [Int]) -> Double {
    func same(_ a: Int, _ b: Int) -> Double { s[a] == s[b] ? 1 : 0 }
    return switch s.count {
    case 0: 1
    case 2: same(0, 1) / 3
    default: (same(0, 1) * same(2, 3) + same(0, 2) * same(1, 3) + same(0, 3) * same(1, 2)) / 15
    }
  }
}
