import Foundation
import Kernels
import Testing

@Suite struct PlanarRepulsionTests {
  /// Points of the plane, without statistics: x in the first half, y in the second.
  private static func points(_ count: Int, phase: Double) -> [Double] {
    (0..<2 * count).map { 1.5 * sin(0.7 * Double($0) + phase) }
  }

  @Test(arguments: [(1, 3), (1, 9), (2, 4), (5, 103), (32, 256)])
  func eachPairOnceIsWhatBothSidesGetAlone(octets: Int, sources: Int) {
    let lanes = 8 * octets
    let (x, s) = (Self.points(lanes, phase: 0), Self.points(sources, phase: 0.3))
    let (room, least) = (PlanarRepulsion.lookahead, 1e-3)
    let place = UnsafeMutablePointer<Double>.allocateAligned(
      capacity: 2 * lanes + 2 * sources + 2 * room + PlanarRepulsion.ringSize + 1)
    defer { place.deallocate() }
    place.initialize(repeating: 0, count: 2 * lanes + 2 * sources + 2 * room + PlanarRepulsion.ringSize + 1)
    place.update(from: x, count: 2 * lanes)
    let from = place + 2 * lanes + room
    from.update(from: s, count: 2 * sources)
    let ring = from + 2 * sources + room
    let square = ring + PlanarRepulsion.ringSize
    square[0] = least
    let pair = PlanarRepulsion(
      x: place, y: place + lanes, octets: octets, sx: from, sy: from + sources, sources: sources, least: square,
      ring: ring)
    var (force, alone) = ([Double](repeating: 0, count: 2 * lanes), [Double](repeating: 0, count: 2 * lanes))
    var sums = [Double](repeating: 0, count: PlanarRepulsion.sumsOfSource * sources)
    var sumsAlone = sums
    force.withUnsafeMutableBufferPointer { pair.addToBoth($0.baseAddress!, $0.baseAddress! + lanes, &sums) }
    alone.withUnsafeMutableBufferPointer { pair.addToLanes($0.baseAddress!, $0.baseAddress! + lanes) }
    pair.addToSources(&sumsAlone)
    #expect(force == alone)
    #expect(sums == sumsAlone)

    func pull(_ i: Int, _ j: Int) -> (x: Double, y: Double) {
      let (p, q) = (x[i] - s[j], x[lanes + i] - s[sources + j])
      let square = p * p + q * q + least
      return (p / square, q / square)
    }
    for i in 0..<lanes {
      let all = (0..<sources).map { pull(i, $0) }
      let size = all.reduce(0) { $0 + abs($1.x) + abs($1.y) }
      #expect(abs(force[i] - all.reduce(0) { $0 + $1.x }) <= 1e-14 * size)
      #expect(abs(force[lanes + i] - all.reduce(0) { $0 + $1.y }) <= 1e-14 * size)
    }
    for j in 0..<sources {
      let all = (0..<lanes).map { pull($0, j) }
      let size = all.reduce(0) { $0 + abs($1.x) + abs($1.y) }
      let found = sums.withUnsafeBufferPointer {
        PlanarRepulsion.force($0.baseAddress! + j * PlanarRepulsion.sumsOfSource)
      }
      #expect(abs(found.x + all.reduce(0) { $0 + $1.x }) <= 1e-14 * size)
      #expect(abs(found.y + all.reduce(0) { $0 + $1.y }) <= 1e-14 * size)
    }
  }
}
