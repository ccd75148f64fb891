import Foundation
import Testing

/// The program under a shell that takes something away from it.
@Suite("What the machine refuses")
final class MachineTests {
  let folder: URL
  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "reprise-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }
  deinit {
    chmod(folder.path, 0o755)
    try? FileManager.default.removeItem(at: folder)
  }

  private struct Result { let status: Int32, output: String, errors: String }

  /// - Parameter command: of a shell, where `$0` is the program; what it writes goes to files outside of the folder.
  private func shell(_ command: String, files: [String: String] = [:]) throws -> Result {
    for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
    let outside = FileManager.default.temporaryDirectory.appending(path: "reprise-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: outside, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: outside) }
    let (out, err) = (outside.appending(path: "out"), outside.appending(path: "err"))
    for file in [out, err] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", command, Program.path]
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: out)
    process.standardError = try FileHandle(forWritingTo: err)
    try process.run()
    process.waitUntilExit()
    return Result(
      status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
      output: try String(contentsOf: out, encoding: .utf8), errors: try String(contentsOf: err, encoding: .utf8))
  }

  private static let training =
    "run = train(resnet8(classes: 4), synthetic(4, shape: [1, 8, 8], train: 32, validation: 16), epochs: 1, batch: 16)\n"
    + "print(run.count)\n"

  @Test(
    "output that nobody can read is a failure, whoever prints it",
    arguments: ["--help", "--version", "help run", "doc", "doc --man", "--generate-completion-script bash"])
  func output(_ arguments: String) throws {
    let full = try shell("exec \"$0\" \(arguments) >/dev/full")
    #expect(full.status == 3 && full.errors.contains("standard output: No space left on device"), "\(full.errors)")
    let closed = try shell("exec \"$0\" \(arguments) >&-")
    #expect(closed.status == 3 && closed.errors.contains("standard output: Bad file descriptor"), "\(closed.errors)")
  }

  @Test("no file takes the place of a stream that is closed")
  func closedStreams() throws {
    let files = ["a.reprise": "write(\"kept\", to: \"a.txt\")\nprint(1)\n" + Self.training]
    #expect(try shell("exec \"$0\" run a.reprise <&- >&- 2>&-", files: files).status == 3)
    #expect(try String(contentsOf: folder.appending(path: "a.txt"), encoding: .utf8) == "kept\n")
    #expect(try shell("exec \"$0\" run a.reprise <&- 2>&-", files: files).status == 0)
    #expect(try shell("exec \"$0\" <&-").errors.contains("<stdin> cannot be read: Bad file descriptor"))
  }

  @Test("in a working directory that is gone, nothing is written, and nothing is read from elsewhere")
  func goneDirectory() throws {
    func inGoneFolder(_ arguments: String, _ script: String) throws -> Result {
      try shell(
        "mkdir gone; cd gone; rmdir ../gone; exec \"$0\" \(arguments)", files: ["a.reprise": script])
    }
    let script = "run '\(folder.path)/a.reprise'"
    for call in ["write(\"x\", to: \"reprise-gone.txt\")", "plot([1, 2], to: \"tmp/reprise-gone.png\")"] {
      let result = try inGoneFolder(script, call)
      #expect(result.status == 3 && result.errors.contains("the working directory is gone"), "\(result.errors)")
    }
    #expect(try inGoneFolder(script, "readArray(\"proc/self/exe\")").errors.contains("error[not-here]"))
    let training = try inGoneFolder(script, Self.training)
    #expect(training.status == 0 && training.output.hasSuffix("16\n"), "\(training.errors)")
    #expect(training.errors.contains("the working directory is gone; the training is not kept"), "\(training.errors)")
    #expect(try inGoneFolder("runs", "").errors.contains("the working directory is gone"))
  }

  /// What takes from root the right to write everywhere; nothing for others, who do not have it.
  private static let asOthers = geteuid() == 0 ? "setpriv --bounding-set=-dac_override,-dac_read_search " : ""
  private static let canBeAsOthers: Bool = {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", asOthers + "true"]
    process.standardError = FileHandle.nullDevice
    return (try? process.run()) != nil && { process.waitUntilExit(); return process.terminationStatus == 0 }()
  }()

