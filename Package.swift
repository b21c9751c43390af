// swift-tools-version: 6.0
import PackageDescription

// FATHOM_MARCH picks the instruction set of the numeric code: native (default), x86-64-v3, ...
// The results carry the same bits on all of them (docs/decisions/0001-exact-tallies.md).
let march = Context.environment["FATHOM_MARCH"] ?? "native"

// FATHOM_MPI picks the MPI that the program is built with: openmpi (default) or mpich, with all that share the header of MPICH. Each
// wants a build folder of its own (docs/cluster.md#mpich).
let isMPICH: Bool
switch Context.environment["FATHOM_MPI"] ?? "openmpi" {
case "openmpi": isMPICH = false
case "mpich": isMPICH = true
case let other: fatalError("FATHOM_MPI = \(other): must be openmpi or mpich")
}

// -fno-math-errno lets squareRoot() become an instruction instead of a call to libm, which is
// what allows the draw loops to be vectorised.
var flags = ["-march=\(march)", "-fno-math-errno"]
#if arch(x86_64)
  // LLVM tunes several AVX-512 CPUs for 256-bit vectors; these loops gain from the full width.
  flags += ["-Xclang", "-target-feature", "-Xclang", "-prefer-256-bit"]
  // AVX512DQ's 64-bit product is three instructions; without it LLVM sees that one 32-bit product is enough for Philox.
  flags += ["-Xclang", "-target-feature", "-Xclang", "-avx512dq"]
#endif
// Four vectors at a time in every loop: with one, the CPU waits for its own results. (LLVM guesses one for long loop bodies.) After
// a change here delete .build: objects whose code did not change are kept.
let interleave = ["-Xllvm", "-force-vector-interleave=4"]
let numeric: [SwiftSetting] = [.unsafeFlags(flags.flatMap { ["-Xcc", $0] } + interleave)]
// Tests that do not compute much themselves compile in half the time without optimisation.
let checking: [SwiftSetting] = [.unsafeFlags(["-Onone"])]

/// Kinds of work, a folder of Sources/Models each.
let models: [Target.Dependency] = [
  "Networks",
  "Training",
  "Particles",
  "Manifolds",
  "Semidefinite",
  "Divergences",
  "Regression",
  "Signatures",
  "Diffusions",
  "Estimation",
  "Coulomb",
  "KernelMachines",
  "Walks",
  "Filters",
  "Tangent",
  "Gases",
  "Chemotaxis",
]

