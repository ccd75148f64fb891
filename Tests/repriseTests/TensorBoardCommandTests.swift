import Foundation
import Testing

@Suite("TensorBoard from the command line")
struct TensorBoardCommandTests {
  private static let script = """
    data = synthetic(4, shape: [1, 8, 8], train: 32, validation: 16)
    run = train(resnet8(data), data, epochs: 1, batch: 16, lr: 0.05)
    print(run.top1)
    """

  private func folder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: "reprise-board-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(Self.script.utf8).write(to: folder.appending(path: "a.reprise"))
    return folder
  }

  private func names(_ folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test("a run and the store write a folder for each run, and results stay what they are")
  func folders() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let plain = try Program.run(arguments: ["run", "a.reprise"], in: folder)
    let told = try Program.run(arguments: ["run", "a.reprise", "--tensorboard", "new/logs"], in: folder)
    #expect(told.status == 0 && told.output == plain.output, "\(told.errors)")
    let live = try names(folder.appending(path: "new/logs"))
    #expect(live.count == 2 && live[0] == "a" && live[1].hasPrefix("training-resnet8-on-synthetic-"))
    let stored = try Program.run(arguments: ["tensorboard", "stored"], in: folder)
    #expect(stored.status == 0 && stored.errors == "wrote 1 run; tensorboard --logdir stored shows it\n")
    #expect(try names(folder.appending(path: "stored")) == [live[1]])
    #expect(try Program.run(arguments: ["tensorboard", "stored", "ffffffff"], in: folder).status == 64)
  }

  @Test("a folder that cannot be used is told before the script runs")
  func unusable() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let result = try Program.run(arguments: ["run", "a.reprise", "--tensorboard", "a.reprise"], in: folder)
    #expect(result.status == 64 && result.output.isEmpty)
    #expect(result.errors.hasPrefix("reprise: the folder for TensorBoard cannot be used: "))
    #expect(try Program.run(arguments: ["tensorboard", "logs"], in: folder).status == 4)
  }
}