  @Test(
    "in a folder that cannot be written, what is computed is printed, and what is not kept is told",
    .enabled(if: MachineTests.canBeAsOthers, "root cannot give up its rights here"))
  func readOnlyFolder() throws {
    for (name, text) in [
      "train.reprise": Self.training, "plot.reprise": "plot([1, 2], to: \"a.png\")",
      "save.reprise": "save(initialize(resnet8(classes: 4)), to: \"a\")",
    ] { try Data(text.utf8).write(to: folder.appending(path: name)) }
    chmod(folder.path, 0o555)
    let run = Self.asOthers + "\"$0\" "
    let training = try shell(run + "run train.reprise")
    #expect(training.status == 0 && training.output.hasSuffix("16\n"), "\(training.errors)")
    #expect(training.errors.contains("the training is not kept"), "\(training.errors)")
    for name in ["plot", "save"] {
      let result = try shell(run + "run \(name).reprise")
      #expect(result.status == 3 && result.errors.contains("Permission denied"), "\(result.errors)")
    }
    let report = try shell(run + "run train.reprise --report a.html")
    #expect(report.status == 3 && report.errors.contains("the report was not written: a.html: Permission denied"))
    let planned = try shell(run + "plan train.reprise")
    #expect(planned.status == 0, "\(planned.errors)")
    let noTemporary = try shell("TMPDIR=\"$PWD\" " + run + "plan train.reprise")
    #expect(noTemporary.status == 3 && noTemporary.errors.contains("hint: TMPDIR"), "\(noTemporary.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 3)
  }

  @Test(
    "a store in a folder that cannot be written is read all the same",
    .enabled(if: MachineTests.canBeAsOthers, "root cannot give up its rights here"))
  func readOnlyStore() throws {
    #expect(try shell("exec \"$0\" run a.reprise", files: ["a.reprise": Self.training]).status == 0)
    let store = folder.appending(path: ".reprise")
    let names = try FileManager.default.contentsOfDirectory(atPath: store.path).sorted()
    defer { for place in [folder, store] { chmod(place.path, 0o755) } }
    for place in [folder, store] { chmod(place.path, 0o555) }
    let runs = try shell(Self.asOthers + "\"$0\" runs")
    #expect(runs.status == 0 && runs.output.contains("resnet8"), "\(runs.errors)")
    let id = try #require(runs.output.split(separator: "\n").last?.split(separator: " ").first)
    let shown = try shell(Self.asOthers + "\"$0\" show \(id)")
    #expect(shown.status == 0 && shown.output.contains("finished"), "\(shown.errors)")
    #expect(try shell(Self.asOthers + "\"$0\" gc").status == 3)
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.path).sorted() == names)
  }

  @Test("a limit of open files or of memory is told in words", arguments: [("-n 8", Int32(3)), ("-v 700000", Int32(0))])
  func limits(_ limit: String, _ status: Int32) throws {
    let result = try shell("ulimit \(limit); exec \"$0\" run a.reprise --threads 1", files: ["a.reprise": Self.training])
    #expect(result.status == status, "\(result.errors)")
    if status == 3 { #expect(result.errors.contains("at most 8 files may be open at once")) }
  }

  @Test(
    "a script that never comes is waited for until somebody ends the wait",
    arguments: [(SIGINT, Int32(130)), (SIGTERM, Int32(143)), (SIGHUP, Int32(143))])
  func waiting(_ signal: Int32, _ status: Int32) throws {
    let process = Process()
    process.executableURL = URL(filePath: Program.path)
    process.standardInput = Pipe()
    process.standardError = FileHandle.nullDevice
    try process.run()
    // The kernel tells which signals a process has taken over.
    let end = Date().addingTimeInterval(20)
    func catches() -> Bool {
      let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
      let line = text.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }
      let mask = line.flatMap { UInt64($0.dropFirst(7).drop { !$0.isHexDigit }, radix: 16) } ?? 0
      return mask >> UInt64(signal - 1) & 1 == 1
    }
    while !catches(), Date() < end { usleep(5000) }
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == status)
  }

  @Test("a terminal that closes, or the limit of a batch system, stops a training so that it goes on later", arguments: [SIGHUP, SIGXCPU])
  func closedTerminal(_ signal: Int32) throws {
    let script = Self.training.replacing("epochs: 1", with: "epochs: 2000")
    try Data(script.utf8).write(to: folder.appending(path: "a.reprise"))
    let process = Process()
    process.executableURL = URL(filePath: Program.path)
    process.arguments = ["run", "a.reprise"]
    process.currentDirectoryURL = folder
    let output = Pipe()
    (process.standardOutput, process.standardError) = (output, FileHandle.nullDevice)
    try process.run()
    // The table of epochs begins with the first.
    var seen = ""
    while !seen.contains("\n    1 ") {
      let data = output.fileHandleForReading.availableData
      if data.isEmpty { break }
      seen += String(decoding: data, as: UTF8.self)
    }
    // As when the terminal is gone: nobody reads, and the signal comes more than once.
    for _ in 0..<3 { kill(process.processIdentifier, signal) }
    try output.fileHandleForReading.close()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 143)
    let checkpoints = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/.reprise/checkpoints")
    #expect(checkpoints.count == 1)
    let nohup = try shell("trap '' HUP; echo 'print(1)' | \"$0\" & wait $!", files: [:])
    #expect(nohup.status == 0 && nohup.output == "1\n")
  }
}