let package = Package(
  name: "fathom",
  products: [
    .executable(name: "fathom", targets: ["fathom"]),
    .library(name: "MessagePassing", targets: ["MessagePassing"]),
    .library(name: "Archive", targets: ["Archive"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
  ],
  targets: [
    .systemLibrary(name: "CMPI", pkgConfig: isMPICH ? "mpich" : "ompi-c"),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5-serial"),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto"),
    .systemLibrary(name: "CTarget"),
    .target(name: "Spelling"),
    .target(name: "Kernels", dependencies: ["CTarget"], swiftSettings: numeric),
    .target(name: "Formulas", dependencies: ["Kernels", "Spelling"], swiftSettings: numeric),
    .target(name: "Randomness", dependencies: ["Kernels"], swiftSettings: numeric),
    .target(name: "Statistics", dependencies: ["Kernels"], swiftSettings: numeric),
    .target(
      name: "Experiments", dependencies: ["Formulas", "Kernels", "Randomness", "Spelling", "Statistics"],
      swiftSettings: numeric),
    .target(name: "Engine", dependencies: ["Experiments", "Randomness", "Statistics"], swiftSettings: numeric),
    .target(name: "Analyses", dependencies: ["Experiments", "Kernels", "Statistics"], swiftSettings: numeric),
    .target(
      name: "Networks", dependencies: ["Experiments", "Formulas", "Kernels", "Randomness"],
      path: "Sources/Models/Networks",
      swiftSettings: numeric),
    .target(
      name: "Particles", dependencies: ["Experiments", "Formulas", "Kernels", "Randomness", "Statistics"],
      path: "Sources/Models/Particles", swiftSettings: numeric),
    .target(
      name: "Manifolds", dependencies: ["Experiments", "Kernels", "Randomness"], path: "Sources/Models/Manifolds",
      swiftSettings: numeric),
    .target(
      name: "Graphs", dependencies: ["Experiments", "Randomness"], path: "Sources/Models/Graphs", swiftSettings: numeric
    ),
    .target(
      name: "Semidefinite",
      dependencies: ["Experiments", "Graphs", "Kernels", "Manifolds", "Randomness", "Statistics"],
      path: "Sources/Models/Semidefinite", swiftSettings: numeric),
    .target(
      name: "Walks", dependencies: ["CTarget", "Experiments", "Formulas", "Graphs", "Kernels", "Randomness"],
      path: "Sources/Models/Walks", swiftSettings: numeric),
    .target(
      name: "Coulomb", dependencies: ["Experiments", "Formulas", "Kernels", "Randomness", "Statistics"],
      path: "Sources/Models/Coulomb", swiftSettings: numeric),
    .target(
      name: "Chemotaxis", dependencies: ["CTarget", "Experiments", "Kernels", "Randomness"],
      path: "Sources/Models/Chemotaxis", swiftSettings: numeric),
    .target(
      name: "Training", dependencies: ["Experiments", "Kernels", "Networks", "Randomness", "Statistics"],
      path: "Sources/Models/Training", swiftSettings: numeric),
    .target(
      name: "Diffusions", dependencies: ["Experiments", "Kernels", "Randomness", "Statistics"],
      path: "Sources/Models/Diffusions", swiftSettings: numeric),
    .target(
      name: "Estimation", dependencies: ["Experiments", "Formulas", "Kernels", "Networks", "Randomness", "Statistics"],
      path: "Sources/Models/Estimation", swiftSettings: numeric),
    .target(
      name: "Filters", dependencies: ["Experiments", "Formulas", "Kernels", "Randomness"],
      path: "Sources/Models/Filters", swiftSettings: numeric),
    .target(
      name: "Gases", dependencies: ["Experiments", "Kernels", "Randomness", "Statistics"],
      path: "Sources/Models/Gases", swiftSettings: numeric),
    .target(
      name: "Signatures", dependencies: ["Experiments", "Formulas", "Kernels", "Networks", "Randomness"],
      path: "Sources/Models/Signatures", swiftSettings: numeric),
    .target(
      name: "Divergences",
      dependencies: ["Experiments", "Formulas", "Kernels", "Particles", "Randomness", "Statistics"],
      path: "Sources/Models/Divergences", swiftSettings: numeric),
    .target(
      name: "Regression", dependencies: ["Experiments", "Kernels", "Networks", "Randomness"],
      path: "Sources/Models/Regression", swiftSettings: numeric),
    .target(
      name: "KernelMachines", dependencies: ["Experiments", "Kernels", "Networks", "Randomness"],
      path: "Sources/Models/KernelMachines", swiftSettings: numeric),
    .target(
      name: "Tangent", dependencies: ["Experiments", "Kernels", "Networks", "Randomness", "Regression"],
      path: "Sources/Models/Tangent", swiftSettings: numeric),
    .target(
      name: "Samples", dependencies: ["Experiments", "Randomness", "Statistics"], path: "Sources/Models/Samples"),
    .target(
      name: "Limits",
      dependencies: models + ["Experiments", "Formulas", "Kernels", "Randomness", "Statistics"],
      swiftSettings: numeric),
    .target(
      name: "MessagePassing", dependencies: ["CMPI"], swiftSettings: isMPICH ? [.define("FATHOM_MPICH")] : []),
    .target(name: "Archive", dependencies: ["CHDF5", "CCrypto"]),
    .target(
      name: "Jobs",
      dependencies: models + [
        "Experiments", "Engine", "Analyses", "Kernels", "Samples", "Limits", "Archive", "Statistics", "TOMLKit",
      ]),
    .target(name: "Results", dependencies: ["Analyses", "Archive", "Experiments", "Statistics"]),
    .executableTarget(
      name: "fathom",
      dependencies: [
        "Jobs", "Engine", "Analyses", "Results", "Experiments", "Limits", "MessagePassing", "Archive", "CTarget",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], resources: [.embedInCode("VERSION")], swiftSettings: numeric),
    .executableTarget(
      name: "fathom-bench",
      dependencies: models + [
        "Analyses", "Engine", "Experiments", "Formulas", "Jobs", "Kernels", "Limits", "Randomness", "Statistics",
      ],
      path: "Benchmarks/Native", swiftSettings: numeric),
    .testTarget(
      name: "KernelsTests", dependencies: ["Kernels"], resources: [.copy("Golden")],
      swiftSettings: numeric),
    .testTarget(name: "FormulasTests", dependencies: ["Formulas", "Kernels"], swiftSettings: numeric),
    .testTarget(
      name: "RandomnessTests", dependencies: ["Randomness", "Statistics"], swiftSettings: numeric),
    .testTarget(
      name: "StatisticsTests", dependencies: ["Statistics", "Randomness"], resources: [.copy("ArviZ")],
      swiftSettings: numeric),
    .testTarget(
      name: "ModelTests",
      dependencies: models + ["Analyses", "Engine", "Limits", "Jobs", "Experiments", "Formulas", "Support"],
      swiftSettings: checking),
    .testTarget(
      name: "ParticlesTests",
      dependencies: ["Particles", "Limits", "Jobs", "Experiments", "Randomness", "Statistics"],
      swiftSettings: numeric),
    .testTarget(
      name: "ManifoldsTests",
      dependencies: [
        "Manifolds", "Limits", "Jobs", "Experiments", "Kernels", "Randomness", "Statistics", "Support",
      ],
      swiftSettings: numeric),
    .testTarget(
      name: "DivergenceTests", dependencies: ["Analyses", "Engine", "Experiments", "Jobs", "Kernels", "Support"],
      swiftSettings: checking),
    .testTarget(
      name: "RidgeTests",
      dependencies: [
        "Regression", "Limits", "Jobs", "Experiments", "Kernels", "Randomness", "Statistics", "Support",
      ],
      swiftSettings: numeric),
    .testTarget(
      name: "KernelMachineTests",
      dependencies: [
        "Analyses", "Engine", "KernelMachines", "Networks", "Limits", "Jobs", "Experiments", "Kernels", "Randomness",
      ],
      swiftSettings: numeric),
    .testTarget(
      name: "FilterTests",
      dependencies: [
        "Engine", "Filters", "Limits", "Jobs", "Experiments", "Kernels", "Randomness", "Statistics", "Support",
      ],
      swiftSettings: numeric),
    .testTarget(
      name: "GasesTests",
      dependencies: [
        "Analyses", "Engine", "Gases", "Limits", "Jobs", "Experiments", "Kernels", "Randomness", "Statistics",
      ],
      swiftSettings: numeric),
    .testTarget(
      name: "ChemotaxisTests",
      dependencies: ["Chemotaxis", "Engine", "Limits", "Jobs", "Experiments", "Kernels", "Randomness", "Statistics"],
      swiftSettings: numeric),
    .testTarget(
      name: "TangentTests",
      dependencies: ["Tangent", "Networks", "Limits", "Jobs", "Experiments", "Kernels", "Randomness", "Statistics"],
      swiftSettings: numeric),
    .testTarget(
      name: "SemidefiniteTests",
      dependencies: ["Analyses", "Engine", "Semidefinite", "Graphs", "Jobs", "Experiments", "Kernels", "Randomness"],
      swiftSettings: numeric),
    .testTarget(
      name: "WalksTests",
      dependencies: [
        "Analyses", "Engine", "Experiments", "Graphs", "Jobs", "Kernels", "Limits", "Randomness", "Statistics", "Walks",
      ],
      swiftSettings: numeric),
    .testTarget(
      name: "EngineTests", dependencies: ["Analyses", "Engine", "Jobs", "Experiments", "Randomness", "Statistics"],
      swiftSettings: checking),
    .testTarget(
      name: "AnalysesTests",
      dependencies: ["Analyses", "Engine", "Experiments", "Kernels", "Randomness", "Statistics"]),
    .testTarget(
      name: "ResultsTests",
      dependencies: ["Results", "Analyses", "Archive", "Experiments", "Randomness", "Statistics"],
      resources: [.copy("Format2")], swiftSettings: checking),
    .testTarget(
      name: "CatalogTests",
      dependencies: [
        "Calibration", "Coulomb", "Jobs", "Engine", "Analyses", "Results", "Experiments", "Randomness", "Statistics",
        "Support",
      ],
      resources: [.copy("Goldens")], swiftSettings: checking),
    .testTarget(name: "JobsTests", dependencies: ["Jobs", "Experiments"], swiftSettings: checking),
    .target(name: "Support", dependencies: ["Experiments"], path: "Tests/Support"),
    .executableTarget(
      name: "fathom-sanitize", dependencies: ["Jobs", "Engine", "Results", "Experiments"], path: "Tests/Sanitize"),
    .target(
      name: "Calibration", dependencies: ["Jobs", "Engine", "Analyses", "Experiments", "Statistics"],
      path: "Tests/Calibration"),
    .executableTarget(
      name: "fathom-calibrate", dependencies: ["Calibration", "Archive", "Experiments"], path: "Tests/Calibrate"),
    .executableTarget(name: "mpi-probe", dependencies: ["MessagePassing"], path: "Tests/Probe"),
    .testTarget(name: "BindingTests", dependencies: ["Archive", "Support", "mpi-probe"], swiftSettings: checking),
    .testTarget(
      name: "CommandTests", dependencies: ["Support", "fathom", "Archive", "Limits"], swiftSettings: checking),
  ],
  swiftLanguageModes: [.v6]
)
