import Experiments
import Foundation
import Jobs
import Support
import Testing

/// Every kind of bad value in a job: what the failure says. The program itself is started for a handful of them (CommandTests).
@Suite struct BadInputTests {
  static let network = """
    title = "test"
    seed = 7
    [network]
    architecture = "mlp"
    activation = { name = "shaped-relu", c_plus = 0.5, c_minus = -0.5 }
    width = 24
    depth = 24
    inputs = { correlation = 0.3 }
    layers = [12, 24]
    draws = 20000
    [[limit]]
    equation = "covariance-sde"
    step = 0.05
    """

  static let particles = """
    seed = 5
    [particles]
    system = "gaussian-attraction"
    number = 700
    step = 0.05
    warm_up = 50
    steps = 200
    replicas = 3
    frame_every = 50
    """

  private func refused(
    _ text: String, _ settings: [String], says words: [String], status: Experiments.ExitStatus = .badData
  ) {
    #expect(complaint("\(settings)", says: words, status: status) { _ = try job(text, settings) } == nil)
  }

  @Test(arguments: [
    ("network.wdith=3", ["network.wdith = 3", "unknown key", "did you mean width?"]),
    ("netwrk.width=3", ["netwrk", "unknown key", "did you mean network?"]),
    ("network.width=true", ["network.width = true", "must be an integer in [1, "]),
    ("network.width=1.5", ["network.width = 1.5", "must be an integer"]),
    ("network.width=0", ["network.width = 0", "must be an integer in [1, "]),
    ("network.depth=-2", ["network.depth = -2"]),
    ("network.draws=1", ["network.draws = 1", "[2, "]),
    ("network.inputs.correlation=1.5", ["network.inputs.correlation = 1.5", "[-1.0, 1.0]"]),
    ("network.inputs={gram=[[1.0,2.0],[2.0,1.0]]}", ["network.inputs.gram", "positive semi-definite"]),
    ("network.inputs={gram=[[1.0,0.2],[0.3,1.0]]}", ["network.inputs.gram", "symmetric"]),
    ("network.inputs={gram=[[1.0,nan],[nan,1.0]]}", ["network.inputs.gram", "finite"]),
    ("network.inputs={correlation=-0.9, count=5}", ["network.inputs.correlation", "-0.25"]),
    ("network.inputs={}", ["network.inputs", "must be a table"]),
    ("network.activation=swish", ["network.activation.name = \"swish\"", "relu"]),
    ("network.activation.c_plus=inf", ["network.activation.c_plus = inf", "finite"]),
    ("network.layers=[5,5]", ["network.layers", "ascending"]),
    ("network.layers=[25]", ["network.layers", "[1, 24]"]),
    ("network.observables=[\"W\"]", ["network.observables", "V, log_V"]),
    ("network.sampler=chi-square", ["network.sampler", "one input"]),
    ("network.sampler=exact", ["network.sampler", "conditional"]),
    ("seed=-1", ["seed = -1"]),
    ("run.checkpoint_every=soon", ["run.checkpoint_every", "60s"]),
    ("run.keep=-1", ["run.keep = -1", "[0, "]),
    ("comparison.ks=0", ["comparison.ks = 0", "(0.0, 1.0]"]),
    ("limit={equation=\"covariance-sde\",step=0.0}", ["limit.step = 0.0"]),
    ("limit={equation=\"sed\"}", ["limit.equation = \"sed\"", "covariance-sde"]),
    ("sweep={\"network.width\"=[]}", ["sweep", "array"]),
    ("sweep={\"seed\"=[1,2]}", ["sweep", "network or limit"]),
    ("expect={\"covariance-sde\"=\"perhaps\"}", ["expect.\"covariance-sde\"", "agrees, differs, undecided"]),
    ("expect={\"V\"={value=1}}", ["expect.\"V\"", "tolerance"]),
    ("check=3", ["check = 3", "must be a table"]),
    ("bias.enabled=true", ["bias", "particles"]),
  ])
  func networks(setting: String, words: [String]) { refused(Self.network, [setting], says: words) }

  static let posterior = PosteriorJob(
    network: """
      architecture = "mlp"
      activation = "tanh"
      width = 24
      depth = 2
      inputs = { gram = [[1.0, 0.3, 1.0], [0.3, 1.0, 0.3], [1.0, 0.3, 1.0]] }
      """, draws: 200, limits: ["infinite-width"]
  ).text

