// swift-tools-version: 6.2
import PackageDescription

/// One dialect for every target. Warnings in our own code are errors.
let dialect: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// That of our C programs: C11 with what Linux adds.
let cDialect: [CSetting] = [
    .define("_GNU_SOURCE"), .headerSearchPath("."), .headerSearchPath("Generated"),
    .enableWarning("all"), .enableWarning("extra"), .treatAllWarnings(as: .error),
]

func library(
    _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [],
    resources: [Resource]? = nil, settings: [SwiftSetting] = dialect
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/\(name)", exclude: exclude, resources: resources,
        swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies + ["TestSupport"], path: "Tests/\(name)Tests",
        exclude: exclude, swiftSettings: dialect)
}

let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let csv = Target.Dependency.product(name: "SwiftCSV", package: "SwiftCSV")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "hidra",
    products: [
        .library(name: "HidraClient", targets: ["HidraClient"]),
        .library(name: "HidraPlugin", targets: ["HidraPlugin"]),
        .library(name: "CHidraPlugin", targets: ["CHidraPlugin"]),
        .executable(name: "hidra", targets: ["hidra"]),
        .executable(name: "hidrad", targets: ["hidrad"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftcsv/SwiftCSV", from: "0.10.0"),
    ],
    targets: [
        // Row 0: C.
        .systemLibrary(name: "CZeroMQ", path: "Sources/CZeroMQ"),
        .systemLibrary(name: "COpenBLAS", path: "Sources/COpenBLAS", pkgConfig: "openblas"),
        .systemLibrary(name: "COpenSSL", path: "Sources/COpenSSL"),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib"),
        .systemLibrary(name: "CArchive", path: "Sources/CArchive"),
        .systemLibrary(name: "CCairo", path: "Sources/CCairo"),
        .target(
            name: "CImages", path: "Sources/CImages",
            linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png16"), .linkedLibrary("webp")]),
        .systemLibrary(name: "CProtobufC", path: "Sources/CProtobufC", pkgConfig: "libprotobuf-c"),
        .target(name: "CKernels", path: "Sources/CKernels"),
        .target(name: "CSpawn", path: "Sources/CSpawn", cSettings: [.define("_GNU_SOURCE")]),
        .target(name: "CAllocationCount", path: "Sources/CAllocationCount"),

        // Row 1: foundations that know nothing of each other.
        library("TensorCore", ["CKernels", "COpenBLAS"]),
        library("Digests", ["COpenSSL"]),
        library("Tokenizers"),
        library("HidraProtocol", [protobuf]),
        library("ONNX", [protobuf]),
        library("ZeroMQ", ["CZeroMQ"]),
        library("Tables", [csv]),
        library("Statistics"),
        library("Archives", ["CZlib"]),
        library("Charts", ["CCairo", "Statistics"]),
        library("Images", ["CImages", "CArchive"]),
        library("Sessions", ["Tables", yams]),
        library("Scheduling"),

        // Rows 2–5: from weights on disk to trained heads.
        library("Checkpoints", ["TensorCore"]),
        library("Layers", ["Checkpoints", "TensorCore"]),
        library("Graphs", ["ONNX", "Layers", "Checkpoints", "TensorCore"]),
        library("Encoders", ["Graphs", "Layers", "Checkpoints", "Images", "TensorCore", "Tokenizers"]),
        library("Training", ["Checkpoints", "TensorCore", "CKernels"]),
        library("Heads", ["Digests", "Encoders", "Graphs", "Training", "Layers", "Checkpoints", "TensorCore"]),

        library("Tuning", ["Encoders", "Training", "Checkpoints", "TensorCore"]),
        library("FewLabels", ["Heads", "Tuning", "Training", "Encoders", "Checkpoints", "TensorCore"]),
        library("Latent", ["Training", "Encoders", "Layers", "Checkpoints", "Images", "TensorCore"]),

        library("State", ["Encoders", "Digests", grdb]),

        // Row 6: the workbench, and those who talk to it.
        library("Hub", ["CZlib", "Digests"]),
        library(
            "Workbench",
            [
                "Scheduling", "Sessions", "State", "Latent", "Images", "FewLabels", "Statistics", "Archives", "Heads", "Graphs", "Tuning", "Encoders", "Training",
                "Layers", "Checkpoints", "TensorCore",
            ]),
        library("PluginHost", ["CSpawn", "HidraProtocol", "Tables", "ZeroMQ", yams]),
        library("HidraClient", ["HidraProtocol", "ZeroMQ"]),
        library("HidraPlugin", ["HidraClient", "HidraProtocol"]),
        .target(
            name: "CHidraPlugin", dependencies: ["CZeroMQ", "CProtobufC"], path: "Sources/CHidraPlugin",
            exclude: ["Makefile", "README.md"], cSettings: cDialect,
            linkerSettings: [.linkedLibrary("zmq"), .linkedLibrary("protobuf-c"), .linkedLibrary("m")]),

        // Row 7: the daemon's network face.
        library(
            "Daemon",
            [
                "Workbench", "Latent", "Scheduling", "Sessions", "FewLabels", "Statistics", "State", "Hub", "PluginHost", "Tables", "HidraProtocol",
                "ZeroMQ", "Heads", "Graphs", "Training", "Encoders",
                "TensorCore", "Digests", lifecycle, logging,
            ]),

        // Row 8: executables compose and run.
        .executableTarget(
            name: "hidrad", dependencies: ["Daemon", "HidraProtocol", arguments, lifecycle, signals, logging],
            path: "Sources/hidrad", swiftSettings: dialect),
        .executableTarget(
            name: "hidra",
            dependencies: [
                "Digests", "HidraClient", "HidraProtocol", "PluginHost", "Sessions", "Charts", "Statistics", "Tables", "Images", arguments,
            ],
            path: "Sources/hidra", swiftSettings: dialect),
        .executableTarget(
            name: "hidra-bench",
            dependencies: [
                "HidraClient", "Latent", "Scheduling", "Encoders", "Training", "Heads", "Tuning", "Layers", "Checkpoints", "Images", "TensorCore", "CKernels",
                "CAllocationCount", "Tables", "ZeroMQ", arguments,
            ],
            path: "Sources/hidra-bench", swiftSettings: dialect),

        // Plugins. `Plugins/` is also SwiftPM's folder for build plugins, hence the explicit path.
        .executableTarget(
            name: "ticket-triage", dependencies: ["HidraPlugin", "HidraClient", "HidraProtocol", "Tables", arguments],
            path: "Plugins/ticket-triage/Sources", swiftSettings: dialect),
        .executableTarget(
            name: "price-regressor", dependencies: ["CHidraPlugin"], path: "Plugins/price-regressor/Sources",
            cSettings: [.enableWarning("all"), .enableWarning("extra"), .treatAllWarnings(as: .error)]),

        // Tests.
        .target(
            name: "TestSupport", dependencies: ["TensorCore", "Checkpoints"], path: "Tests/TestSupport",
            swiftSettings: dialect),
        tests("Architecture", []),
        tests("TensorCore", ["TensorCore", "CKernels", "Checkpoints"]),
        tests("Digests", ["Digests"]),
        tests("Tokenizers", ["Tokenizers"]),
        tests("Tables", ["Tables"]),
        tests("Sessions", ["Sessions", "Tables"]),
        tests("Scheduling", ["Scheduling"]),
        tests("Statistics", ["Statistics"]),
        tests("Archives", ["Archives"]),
        tests("Charts", ["Charts", "Statistics", "Images"]),
        tests("Images", ["Images", "CImages", "Checkpoints", "TensorCore"], exclude: ["Fixtures"]),
        tests("Checkpoints", ["Checkpoints", "TensorCore"]),
        tests("Graphs", ["Graphs", "ONNX", "Training", "Checkpoints", "TensorCore", protobuf], exclude: ["Fixtures", "Scripts"]),
        tests("Encoders", ["Encoders", "Graphs", "ONNX", "Layers", "Checkpoints", "Images", "TensorCore", "Tokenizers"]),
        tests("Training", ["Training", "Heads", "Graphs", "Encoders", "Layers", "Checkpoints", "TensorCore"]),
        tests("Tuning", ["Tuning", "Training", "Heads", "Encoders", "Layers", "Checkpoints", "TensorCore"]),
        tests("FewLabels", ["FewLabels", "Heads", "Tuning", "Graphs", "Training", "Encoders", "Checkpoints", "TensorCore"]),
        tests("Latent", ["Latent", "Encoders", "Training", "Checkpoints", "Images", "TensorCore"]),
        tests("ZeroMQ", ["ZeroMQ"]),
        tests("Protocol", ["HidraProtocol"]),
        tests("PluginHost", ["PluginHost", "HidraProtocol"]),
        tests("Hub", ["Hub"], exclude: ["Fixtures"]),
        tests("State", ["State", "Encoders", grdb]),
        tests(
            "Workbench",
            [
                "Workbench", "Scheduling", "Sessions", "FewLabels", "Archives", "Statistics", "State", "Heads", "Graphs", "Tuning",
                "Encoders", "Training", "Checkpoints", "TensorCore",
            ]),
        tests(
            "Daemon",
            [
                "Daemon", "PluginHost", "Workbench", "Scheduling", "State", "Graphs", "TensorCore", "Digests", "HidraPlugin", "HidraClient", "HidraProtocol",
                "ZeroMQ", logging, protobuf,
            ],
            exclude: ["Fixtures", "Programs"]),
        tests(
            "CHidraPlugin", ["CHidraPlugin", "HidraClient", "HidraProtocol", "ZeroMQ", protobuf], exclude: ["Programs", "remote.sh"]),
        .executableTarget(
            name: "hidra-conform", dependencies: ["HidraClient", "HidraProtocol"], path: "Tests/Conformance/Swift", swiftSettings: dialect),
        tests("CLI", ["hidra", "Sessions", "Charts", "PluginHost", "HidraClient", "HidraProtocol", "Tables", arguments]),
    ]
)
