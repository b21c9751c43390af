import Experiments
import Kernels

/// A bound as a file holds it: the graph, the vectors, and the multipliers that prove it.
struct StoredProof {
  private let claim: Claim
  private let proof: Proof
  private let program: SpinProgram

  /// What a claim says of its graph.
  static func givens(_ program: SpinProgram) -> [String: [Double]] {
    let graph = program.graph
    return [
      "objective": [Double(SpinProgram.Objective.allCases.firstIndex(of: program.objective)!)],
      "vertices": [Double(graph.vertices)], "first": graph.first.map(Double.init),
      "second": graph.second.map(Double.init), "weights": graph.weights, "diagonal": graph.diagonal,
    ]
  }

  init(_ claim: Claim, _ proof: Proof) throws {
    self.claim = claim
    self.proof = proof
    var encoder = StateEncoder()
    func whole(_ name: String) throws -> [Int64] {
      try (claim.givens[name] ?? []).map {
        guard let value = Int64(exactly: $0) else { throw Self.refused("\(name) holds \($0)") }
        return value
      }
    }
    encoder.add("vertices", try whole("vertices"))
    encoder.add("first", try whole("first"))
    encoder.add("second", try whole("second"))
    encoder.add("weights", claim.givens["weights"] ?? [])
    encoder.add("diagonal", claim.givens["diagonal"] ?? [])
    let graph = try EdgeList(from: encoder.decoder(place: "the graph of the claim"))
    let objectives = SpinProgram.Objective.allCases
    guard let number = try whole("objective").first, objectives.indices.contains(Int(number)) else {
      throw Self.refused("it has no objective")
    }
    program = SpinProgram(objectives[Int(number)], graph)
    guard proof.multipliers.count == program.vertices, proof.vectors.count == program.vertices * proof.dimension else {
      throw Self.refused("the program has \(program.vertices) vectors, the proof \(proof.multipliers.count)")
    }
  }

  private static func refused(_ words: String) -> Failure {
    Failure(.badData, "the claim of the file cannot be checked: \(words)")
  }

  /// Proves the bound again, and the value of the vectors.
  func sentence() throws -> String {
    let factor = SparseFactor(program.matrix)
    guard let bound = DualCertificate.proved(program, factor, dual: proof.multipliers) else {
      throw Failure(
        .badData,
        "the multipliers of the file do not prove \(claim.quantity) \(claim.relation) \(proof.values[claim.bound] ?? .nan)"
      )
    }
    guard bound == proof.values[claim.bound] else {
      throw Failure(
        .badData,
        "the multipliers prove \(claim.quantity) \(claim.relation) \(bound), the file says \(proof.values[claim.bound] ?? .nan)"
      )
    }
    let relaxed = try value()
    guard relaxed == proof.values[claim.attained] else {
      throw Failure(
        .badData,
        "the vectors have the relaxed \(claim.quantity) \(relaxed), the file says \(proof.values[claim.attained] ?? .nan)"
      )
    }
    return
      "\(claim.quantity) \(claim.relation) \(bound) proved again from the stored multipliers (Cholesky, \(factor.entries) entries); relaxed \(claim.quantity) \(relaxed) of the stored vectors"
  }

  /// The relaxed value of the stored vectors, whose length must be 1.
  private func value() throws -> Double {
    let (n, k) = (program.vertices, proof.dimension)
    let stride = SpinRows.stride(k)
    let base = UnsafeMutablePointer<Double>.allocateZeros(n * stride)
    defer { base.deallocate() }
    for i in 0..<n { for c in 0..<k { base[i * stride + c] = proof.vectors[i * k + c] } }
    let rows = SpinRows(base, count: n, stride: stride)
    if let bad = (0..<n).first(where: { !((rows.dot($0, $0) - 1).magnitude < 1e-9) }) {
      throw Failure(.badData, "the stored vector of vertex \(bad) has not the length 1")
    }
    var y = [Double](repeating: 0, count: n)
    rows.alignments(program.matrix, into: &y)
    return program.value(y)
  }
}
