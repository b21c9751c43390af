import Randomness

/// A process that takes all its random numbers from one `Noise` need not know what its state is.
extension Noise {
  package func encode(to encoder: inout StateEncoder) {
    encoder.add("normals_taken", taken)
    encoder.add("uniforms_taken", [uniforms])
  }

  /// Continues where the noise that was encoded left off.
  package func restore(from decoder: StateDecoder) throws {
    taken = try decoder.words("normals_taken", count: taken.count)
    uniforms = try decoder.words("uniforms_taken", count: 1)[0]
  }
}
