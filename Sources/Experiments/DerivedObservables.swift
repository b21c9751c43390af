import Formulas

/// Observables that are functions of others, by formula: `{ name = "gap", formula = "V[0,0] - V[1,1]" }`.
///
/// They are computed for each draw, or each measurement of a replica, from the values of that one.
public struct DerivedObservables: Sendable {
  /// One as a job asks for it.
  public struct Request: Sendable {
    let name: String
    let tree: FormulaTree
    let parameters: [String: Double]
    /// Of its formula, for messages.
    let key: String
    let text: JobValue
    let table: String
  }

  struct Term: Sendable {
    let program: FormulaProgram
    let formula: Formula
    /// Places of its variables among the values of a record, those derived before it included.
    let places: [Int]
  }

  let terms: [Term]
  /// Of the values that are given, and of all.
  let given: Int
  public let observables: [Observable]
  var width: Int { given + observables.count }

  /// Those of the requests whose terms are there.
  /// - Parameters:
  ///   - taken: names that none of them may have.
  ///   - all: whether every request must be met.
  /// - Throws: `Failure` with the column and the nearest name of a term that is not there.
  init(_ requests: [Request], of measured: [Observable], taken: [String] = [], all: Bool) throws {
    var names = measured.map { Self.variable($0.name) }
    var found: [Term] = []
    var made: [Observable] = []
    for request in requests {
      let present = Set(names.compactMap { $0 })
      let used = request.tree.names.filter(present.contains)
      let isKnown = { (name: String) in present.contains(name) || request.parameters[name] != nil || name == "pi" }
      if !all && !request.tree.names.allSatisfy(isKnown) { continue }
      if taken.contains(request.name) || measured.contains(where: { $0.name == request.name })
        || made.contains(where: { $0.name == request.name })
      {
        throw Failure.invalid(
          key: "\(request.table).name", value: "\"\(request.name)\"", allowed: "is the name of another observable")
      }
      try Self.refusePowers(request, measured)
      // All names for a message, those that occur for evaluation.
      _ = try FormulaKeys.read(
        request.text, key: request.key, variables: names.compactMap { $0 }, parameters: request.parameters,
        table: request.table)
      let formula = try FormulaKeys.read(
        request.text, key: request.key, variables: used, parameters: request.parameters, table: request.table)
      let places = used.map { name in names.firstIndex(of: name)! }
      found.append(Term(program: FormulaProgram(formula), formula: formula, places: places))
      let parts = places.map { $0 < measured.count ? measured[$0] : made[$0 - measured.count] }
      made.append(
        Observable(
          Self.family(request.name), Self.indices(request.name),
          role: parts.contains(where: \.isHeavyTailed) ? .heavyTailed : .quantity, name: request.name,
          request.tree.description))
      names.append(request.name)
    }
    (terms, observables, given) = (found, made, measured.count)
  }

  /// The name of an observable in formulas: powers and bars have no place in a name, so `x^2` is `x2`, `x[0]^2` is `x2[0]`, `|m|` is
  /// `abs_m`. Nil if there is none.
  static func variable(_ name: String) -> String? {
    if isName(name) { return name }
    if name.hasPrefix("|"), name.hasSuffix("|") { return variable("abs_" + name.dropFirst().dropLast()) }
    let parts = name.split(separator: "^")
    guard parts.count == 2, parts[1].allSatisfy(\.isNumber) else { return nil }
    let (base, power) = (family(String(parts[0])), parts[1])
    let result = base + power + parts[0].dropFirst(base.count)
    return isName(result) ? result : nil
  }

  static func isName(_ text: String) -> Bool {
    guard let tree = try? FormulaTree(parsing: text), case .name(let name) = tree.kind else { return false }
    return name == text && (try? Formula(text, variables: [text])) != nil
  }

  private static func family(_ name: String) -> String { String(name.prefix { $0 != "[" }) }

  private static func indices(_ name: String) -> [Int] {
    name.dropFirst(family(name).count).split { !$0.isNumber }.compactMap { Int($0) }
  }

  /// `x^2` in a formula is the square of x, not the observable of that name: who writes it is asked which.
  private static func refusePowers(_ request: Request, _ measured: [Observable]) throws {
    let written = request.tree.description
    for observable in measured {
      guard let name = variable(observable.name), name != observable.name, written.contains(observable.name) else {
        continue
      }
      let base = observable.name.split(separator: "^")[0]
      throw Failure.invalid(
        key: request.key, value: request.text.description,
        allowed:
          "in a formula the observable \(observable.name) is written \(name), and the square of \(base) \(base)*\(base)"
      )
    }
  }
}

extension DerivedObservables {
  /// Takes the formulas out of the `observables` of a family's table.
  /// - Parameter measured: the observables that the family takes by name, to which those are added that formulas name; nil if it
  ///   measures all it has and takes no such key.
  /// - Returns: the table without them, and the requests in the order of the list.
  public static func split(
    _ table: JobValue, path: String, choices measured: [String]?
  ) throws -> (table: JobValue, requests: [Request]) {
    guard case .table(var entries) = table, case .list(let items)? = entries["observables"] else { return (table, []) }
    var (plain, requests) = ([JobValue](), [Request]())
    for (k, item) in items.enumerated() {
      guard case .table(let own) = item else {
        plain.append(item)
        continue
      }
      requests.append(try request(own, path: "\(path).observables[\(k)]"))
    }
    guard !requests.isEmpty else { return (table, []) }
    if let measured {
      // What a formula names is measured.
      let derived = requests.map(\.name)
      for name in requests.flatMap(\.tree.names) where !derived.contains(name) {
        let base = family(name)
        guard let choice = measured.first(where: { $0.lowercased() == base.lowercased() }) else { continue }
        if !plain.contains(.text(choice)) { plain.append(.text(choice)) }
      }
    } else if let name = plain.first {
      throw Failure.invalid(
        key: "\(path).observables", value: name.description,
        allowed: "must hold tables { name = …, formula = … } only: everything else is measured anyway")
    }
    entries["observables"] = plain.isEmpty ? nil : .list(plain)
    return (.table(entries), requests)
  }

  private static func request(_ own: [String: JobValue], path: String) throws -> Request {
    guard case .text(let name)? = own["name"], isName(name) else {
      throw Failure.invalid(
        key: "\(path).name", value: own["name"]?.description,
        allowed: "must be a name as in formulas: letters, digits and _, and indices, as in gap or gap[0,1]")
    }
    guard let text = own["formula"] else {
      throw Failure.invalid(
        key: "\(path).formula", value: nil,
        allowed: "must be a formula\(Nearest.hint(own.keys.sorted().first { $0 != "name" } ?? "", among: ["formula"]))")
    }
    guard case .text(let words) = text else {
      throw Failure.invalid(key: "\(path).formula", value: text.description, allowed: "must be a formula in quotes")
    }
    let parameters = try FormulaKeys.parameters(own, except: ["name", "formula"], path: path)
    do {
      return Request(
        name: name, tree: try FormulaTree(parsing: words), parameters: parameters, key: "\(path).formula", text: text,
        table: path)
    } catch {
      throw Failure.invalid(key: "\(path).formula", value: text.description, allowed: "is no formula: \(error)")
    }
  }
}

extension DerivedObservables.Request {
  /// Its line in the identity of a job.
  public func identity(prefix: String) -> String {
    let values = parameters.sorted { $0.key < $1.key }.map { ", \($0.key) = \($0.value)" }.joined()
    return "\(prefix).observables.\(name) = \(tree)\(values)"
  }
}
