import Foundation
import Testing

@Suite("Files that cannot be written")
struct WritingTests {
  /// Every way to write a file that a script has, with what it writes.
  static let writers = [
    ("save(initialize(resnet20(classes: 4)), to: \"kept\")", "kept"),
    ("export(initialize(resnet20(classes: 4)), to: \"kept.onnx\")", "kept.onnx"),
    ("export(initialize(resnet20(classes: 4)), to: \"kept.tflite\")", "kept.tflite"),
    ("write(array([1], shape: [100, 1000]), to: \"kept.npy\")", "kept.npy"),
    ("write(join([\"0123456789\" for i in 1...10_000], \"\"), to: \"kept.txt\")", "kept.txt"),
    ("plot([i for i in 1...20_000], [sin(i) for i in 1...20_000], to: \"kept.png\")", "kept.png"),
  ]

  @Test("where there is no room, the reason is told, the old file stays, and nothing is left beside it", arguments: writers)
  func noRoom(_ script: String, _ name: String) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "reprise-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: name)
    if name.hasSuffix(".png") {
      // A figure takes the place of a figure only.
      try Data("plot([1, 2], to: \"\(name)\")".utf8).write(to: folder.appending(path: "old.reprise"))
      let drawing = Process()
      drawing.executableURL = URL(filePath: Program.path)
      (drawing.arguments, drawing.currentDirectoryURL) = (["run", "old.reprise"], folder)
      try drawing.run()
      drawing.waitUntilExit()
    } else {
      try Data("old".utf8).write(to: file)
    }
    let old = try Data(contentsOf: file)
    try Data(script.utf8).write(to: folder.appending(path: "a.reprise"))
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    // Files of at most 32 KiB: what a full disk does, for this process alone.
    process.arguments = ["-c", "ulimit -f 32; exec \"$0\" run a.reprise >out 2>err", Program.path]
    process.currentDirectoryURL = folder
    try process.run()
    process.waitUntilExit()
    let errors = String(decoding: try Data(contentsOf: folder.appending(path: "err")), as: UTF8.self)
    #expect(process.terminationReason == .exit && process.terminationStatus == 3, "\(errors)")
    #expect(errors.contains("File too large"), "\(errors)")
    #expect(try Data(contentsOf: file) == old)
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".tmp") }
    #expect(left.isEmpty)
  }
}
