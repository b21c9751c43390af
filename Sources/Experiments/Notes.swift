import Synchronization

/// Remarks to the user that are no errors, such as a key under its former name. Each is said once.
public enum Notes {
  private static let list = Mutex<[String]>([])

  public static func add(_ note: String) {
    list.withLock { if !$0.contains(note) { $0.append(note) } }
  }

  /// What happened in a draw: the first of each kind is said.
  package static func addFirst(_ kind: String, _ note: () -> String) {
    list.withLock { if !$0.contains(where: { $0.hasPrefix(kind) }) { $0.append(kind + note()) } }
  }

  /// Takes the notes out, in their order.
  public static func take() -> [String] {
    list.withLock { notes in
      defer { notes = [] }
      return notes
    }
  }
}