  /// Inputs 0 and 2 are equal.
  @Test(arguments: [
    ("posterior.noise=-0.1", ["posterior.noise = -0.1", "at least 0.0"]),
    ("posterior.noise=inf", ["posterior.noise = inf"]),
    ("posterior.targets=[1.0]", ["posterior.targets", "an array of 2 finite numbers"]),
    ("posterior.targets=[1.0, nan]", ["posterior.targets", "finite"]),
    ("posterior.targets=\"y\"", ["posterior.targets = \"y\"", "an array of 2"]),
    ("posterior.test=[3]", ["posterior.test = [3]", "the place 3", "the inputs 0 to 2"]),
    ("posterior.test=[]", ["posterior.test = []", "an array of 1 to 64"]),
    ("posterior.train=[0, 0]", ["posterior.train", "different"]),
    ("posterior.train=[0, -1]", ["posterior.train", "-1"]),
    ("posterior.controls=\"all\"", ["posterior.controls = \"all\"", "layers, none"]),
    ("posterior.nois=1", ["posterior.nois", "did you mean noise?"]),
    (
      "posterior={train=[0, 2], targets=[1.0, -0.5], noise=0.0, test=[1]}",
      ["posterior.noise = 0", "inputs 0 and 2 are equal", "1.0 and -0.5 differ"]
    ),
    (
      "posterior={train=[0, 1], targets=[1.0, -0.5], noise=0.0, test=[2]};network.width=1",
      ["posterior.noise = 0", "a width of at least 2"]
    ),
    (
      "network.inputs={gram=[[1.0,0.0,1.0],[0.0,1.0,1.0],[1.0,1.0,2.0]]};network.activation=linear;posterior={train=[0,1,2],targets=[1.0,-0.5,2.0],noise=0.0,test=[2]}",
      ["posterior.noise = 0", "singular at infinite width"]
    ),
    ("posterior.regret=1", ["posterior.regret = 1", "true or false"]),
    (
      "posterior={train=[0, 1], targets=[1.0, -0.5], noise=0.0, test=[2], regret=true}",
      ["posterior.regret = true", "needs noise above 0"]
    ),
    ("network.bound=5.0", ["network.bound = 5.0", "[posterior]"]),
    (
      "network.activation=linear;network.c=10.0;network.depth=400",
      ["network.depth = 400", "leaves the range of numbers by layer 400"]
    ),
    ("network.architecture=orthogonal-mlp", ["network.architecture = \"orthogonal-mlp\"", "[posterior]"]),
    (
      "network.inputs={correlation=0.3,count=6};posterior={train=[0,1,2,3],targets=[1.0,-0.5,0.0,0.0],noise=0.1,test=[5]};limit={equation=\"finite-width\"}",
      ["limit.equation", "at most 4 different inputs", "there are 5"]
    ),
    (
      "network.inputs={correlation=0.3,count=4};network.activation=relu;posterior={train=[0,1,2],targets=[1.0,-0.5,0.0],noise=0.1,test=[3]};limit={equation=\"finite-width\"}",
      ["limit.equation", "at most 3 different inputs", "with kinks"]
    ),
  ])
  func posteriors(settings: String, words: [String]) {
    refused(Self.posterior, settings.split(separator: ";").map(String.init), says: words)
  }

  /// What looks singular and is not: equal inputs with noise, and without where their targets are equal.
  @Test(arguments: [
    "posterior={train=[0, 2], targets=[1.0, -0.5], noise=0.1, test=[1]}",
    "posterior={train=[0, 2], targets=[1.0, 1.0], noise=0.0, test=[1, 2]}",
    "limit={equation=\"finite-width\"}",
  ])
  func posteriorsOfEqualInputs(setting: String) throws {
    #expect(try !job(Self.posterior, [setting]).job.cases.isEmpty)
  }

