import Experiments
import Formulas
import Networks

extension NetworkLimits {
  private static let formula = "a table { formula = …, and its parameters }, in x and t"

  /// A diffusion that a job writes down, compared with one observable.
  ///
  ///     [[limit]]
  ///     equation = "sde"
  ///     observable = "log_V[0]"
  ///     drift = { formula = "-a", a = 1.0 }
  ///     diffusion = { formula = "sqrt(2*a)", a = 1.0 }
  static let ownSDE = LimitEntry<NetworkModel>(
    name: "sde",
    summary: "a diffusion of one variable by formulas, compared with one observable",
    equation: "dX = b(X, t) dt + s(X, t) dB, t = layer / width unless time is given",
    reference: "docs/formulas.md; by Milstein's method, where s has a derivative, or that of Euler and Maruyama",
    parameters: [
      Parameter(
        "observable", .text, "the observable that X is, as in log_V[0]; others of the job are not compared"),
      Parameter("drift", .structured(formula), "b"),
      Parameter("diffusion", .structured(formula), "s; its sign does not matter to the law"),
      Parameter(
        "start", .real(.finite), optional: true, "X_0; the observable of the inputs unless given, where V tells it"),
      Parameter(
        "time", .real(.above(0)), optional: true,
        "t at the last layer: t = time layer / depth; depth / width unless given"),
      Parameter(
        "step", .real(.above(0)), default: .real(0.01), unit: "t", "largest step size of the integrator"),
      extrapolate, draws,
      Parameter(
        "integrator", .choice(["milstein", "euler-maruyama"]), optional: true,
        "both have weak order 1; milstein unless s has no derivative in x"),
    ]
  ) { p, network in
    let settings = network.settings
    let (observable, initial) = try subject(p, network)
    let equation = try equation(p)
    func clock(_ layer: Int) -> Double {
      guard p["time"] != nil else { return Double(layer) / Double(settings.width) }
      return p.real("time") * Double(layer) / Double(settings.depth)
    }
    let (origin, times) = (clock(settings.inputs.layer), settings.layers.map(clock))
    guard (times.last! - origin) / p.real("step") <= 1e9 else {
      throw p.invalid("step", "must be at least \((times.last! - origin) / 1e9), a 1e9th of the time")
    }
    let start = p["start"] == nil ? initial! : p.real("start")
    try refuseStart(equation, start, origin, p)
    let schema = Schema(axis: .layers(settings.layers), observables: [observable])
    return LimitModel(
      .integrated(order: 1) { step in
        Experiment(
          ItoPaths(equation, start: start, origin: origin, times: times, step: step, path: p.path, schema: schema))
      }, offset: "",
      attributes: ["start": "\(start)", "integrator": equation.slope == nil ? "euler-maruyama" : "milstein"],
      subject: .init(key: "\(p.path).observable", name: observable.name))
  }

  /// The observable, and its value at the inputs; nil only where the start is given.
  private static func subject(
    _ p: Parameters, _ network: NetworkModel
  ) throws -> (Observable, initial: Double?) {
    let name = p.text("observable")
    let observables = network.experiment.schema.observables
    let given = p["start"] != nil
    guard let observable = observables.first(where: { $0.name == name }) else {
      // It may be one by formula, which is not read yet; whether it is there is checked afterwards.
      guard given else {
        let names = observables.map(\.name)
        throw p.invalid(
          "observable",
          "must be one of \(names.joined(separator: ", ")), or one by formula, which needs a start\(Nearest.hint(name, among: names))"
        )
      }
      return (Observable(String(name.prefix { $0 != "[" }), name: name, "X of \(p.path)"), nil)
    }
    let measured = network.settings.measured
    guard !given, let place = measured.observables.firstIndex(where: { $0.name == name }) else {
      guard given else { throw p.invalid("start", "must be given: V does not tell that of \(name)") }
      return (observable, nil)
    }
    let scratch = DiffusionScratch(network.settings.count)
    var values = [Double](repeating: 0, count: measured.observables.count)
    _ = measured.write(
      lower: network.settings.initialFactor, layer: Double(network.settings.inputs.layer), work: scratch.work,
      to: &values)
    guard values[place].isFinite else {
      throw p.invalid("start", "must be given: \(name) of the inputs is \(values[place])")
    }
    return (observable, values[place])
  }

  private static func equation(_ p: Parameters) throws -> ItoEquation {
    let (drift, diffusion) = (try read(p, "drift"), try read(p, "diffusion"))
    let asked = p["integrator"].map { _ in p.text("integrator") }
    var slope: Formula?
    if asked != "euler-maruyama" {
      do { slope = try diffusion.derivative("x") } catch {
        if asked != nil { throw p.invalid("integrator", "needs a derivative of the diffusion in x: \(error)") }
        Notes.add("\(p.path): the diffusion has no derivative in x (\(error)), so the integrator is euler-maruyama")
      }
    }
    return ItoEquation(drift: drift, diffusion: diffusion, slope: slope)
  }

  private static func read(_ p: Parameters, _ key: String) throws -> Formula {
    let path = "\(p.path).\(key)"
    guard case .table(let table)? = p[key], let text = table["formula"] else {
      var hint = ""
      switch p[key] {
      case .text(let words)?: hint = "; write \(key) = { formula = \"\(words)\" }"
      case .table(let table)?: hint = Nearest.hint(table.keys.sorted().first ?? "", among: ["formula"])
      case let value? where value.number != nil: hint = "; write \(key) = { formula = \"\(value)\" }"
      default: break
      }
      throw p.invalid(key, "must be \(formula)\(hint)")
    }
    let parameters = try FormulaKeys.parameters(table, except: ["formula"], path: path)
    return try FormulaKeys.read(
      text, key: "\(path).formula", variables: ItoEquation.variables, parameters: parameters, table: path)
  }

  /// A path that cannot make its first step is an error of the job.
  private static func refuseStart(_ equation: ItoEquation, _ x: Double, _ t: Double, _ p: Parameters) throws {
    for (key, formula) in [("drift", equation.drift), ("diffusion", equation.diffusion)] {
      let value = FormulaProgram(formula)([x, t])[0]
      guard !value.isFinite else { continue }
      let event = formula.domainEvent(at: [x, t]).map { ": \($0)" } ?? ""
      throw p.invalid(key, "is \(value.isNaN ? "nan" : "\(value)") at the start, x = \(x), t = \(t)\(event)")
    }
    guard let slope = equation.slope, !FormulaProgram(slope)([x, t])[0].isFinite else { return }
    throw p.invalid(
      "diffusion",
      "has no finite derivative at the start, x = \(x), t = \(t): give integrator = \"euler-maruyama\", which does without"
    )
  }
}
