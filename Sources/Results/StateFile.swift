import Archive
import Experiments

/// Coded states as datasets: a flat dataset for each entry, groups for names with slashes.
package enum StateFile {
  package static func write(_ state: StateEncoder, group: String, to writer: inout ArchiveWriter) throws {
    let root = group == "/" ? "" : group
    var groups: Set<String> = ["", root]
    for (name, value) in state.entries {
      let parts = name.split(separator: "/").map(String.init)
      for depth in 0..<max(parts.count - 1, 0) {
        let place = ([root] + parts[...depth]).joined(separator: "/")
        if groups.insert(place).inserted { try writer.makeGroup(place) }
      }
      let place = root + "/" + name
      switch value {
      case .doubles(let values): try writer.write(place, shape: [values.count], values)
      case .integers(let values): try writer.write(place, shape: [values.count], values)
      case .words(let values): try writer.write(place, shape: [values.count], values)
      case .texts(let values): try writer.write(place, strings: values)
      }
    }
  }

  package static func read(_ reader: borrowing ArchiveReader, group: String, place: String) throws -> StateDecoder {
    StateDecoder(try entries(reader, group: group), place: place)
  }

  package static func entries(_ reader: borrowing ArchiveReader, group: String) throws -> [String: StateValue] {
    var result: [String: StateValue] = [:]
    for (name, values) in try reader.allValues(below: group) {
      result[name] =
        switch values {
        case .doubles(let values): .doubles(values)
        case .integers(let values): .integers(values)
        case .words(let values): .words(values)
        case .texts(let values): .texts(values)
        }
    }
    return result
  }
}