  static let particleSettings: [(String, String)] = [
    ("particles.number=0", "particles.number = 0: must be an integer in [1,"),
    ("particles.number=9223372036854775807;bias.enabled=true", "particles.number"),
    ("particles.dimension=100000;particles.number=1000000", "coordinates must be at most"),
    ("particles.step=1.1", "must be below 1.0"), ("particles.step=-1", "particles.step"),
    ("particles.steps=7;particles.records=2", "must be a multiple of records x measure_every"),
    ("particles.frame_every=3;particles.measure_every=2", "must be a multiple of measure_every"),
    ("particles.frame_every=1;particles.framed_particles=700;particles.steps=1000000", "more than 1 GiB"),
    ("particles.system=\"plasma\"", "must be one of gaussian-attraction"),
    ("particles.integrator=\"rk4\"", "must be one of lmc"), ("particles.friction=1", "unknown key"),
    ("particles.integrator=\"proximal\"", "without interaction"),
    ("particles.integrator=\"heat-bath\"", "curie-weiss"),
    ("particles.system=\"curie-weiss\"", "spins take heat-bath"),
    ("particles.system=\"cosine-well\";particles.integrator=\"proximal\";particles.step=0.34", "must be below 0.333"),
    (
      "particles.integrator=\"mala\";particles.target_acceptance=0.5;particles.warm_up=0", "must be at least 10 steps"
    ),
    ("particles.system=\"two-layer\"", "particles.file is missing"),
    ("particles.system=\"two-layer\";particles.file=\"none.csv\"", "none.csv: no such file"),
    ("particles.system=\"two-layer\";particles.file=\"d.csv\"", "d.csv has no such column; it has a, b"),
    ("particles.system=\"two-layer\";particles.file=\"d.csv\";particles.label=\"b\"", "two different labels"),
    (
      "particles.system=\"two-layer\";particles.file=\"d.csv\";particles.label=\"b\";particles.classes=[5, 6]",
      "no row with either label"
    ), ("particles.system=\"two-layer\";particles.file=\"ragged.csv\"", "ragged.csv, line 3: 3 columns"),
    ("particles.system=\"two-layer\";particles.parity=5;particles.bits=3", "must be at most bits = 3"),
    ("network.width=3", "cannot be given together with"), ("bias.widths=1", "unknown key"),
    ("run.shards=-1", "run.shards"), ("limit.equation=\"covariance-sde\"", "must be one of stationary-limit"),
  ]

  @Test(arguments: particleSettings)
  func particles(setting: String, message: String) throws {
    let folder = NSTemporaryDirectory() + "fathom-bad-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try "a,b\n1,0\n2,1\n3,0\n4,1\n".write(toFile: folder + "/d.csv", atomically: true, encoding: .utf8)
    try "a,b\n1,0\n2,1,3\n".write(toFile: folder + "/ragged.csv", atomically: true, encoding: .utf8)
    let settings = setting.replacing("particles.file=\"", with: "particles.file=\"\(folder)/").split(separator: ";")
    refused(Self.particles, settings.map(String.init), says: [message])
  }

  /// Of every architecture: a number outside its range, an unknown key.
  @Test(arguments: GoldenTests.all.filter { $0.job.contains("[network]") })
  func everyNetwork(golden: GoldenTests.Golden) {
    for (setting, word) in [
      ("network.width=0", "width"), ("network.nonsense=1", "nonsense"), ("network.bound=-1", "bound"),
    ] { refused(golden.job, [setting], says: ["network.\(word)"]) }
  }

  @Test func files() {
    refused("title = \"x\nseed = 1", [], says: ["job.toml, line 1"])
    // Draws above 2^63 are no TOML integer.
    refused(
      Self.network.replacing("draws = 20000", with: "draws = 10000000000000000000"), [], says: ["job.toml, line 10"])
    refused("seed = 1", [], says: ["none of the tables [network], [particles]"])
    // The sweep would win over a value of a swept key.
    refused(
      Self.network, ["network.width=64", "sweep={\"network.width\"=[16,32]}"],
      says: ["network.width = 64", "is swept by the job", "sweep={\"network.width\"=[64]}"])
    refused(Self.network, ["width"], says: ["--set width", "key=value"], status: .usage)
  }

