import CHDF5

/// A type whose arrays are stored as datasets.
public protocol ArchiveElement: BitwiseCopyable, Equatable, Sendable {
  /// Type in memory, type in the file (little-endian), and the value of places never written.
  static var memoryType: Int64 { get }
  static var fileType: Int64 { get }
  static var fill: Self { get }
  static var zero: Self { get }
  static func == (a: Self, b: Self) -> Bool
}

extension Double: ArchiveElement {
  public static var memoryType: Int64 { chdf5_double() }
  public static var fileType: Int64 { chdf5_double_le() }
  public static var fill: Double { .nan }
}

extension Int64: ArchiveElement {
  public static var memoryType: Int64 { chdf5_int64() }
  public static var fileType: Int64 { chdf5_int64_le() }
  public static var fill: Int64 { .min }
}

extension UInt64: ArchiveElement {
  public static var memoryType: Int64 { chdf5_uint64() }
  public static var fileType: Int64 { chdf5_uint64_le() }
  public static var fill: UInt64 { .max }
}
