import CHDF5

#if canImport(Glibc)
  import Glibc
#endif

/// Memory for the texts of one call of the library, which asks for it text by text: `limit` bytes in all and no more, freed together.
final class TextMemory {
  private var texts: [UnsafeMutableRawPointer] = []
  private var left: Int
  /// More was asked for than the limit.
  private(set) var isExceeded = false

  init(limit: UInt64) { left = Int(clamping: limit) }

  deinit { for text in texts { free(text) } }

  private func take(_ size: Int) -> UnsafeMutableRawPointer? {
    guard size <= left, let text = malloc(size) else {
      isExceeded = size > left
      return nil
    }
    left -= size
    texts.append(text)
    return text
  }

  /// Transfers that put their texts here; this object must outlive them.
  func use(in transfer: borrowing Handle, _ subject: String) throws {
    let here = Unmanaged.passUnretained(self).toOpaque()
    _ = try Library.call("H5Pset_vlen_mem_manager", subject) {
      H5Pset_vlen_mem_manager(
        transfer.id, { Unmanaged<TextMemory>.fromOpaque($1!).takeUnretainedValue().take($0) }, here, { _, _ in }, nil)
    }
  }
}

extension Library {
  /// How texts are transferred. By itself the library clears two buffers of a megabyte at each call; a text is converted in 16 bytes of them.
  static func textTransfer(of count: Int, _ subject: String) throws -> Handle {
    let transfer = try Handle("H5Pcreate", subject, .propertyList) { H5Pcreate(chdf5_dataset_transfer()) }
    let size = 16 * min(max(count, 16), 1 << 16)
    _ = try call("H5Pset_buffer", subject) { H5Pset_buffer(transfer.id, size, nil, nil) }
    return transfer
  }
}