  /// Of every kind of name, a typo of one; and values beside their range.
  @Test(arguments: [
    ("sede=1", "did you mean seed?"), ("width=64", "did you mean network.width?"),
    ("Network.width=64", "did you mean network?"), ("netwrok={}", "did you mean network?"),
    ("network.activation=tahn", "did you mean tanh?"), ("network.activation=shaped", "did you mean shaped-relu?"),
    ("network.activation.c_pluss=1", "did you mean c_plus?"), ("network.architecture=mpl", "did you mean mlp?"),
    ("network.architecture=\"Trans-former\"", "did you mean transformer?"),
    ("network.sampler=conditonal", "did you mean conditional?"), ("network.layers=al", "did you mean all?"),
    ("network.observables=[\"V\",\"roh\"]", "for roh, did you mean rho?"),
    ("network.observables=[\"rho[0,1]\"]", "did you mean rho?"),
    ("network.probes=[\"covarience\"]", "did you mean covariance?"),
    ("network.inputs={corelation=0.3}", "did you mean correlation?"),
    ("limit.equation=covariance", "did you mean covariance-sde?"),
    ("limit.setp=0.1", "did you mean step?"), ("run.kep=1", "did you mean keep?"),
    ("run.checkpoint=\"60s\"", "did you mean checkpoint_every?"), ("comparison.kss=1", "did you mean ks?"),
    ("sweep={\"network.wdith\"=[8,16]}", "did you mean width?"),
    ("sweep={\"netwrk.width\"=[8,16]}", "did you mean network.width?"),
    ("expect={\"covariance-sde\"=\"agree\"}", "did you mean agrees?"),
    ("network.width=0", "the nearest is 1"), ("network.draws=1", "the nearest is 2"), ("seed=-1", "the nearest is 0"),
    ("network.width=1.5", "the nearest is 2"), ("network.inputs.correlation=1.5", "the nearest is 1.0"),
    ("network.depth=2e9", "the nearest is 1000000000"), ("comparison.ks=1.5", "the nearest is 1.0"),
    ("network.draws=\"1_000\"", "a number is written without quotes"),
    ("network.width=[32,64]", "write \"network.width\" = [32, 64] under [sweep]"),
    ("network.activation=[\"relu\",\"tanh\"]", "write \"network.activation\" = "),
    ("network.architecture=[\"mlp\",\"resnet\"]", "write \"network.architecture\" = "),
    ("limit.step=[0.1,0.05]", "write \"limit.step\" = [0.1, 0.05] under [sweep]"),
    ("network.width.x=3", "network.width is an integer, not a table"),
    ("network..width=3", "a name on each side of a dot"),
    ("limit.infinite-width.step=3", "has no limit infinite-width, but covariance-sde"),
    ("limit.covariance-sed.step=3", "did you mean limit.covariance-sde.step?"),
  ])
  func theNearestIsNamed(setting: String, words: String) { refused(Self.network, [setting], says: [words]) }

  @Test(arguments: [
    ("particles.system=\"gausian\"", "did you mean gaussian?"), ("particles.integrator=\"lcm\"", "did you mean lmc?"),
    ("particles.integrator=[\"lmc\",\"baoab\"]", "write \"particles.integrator\" = "),
    ("particles.replica=3", "did you mean replicas?"),
    ("particles.steps=203;particles.records=4", "the nearest is 204"),
    ("particles.frame_every=1;particles.measure_every=2", "the nearest is 2"),
    ("bais.enabled=true", "did you mean bias?"),
    ("bias.enable=true", "did you mean enabled?"), ("bias.enabled=\"ture\"", "did you mean true?"),
  ])
  func theNearestIsNamedOfParticles(setting: String, words: String) {
    refused(Self.particles, setting.split(separator: ";").map(String.init), says: [words])
  }

