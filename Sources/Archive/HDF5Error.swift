import CHDF5
import Synchronization

/// A call of the HDF5 library that failed: the call, what it was about, and the library's error stack,
/// innermost cause first.
public struct HDF5Error: Error, CustomStringConvertible, Sendable {
  public let call: String
  public let subject: String
  public let stack: [String]

  public var description: String {
    // Drivers wrap what the system said in addresses and times.
    let cause = stack.first.map { text in text.firstMatch(of: /error message = '([^']*)'/).map { String($0.1) } ?? text
    }
    return "\(call) failed on \(subject)" + (cause.map { ": " + $0.replacing("\n", with: " ") } ?? "")
  }
}

/// A file that does not hold what it must.
public struct ArchiveError: Error, CustomStringConvertible, Sendable {
  public let description: String
  public init(_ description: String) { self.description = description }
}

enum Library {
  /// The library is not thread-safe in every build: one lock around all of it.
  private static let lock = Mutex(false)

  /// Runs a call under the lock; a negative result becomes an error with the library's stack.
  static func call<R: SignedInteger>(_ name: String, _ subject: String, _ body: () -> R) throws(HDF5Error) -> R {
    let (result, stack): (R, [String]) = lock.withLock { prepared in
      if !prepared {
        H5dont_atexit()
        H5open()
        // No code is ever loaded because a file asks for it.
        H5PLset_loading_state(0)
        prepared = true
      }
      // Printing of errors is a setting of each thread.
      H5Eset_auto2(chdf5_estack_default(), nil, nil)
      let result = body()
      return (result, result < 0 ? errorStack() : [])
    }
    if result < 0 { throw HDF5Error(call: name, subject: subject, stack: stack) }
    return result
  }

  private static func errorStack() -> [String] {
    var messages: [String] = []
    withUnsafeMutablePointer(to: &messages) { pointer in
      _ = H5Ewalk2(
        chdf5_estack_default(), H5E_WALK_UPWARD,
        { _, error, context in
          if let text = error?.pointee.desc {
            context?.assumingMemoryBound(to: [String].self).pointee.append(String(cString: text))
          }
          return 0
        }, pointer)
    }
    return messages
  }
}

/// An identifier of the library, released when it goes out of scope; `close` reports a failure to do so.
struct Handle: ~Copyable {
  enum Kind {
    case file, group, dataset, space, type, attribute, propertyList, object

    func release(_ id: hid_t) -> herr_t {
      switch self {
      case .file: H5Fclose(id)
      case .group: H5Gclose(id)
      case .dataset: H5Dclose(id)
      case .space: H5Sclose(id)
      case .type: H5Tclose(id)
      case .attribute: H5Aclose(id)
      case .propertyList: H5Pclose(id)
      case .object: H5Oclose(id)
      }
    }
  }

  let id: hid_t
  private let kind: Kind

  init(_ name: String, _ subject: String, _ kind: Kind, _ open: () -> hid_t) throws(HDF5Error) {
    id = try Library.call(name, subject, open)
    self.kind = kind
  }

  consuming func close() throws(HDF5Error) {
    let (id, kind) = (id, kind)
    discard self
    _ = try Library.call("close", "\(kind)") { kind.release(id) }
  }

  deinit { _ = try? Library.call("close", "\(kind)") { kind.release(id) } }
}
