/// Single measurements of every replica of a process, every 2^k-th one, so that memory stays bounded: what rank-normalised R-hat and tail
/// effective samples are computed from.
///
/// The stride is the smallest that a leg can afford, by its measurements, observables and replicas. Should a leg be extended by so many
/// replicas that it cannot afford the stride any longer, the values between are dropped, so that it ends in the bits of one big run.
public struct Series: Recorder, Sendable, Equatable {
  /// Most values kept of one observable of one replica.
  public static let capacity = 4096
  /// Most values kept of one leg: 2 MiB.
  public static let budget = 1 << 18
  /// Fewer values of a replica than this, where there were more, say too little to be kept at all.
  public static let least = 128

  /// Measurements between two kept values, a power of two; 0 for a leg that cannot afford any.
  public private(set) var stride = 1
  /// Of each replica: measurement by measurement, the observables.
  public private(set) var replicas: [UInt64: [Double]] = [:]
  /// Observables of a measurement; 0 as long as nothing said so.
  private var width = 0

  public init() {}

  /// The stride of a given number of replicas; nil if the budget does not reach.
  public static func stride(measurements: Int, observables: Int, replicas: UInt64) -> Int? {
    var stride = 1
    while measurements / stride > capacity
      || Double(measurements / stride) * Double(observables) * Double(replicas) > Double(budget)
    { stride *= 2 }
    return stride == 1 || measurements / stride >= least ? stride : nil
  }

  public static func stride(of leg: Leg) -> Int? {
    guard let process = leg.process else { return nil }
    return stride(
      measurements: process.schedule.measurements, observables: leg.observables.count, replicas: leg.draws)
  }

  /// Takes the stride of a leg, if it is the larger one.
  public mutating func fit(_ leg: Leg) {
    width = leg.observables.count
    thin(to: Self.stride(of: leg) ?? 0)
  }

  /// - Parameter values: at the stride of a single replica.
  public mutating func add(_ replica: UInt64, _ values: [Double], of leg: Leg) {
    fit(leg)
    guard stride > 0 else { return }
    let own = Self.stride(
      measurements: leg.process!.schedule.measurements, observables: leg.observables.count, replicas: 1)!
    replicas[replica] = thinned(values, every: stride / own)
  }

  /// The values of one observable, replica by replica; nil unless all of these replicas have them.
  public func values(of place: Int, replicas order: [UInt64]) -> [Double]? {
    var result: [Double] = []
    for id in order {
      guard let own = replicas[id], !own.isEmpty else { return nil }
      result += Swift.stride(from: place, to: own.count, by: width).lazy.map { own[$0] }
    }
    return result
  }

  public mutating func merge(_ other: Series) {
    var other = other
    width = max(width, other.width)
    other.width = width
    other.thin(to: stride)
    thin(to: other.stride)
    replicas.merge(other.replicas) { mine, _ in mine }
  }

  private mutating func thin(to wanted: Int) {
    guard wanted != stride, stride > 0, wanted == 0 || wanted > stride else { return }
    let step = wanted / stride
    stride = wanted
    replicas = wanted == 0 ? [:] : replicas.mapValues { thinned($0, every: step) }
  }

  /// The last of each `step` measurements.
  private func thinned(_ values: [Double], every step: Int) -> [Double] {
    guard step > 1 else { return values }
    return Swift.stride(from: step, through: values.count / width, by: step).flatMap {
      values[($0 - 1) * width..<$0 * width]
    }
  }

  public func encode(to encoder: inout StateEncoder) {
    let order = replicas.keys.sorted()
    encoder.nest("series") {
      $0.add("stride", stride)
      $0.add("ids", order)
      $0.add("values", order.flatMap { replicas[$0]! })
    }
  }

  public init(from decoder: StateDecoder, _ leg: Leg) throws {
    width = leg.observables.count
    stride = try decoder.count("stride")
    let ids = try decoder.words("ids")
    let measurements = leg.process?.schedule.measurements ?? 0
    guard stride == 0 ? ids.isEmpty : stride.nonzeroBitCount == 1 && stride <= max(measurements, 1) else {
      throw decoder.unfit("stride")
    }
    let size = stride == 0 ? 0 : measurements / stride * width
    let values = try decoder.doubles("values", count: ids.count * size)
    guard Set(ids).count == ids.count else { throw decoder.unfit("ids") }
    for (i, id) in ids.enumerated() { replicas[id] = Array(values[i * size..<(i + 1) * size]) }
  }

  /// Analyses read them; nobody else does.
  public func tables(_ leg: Leg, group: String) -> [Table] { [] }
}
