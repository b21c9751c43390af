import CMPI

/// A call of the MPI library that failed (MPI 3.1, section 8.3): the call, its code, class and text.
public struct MPIError: Error, CustomStringConvertible, Sendable {
  public let call: String
  public let code: Int32
  public let errorClass: Int32
  public let text: String

  init(call: String, code: Int32) {
    self.call = call
    self.code = code
    var found: Int32 = 0
    MPI_Error_class(code, &found)
    errorClass = found
    var buffer = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING) + 1)
    var length: Int32 = 0
    MPI_Error_string(code, &buffer, &length)
    text = String(decoding: buffer.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  public var description: String { "\(call) failed with code \(code), class \(errorClass): \(text)" }
}

/// Throws unless an MPI call succeeded.
@inline(__always)
func check(_ call: String, _ code: Int32) throws {
  if code != MPI_SUCCESS { throw MPIError(call: call, code: code) }
}
