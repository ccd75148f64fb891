// swift-tools-version: 6.2
import PackageDescription

/// What every target of ours is compiled with.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
]

/// A system library: a folder of `Sources/CLibraries` that holds a module map.
func library(_ name: String, apt package: String) -> Target {
  .systemLibrary(name: name, path: "Sources/CLibraries/\(name)", providers: [.apt([package])])
}

func target(_ name: String, _ dependencies: Target.Dependency...) -> Target {
  .target(name: name, dependencies: dependencies, path: "Sources/\(name)", swiftSettings: strict)
}

func tests(
  _ name: String, _ dependencies: Target.Dependency..., exclude: [String] = [], resources: [Resource] = []
) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)Tests", exclude: exclude,
    resources: resources, swiftSettings: strict)
}

let package = Package(
  name: "reprise",
  products: [.executable(name: "reprise", targets: ["reprise"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
  ],
  targets: [
    library("CCmark", apt: "libcmark-dev"),
    library("CCrypto", apt: "libssl-dev"),
    library("CDNNL", apt: "libdnnl-dev"),
    library("CGD", apt: "libgd-dev"),
    library("CLAPACK", apt: "liblapacke-dev"),
    library("CReadline", apt: "libreadline-dev"),
    library("CWebP", apt: "libwebp-dev"),
    library("CZeroMQ", apt: "libzmq3-dev"),
    library("CZlib", apt: "zlib1g-dev"),
    .target(
      name: "CKernels", path: "Sources/CLibraries/CKernels",
      linkerSettings: [.linkedLibrary("gomp"), .linkedLibrary("m")]),
    // MPI itself is loaded at run time: nothing of it is needed here.
    .target(name: "CMPI", path: "Sources/CLibraries/CMPI", linkerSettings: [.linkedLibrary("dl")]),
    .target(name: "CJPEG", path: "Sources/CLibraries/CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
    .target(name: "CPNG", path: "Sources/CLibraries/CPNG", linkerSettings: [.linkedLibrary("png")]),
    // C++, headers alone: libflatbuffers-dev.
    .target(
      name: "CFlatBuffers", path: "Sources/CLibraries/CFlatBuffers", linkerSettings: [.linkedLibrary("stdc++")]),

    // Data flows from top to bottom: a target imports only targets above it.
    target("Tensors", "CCrypto"),
    target("Distribution", "CMPI"),
    target("Networks", "Tensors"),
    target("Engine", "CDNNL", "CKernels", "Tensors", "Networks"),
    target("ModelZoo", "Tensors", "Networks"),
    target("Datasets", "CJPEG", "CKernels", "CPNG", "CWebP", "CZlib", "Tensors"),
    target("Training", "CKernels", "Distribution", "Tensors", "Networks", "Engine", "Datasets"),
    target("Compression", "CKernels", "CLAPACK", "Tensors", "Networks", "Engine", "Datasets", "Training"),
    .target(
      name: "Interchange",
      dependencies: ["CFlatBuffers", "CZlib", "Tensors", "Networks", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      path: "Sources/Interchange", exclude: ["ONNX/onnx.proto"], swiftSettings: strict),
    target("Charts", "CGD", "Tensors"),
    target("Statistics"),
    target("Script", "Tensors"),
    target(
      "Notebook", "CCmark", "Distribution", "Tensors", "Networks", "Engine", "ModelZoo", "Datasets", "Training", "Compression", "Interchange", "Charts", "Script", "Statistics",
      .product(name: "GRDB", package: "GRDB.swift")),
    target("Jupyter", "CZeroMQ", "Notebook", "Script", "Tensors"),
    target("Prompt", "Notebook", "Script", "Tensors"),
    .executableTarget(
      name: "reprise",
      dependencies: [
        "CReadline", "Charts", "Compression", "Datasets", "Distribution", "Engine", "Jupyter", "ModelZoo", "Networks", "Notebook", "Prompt", "Script", "Tensors", "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Sources/reprise", swiftSettings: strict),

    tests("Tensors", "Tensors", resources: [.copy("Goldens")]),
    tests("Networks", "Networks", "Tensors"),
    tests("Engine", "CKernels", "Engine", "Networks", "Tensors"),
    tests("ModelZoo", "Datasets", "ModelZoo", "Networks", "Engine", "Tensors", resources: [.copy("Goldens")]),
    tests("Distribution", "Distribution"),
    tests("Datasets", "Datasets", "Tensors", "CZlib", resources: [.copy("Goldens")]),
    .target(name: "CAllocations", path: "Tests/CAllocations"),
    .target(
      name: "MadeImages", dependencies: ["Datasets", "Tensors"], path: "Tests/MadeImages", swiftSettings: strict),
    tests(
      "Training", "CAllocations", "MadeImages", "Training", "Datasets", "Distribution", "Engine", "Networks", "Tensors",
      "ModelZoo",
      resources: [.copy("Goldens")]),
    tests(
      "Compression", "Compression", "Datasets", "Engine", "MadeImages", "ModelZoo", "Networks", "Tensors", "Training",
      resources: [.copy("Goldens")]),
    .testTarget(
      name: "InterchangeTests",
      dependencies: [
        "CZlib", "Engine", "Interchange", "ModelZoo", "Networks", "Tensors",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ], path: "Tests/InterchangeTests", exclude: ["Goldens"], swiftSettings: strict),
    tests("Charts", "Charts", "Tensors"),
    tests("Statistics", "Statistics", "Tensors", resources: [.copy("Goldens")]),
    tests("Script", "Script", resources: [.copy("Goldens")]),
    tests(
      "Notebook", "Charts", "Notebook", "Script", "Statistics", "Tensors", "Training",
      .product(name: "GRDB", package: "GRDB.swift")),
    tests("Jupyter", "Jupyter", "Notebook", "Script", "Tensors", exclude: ["clients.py"]),
    tests("Prompt", "Notebook", "Prompt", "Script"),
    tests("reprise", "Tensors", resources: [.copy("Goldens")]),
    // The driver, the script and the dictionary for libFuzzer lie in Tests/Fuzzing; here are the targets and the corpus.
    .testTarget(
      name: "FuzzingTests", dependencies: ["CZlib", "Charts", "Datasets", "Interchange", "Networks", "Script", "Tensors", "Training"],
      path: "Tests/FuzzingTests", exclude: ["Corpus"], swiftSettings: strict),
  ]
)