  /// What is near nothing has no suggestion.
  @Test func nothingIsNearNonsense() {
    #expect(Nearest.name(to: "plasma", among: ["gaussian", "log-gas", "kuramoto"]) == nil)
    #expect(Nearest.name(to: "x", among: ["width", "depth"]) == nil && Nearest.name(to: "", among: ["a"]) == nil)
    #expect(
      Nearest.name(to: "ab", among: ["ba"]) == "ba" && Nearest.name(to: "Depht", among: ["depth", "width"]) == "depth")
    // The shorter way wins, and the first of two that are equally near.
    #expect(Nearest.name(to: "setp", among: ["seed", "step"]) == "step")
  }

  /// A missing key is said to be missing, not to have the value "(missing)".
  @Test func missingKeys() {
    for key in [
      "seed = 7", "width = 24", "architecture = \"mlp\"", "inputs = { correlation = 0.3 }",
      "equation = \"covariance-sde\"",
    ] {
      let text = Self.network.split(separator: "\n").filter { $0 != key }.joined(separator: "\n")
      refused(text, [], says: ["\(key.prefix { $0 != " " }) is missing"])
    }
  }

  /// A real that is exactly an integer is that integer, wherever one is asked for: the same job, the same draws.
  @Test func integersMayBeWrittenAsReals() throws {
    let plain = try job(
      Self.network, ["network.draws=1000000", "network.width=100", "network.layers=[12,24]", "seed=50"])
    let real = try job(
      Self.network, ["network.draws=1e6", "network.width=1e2", "network.layers=[1.2e1,24.0]", "seed=5e1"])
    #expect(real.job.cases[0].legs[0].draws == 1_000_000 && real.job.seed == 50)
    #expect(real.job.cases[0].legs[0].axis.values == [12, 24])
    #expect(plain.job.identity.filter { !$0.contains("layers") } == real.job.identity.filter { !$0.contains("layers") })
    // In a sweep too: the label decides the streams.
    let sweeps = try ["[16, 32]", "[1.6e1, 32.0]"].map { try job(Self.network, ["sweep={\"network.width\"=\($0)}"]) }
    #expect(sweeps[0].job.cases.map(\.label) == sweeps[1].job.cases.map(\.label))
    let numbers = try job(
      Self.particles, ["particles.number=7e2", "particles.step=0.05", "bias.enabled=true", "particles.steps=2e2"])
    #expect(numbers.job.cases[0].legs.contains { $0.name == "particles-2N" })
    #expect(try numbers.job.identity == job(Self.particles, ["bias.enabled=true"]).job.identity)
    for wrong in ["1.5", "1e300", "nan", "inf", "9223372036854775808.0"] {
      refused(Self.network, ["network.draws=\(wrong)"], says: ["must be an integer in"])
    }
  }

  static let limits =
    network + """

      [[limit]]
      equation = "infinite-width"
      """

  /// A key of `[[limit]]`: that of the only one, or of the one that is named; in --set, a sweep and [check].
  @Test func keysOfLimits() throws {
    func steps(_ text: String, _ settings: [String], check: Bool = false) throws -> [String] {
      try job(text, settings, check: check).job.cases.map {
        $0.legs.first { $0.name == "covariance-sde" }!.attributes["step"]!
      }
    }
    #expect(try steps(Self.network, ["limit.step=0.01"]) == ["0.01"])
    #expect(try steps(Self.network.replacing("[[limit]]", with: "[limit]"), ["limit.step=0.01"]) == ["0.01"])
    for text in [Self.network, Self.limits] {
      #expect(try steps(text, ["limit.covariance-sde.step=0.01"]) == ["0.01"])
      #expect(try steps(text, ["sweep={\"limit.covariance-sde.step\"=[0.1,0.01]}"]) == ["0.1", "0.01"])
      #expect(try steps(text + "\n[check]\nlimit.covariance-sde.step = 0.02", [], check: true) == ["0.02"])
    }
    #expect(try job(Self.limits, ["limit.covariance-sde.step=0.05"]).job.identity == job(Self.limits).job.identity)
    refused(
      Self.limits, ["limit.step=0.005"],
      says: ["the job has 2 limits", "limit.covariance-sde.step or limit.infinite-width.step"])
    refused(Self.limits, ["limit.infinite-width.step=0.005"], says: ["limit.infinite-width.step = 0.005: unknown key"])
    refused(
      Self.network, ["limit.step=0.01", "sweep={\"limit.covariance-sde.step\"=[0.1,0.05]}"],
      says: ["is swept by the job"])
  }

  /// Two cases with the same values would be drawn twice under two names.
  @Test func equalCases() {
    refused(Self.network, ["sweep={\"network.activation.c_plus\"=[1, 1.0]}"], says: ["every case must differ"])
    refused(Self.network, ["sweep={\"network.width\"=[16, 1.6e1]}"], says: ["every case must differ"])
    refused(
      Self.network, ["sweep={\"network.inputs\"=[{correlation=0},{correlation=0.0}]}"], says: ["every case must differ"]
    )
  }

  /// Sizes that fit into no memory are refused before anything of theirs is made.
  @Test func tablesThatAreTooLarge() {
    let start = ContinuousClock.now
    refused(
      Self.network, ["network.depth=1e9", "network.layers=all"], says: ["would be 1000000000 layers; at most 10000"])
    refused(
      Self.network, ["run.keep=1e7", "network.draws=1e7"], says: ["run.keep", "more than 1 GiB", "the nearest is"])
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  /// 300^3 cases: refused before they are made.
  @Test func sweepsThatAreTooLarge() {
    let list = "[" + (1...300).map(String.init).joined(separator: ",") + "]"
    let sweep = "sweep={\"network.width\"=\(list), \"network.depth\"=\(list), \"limit.step\"=\(list)}"
    let start = ContinuousClock.now
    refused(Self.network, [sweep], says: ["27000000 cases", "at most 10000"])
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  /// `/` becomes `_` in a file: two such cases would share a group.
  @Test func casesThatWouldShareAGroup() throws {
    let folder = NSTemporaryDirectory() + "fathom-bad-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder + "/c", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for name in ["c/x.csv", "c_x.csv"] {
      try "1,2\n2,1\n".write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
    }
    let inputs = ["c/x.csv", "c_x.csv"].map { "{file=\"\(folder)/\($0)\",rows=[0,1]}" }.joined(separator: ",")
    refused(Self.network, ["sweep={\"network.inputs\"=[\(inputs)]}"], says: ["share its group"])
  }

  @Test func formerNamesAreRead() throws {
    _ = Notes.take()
    let file = try job(Self.particles, ["particles.start_spread=0.5"])
    #expect(file.job.identity.contains { $0.contains("start_std = 0.5") })
    #expect(Notes.take().contains { $0.contains("start_spread") && $0.contains("start_std") })
  }
}
