import Foundation
import Testing

/// The built program, run as people run it.
struct Program {
  struct Result {
    let status: Int32
    let output: String
    let errors: String
  }

  /// Stands beside the test bundle.
  static let path = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "reprise").path

  /// Whether this processor computes in bf16.
  static let computesBF16 =
    (try? run("bench", "infer", "resnet8", "--size", "16", "--batch", "1", "--steps", "1", "--precision", "bf16"))?.status == 0

  static func run(
    _ arguments: String..., files: [String: [UInt8]] = [:], input: String = "", environment: [String: String] = [:]
  ) throws -> Result {
    try run(arguments: arguments, files: files, input: input, environment: environment)
  }

  /// Runs it in a folder of its own that is gone afterwards, or in one that is there.
  /// - Parameters:
  ///   - program: Another program than the one that was built.
  ///   - seconds: When it is killed, unless it has ended.
  ///   - largestFile: To how many KiB a file may grow.
  static func run(
    arguments: [String], files: [String: [UInt8]] = [:], input: String = "", environment: [String: String] = [:],
    in existing: URL? = nil, program: String = path, killedAfter seconds: Double? = nil, largestFile: Int? = nil
  ) throws -> Result {
    let folder = existing ?? FileManager.default.temporaryDirectory.appending(path: "reprise-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { if existing == nil { try? FileManager.default.removeItem(at: folder) } }
    for (name, bytes) in files { try Data(bytes).write(to: folder.appending(path: name)) }
    // Files instead of pipes: nothing blocks, however much is written.
    let (inputFile, outputFile, errorFile) = (
      folder.appending(path: ".in"), folder.appending(path: ".out"), folder.appending(path: ".err")
    )
    try Data(input.utf8).write(to: inputFile)
    for file in [outputFile, errorFile] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    if let largestFile {
      process.executableURL = URL(filePath: "/bin/sh")
      // Of 512 bytes each, as POSIX has it.
      process.arguments = ["-c", "ulimit -f \(largestFile * 2); exec \"$0\" \"$@\"", program] + arguments
    }
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = try FileHandle(forReadingFrom: inputFile)
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    try process.run()
    if let seconds {
      let end = Date().addingTimeInterval(seconds)
      while process.isRunning, Date() < end { usleep(5000) }
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
    process.waitUntilExit()
    return Result(
      status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
      output: String(decoding: try Data(contentsOf: outputFile), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
  }

  static func run(script: String, _ environment: [String: String] = [:]) throws -> Result {
    try run("run", "a.reprise", files: ["a.reprise": Array(script.utf8)], environment: environment)
  }
}
