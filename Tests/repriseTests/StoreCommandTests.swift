import Foundation
import Testing

@Suite("the store on the command line", .serialized)
final class StoreCommandTests {
  let folder: URL
  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "reprise-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(at: folder) }

  private func script(epochs: Int = 2, lr: String = "0.01") throws {
    try Data(
      """
      data = synthetic(4, shape: [3, 32, 32], train: 256, validation: 64)
      run = train(resnet20(classes: 4, input: [3, 32, 32]), data, epochs: \(epochs), batch: 16, lr: \(lr), augment: ["crop", "flip"])
      save(run.model, to: "final.safetensors")
      plot(run, to: "run.png")
      """.utf8
    ).write(to: folder.appending(path: "a.reprise"))
  }

  private func reprise(_ arguments: String..., killedAfter seconds: Double? = nil) throws -> Program.Result {
    try Program.run(arguments: arguments, in: folder, killedAfter: seconds)
  }

  @Test("a training run that is killed again and again ends with the same bits as one that never was")
  func kills() throws {
    try script(epochs: 5)
    #expect(try reprise("run", "a.reprise").status == 0)
    let final = folder.appending(path: "final.safetensors")
    let whole = try Data(contentsOf: final)
    try FileManager.default.removeItem(at: folder.appending(path: ".reprise"))
    try FileManager.default.removeItem(at: final)
    var kills = 0
    while kills < 12 {
      let result = try reprise("run", "a.reprise", "--checkpoint-every", "0", killedAfter: 0.4 + 0.17 * Double(kills))
      if result.status == 0 { break }
      #expect(result.status == -SIGKILL, "\(result.errors)")
      kills += 1
    }
    #expect(kills > 1)
    if !FileManager.default.fileExists(atPath: final.path) { #expect(try reprise("run", "a.reprise").status == 0) }
    #expect(try Data(contentsOf: final) == whole)
  }

  @Test("runs, show, compare, replay, gc, why and redraw")
  func commands() throws {
    #expect(try reprise("runs").status == 4)
    try script()
    let plan = try reprise("plan", "a.reprise")
    #expect(plan.status == 0 && plan.output.contains("resnet20 on synthetic     32"), "\(plan.output)\(plan.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "final.safetensors").path))
    #expect(try reprise("run", "a.reprise", "--report", "page.html").status == 0)
    #expect(try reprise("run", "a.reprise").errors.contains("taken from the store"))
    #expect(try reprise("plan", "a.reprise").output.contains("in the store"))
    try script(lr: "0.02")
    #expect(try reprise("run", "a.reprise", "--json").status == 0)
    let ids = try reprise("runs").output.split(separator: "\n").dropFirst().map { String($0.prefix(8)) }
    try #require(ids.count == 2)
    #expect(try reprise("show", ids[0]).output.contains("plan.learningRate"))
    let difference = try reprise("compare", ids[0], ids[1]).output
    #expect(difference.contains("plan.learningRate") && !difference.contains("plan.epochs"))
    let replay = try reprise("replay", ids[1])
    #expect(replay.status == 0 && replay.output.contains("the same bits after 32 steps"))
    #expect(try reprise("gc", "--dry-run").output.contains("would remove 0 files"))
    #expect(try reprise("gc", "--days", "0").output.contains("removed 2 files"))
    // Without its weights a run is made again.
    #expect(!(try reprise("run", "a.reprise").errors.contains("taken from the store")))
    #expect(try reprise("why", "run.png").output.contains("drawn by a.reprise, line 4"))
    #expect(try reprise("redraw", "run.png", "--size", "900x700", "--log", "--to", "other.png").status == 0)
    #expect(try reprise("redraw", "other.png", "--title", "another", "--log-x").status == 0)
    let why = try reprise("why", "other.png").output
    #expect(why.contains(ids[1]) && why.contains("other.png: another\n"))
    #expect(why.contains("drawn again from the same data: another title, positions on a logarithmic axis"))
    #expect(try reprise("why", "a.reprise").status == 3)
    #expect(try reprise("show", "ffffffffff").status == 64)
    #expect(try String(contentsOf: folder.appending(path: "page.html"), encoding: .utf8).contains("data:image/png"))
  }
}
