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
    let before = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
    let plan = try reprise("plan", "a.reprise")
    #expect(try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted() == before)
    #expect(plan.status == 0 && plan.output.contains("resnet20 on synthetic     32"), "\(plan.output)\(plan.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "final.safetensors").path))
    #expect(try reprise("run", "a.reprise", "--report", "page.html").status == 0)
    #expect(try reprise("run", "a.reprise").errors.contains("taken from the store"))
    #expect(try reprise("plan", "a.reprise").output.contains("in the store"))
    try script(lr: "0.02")
    #expect(try reprise("run", "a.reprise", "--json").status == 0)
    let ids = try reprise("runs").output.split(separator: "\n").dropFirst().map { String($0.prefix(8)) }
    try #require(ids.count == 2)
    let table = try reprise("runs", "--csv").output.split(separator: "\n")
    #expect(table.count == 3 && table[0].contains(",settings.learningRate") && table[1].hasPrefix(ids[0] + ",training,"))
    let list = try JSONSerialization.jsonObject(with: Data(try reprise("runs", "--json").output.utf8)) as? [[String: Any]]
    #expect(list?.map { $0["id"] as? String } == ids && list?.first?["settings"] is [String: Any])
    #expect(try reprise("runs", "--csv", "--json").status == 64)
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

  // MARK: Nothing is lost

  /// Small steps of every kind, and what they gave in two files.
  private static let steps = """
    data = synthetic(4, shape: [1, 16, 16], train: 160, validation: 64)
    run = train(resnet8(classes: 4, input: [1, 16, 16]), data, epochs: 4, batch: 16, lr: 0.05, seed: 1)
    exact = preciseBatchNorm(run.model, data, batches: 4, batch: 32, seed: 1)
    found = searchRatios(exact, data, macsRemoved: 40%, rollouts: 6, heldOut: 32, images: 20, seed: 1)
    curves = sensitivity(exact, data, ratios: [50%], heldOut: 32, images: 20, seed: 1)
    small = prune(exact, data, channels: found.channels, images: 20, seed: 1)
    few = quantize(small, data, images: 20)
    layers = layerSensitivity(small, data, images: 20, validationImages: 16)
    save(few.model, to: "final.safetensors")
    write([[c.y for c in curves], [t.top1 for t in found.trials], [l.only for l in layers.layers]], to: "final.txt")
    """

  private func finals() throws -> [Data] {
    try ["final.safetensors", "final.txt"].map { try Data(contentsOf: folder.appending(path: $0)) }
  }

  private func write(_ script: String) throws { try Data(script.utf8).write(to: folder.appending(path: "a.reprise")) }

  private func ids(_ kind: String? = nil) throws -> [String] {
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(reprise("runs", "--json").output.utf8)) as? [[String: Any]])
    return rows.filter { kind == nil || $0["kind"] as? String == kind }.compactMap { $0["id"] as? String }
  }

  @Test("steps of every kind that are killed again and again end as those that never were, fresh ones too")
  func killsOfAll() throws {
    try write(Self.steps)
    let begun = Date()
    #expect(try reprise("run", "a.reprise", "--threads", "1").status == 0)
    let length = Date().timeIntervalSince(begun)
    let calm = try finals()
    for fresh in [true, false] {
      if !fresh { try FileManager.default.removeItem(at: folder.appending(path: ".reprise")) }
      for share in fresh ? [0.3, 0.7] : [0.25, 0.45, 0.65, 0.85] {
        let arguments = ["run", "a.reprise", "--threads", "1", "--checkpoint-every", "0"] + (fresh ? ["--fresh"] : [])
        let result = try Program.run(arguments: arguments, in: folder, killedAfter: length * share)
        if result.status == 0 { break }
        #expect(result.status == -SIGKILL, "\(result.errors)")
        guard fresh else { continue }
        // What was finished before is there still.
        let taken = try reprise("run", "a.reprise", "--threads", "1").errors.components(separatedBy: "taken from the store")
        #expect(taken.count == 8)
      }
      #expect(try reprise("run", "a.reprise", "--threads", "1").status == 0)
      #expect(try finals() == calm)
    }
    #expect(try reprise("gc", "--dry-run").status == 0)
    for id in try ids() { #expect(try reprise("show", id).output.contains("what came of it")) }
    let search = try #require(try ids("search").first)
    #expect(try reprise("show", search).output.contains("agent: rollouts"))
    let replay = try reprise("replay", search)
    #expect(replay.status == 0 && replay.output.contains("the same bits"), "\(replay.output)\(replay.errors)")
    // The replay wrote where nobody looks.
    #expect(try finals() == calm)
  }

  @Test("two processes may do one thing at once, and one that is killed takes nothing from the other")
  func together() throws {
    try script(epochs: 3)
    let other = Process()
    other.executableURL = URL(filePath: Program.path)
    other.arguments = ["run", "a.reprise", "--threads", "1", "--fresh"]
    other.currentDirectoryURL = folder
    (other.standardOutput, other.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    try other.run()
    #expect(try reprise("run", "a.reprise", "--threads", "1").status == 0)
    let whole = try Data(contentsOf: folder.appending(path: "final.safetensors"))
    kill(other.processIdentifier, SIGKILL)
    other.waitUntilExit()
    #expect(try ids().count == 1)
    #expect(try reprise("run", "a.reprise", "--threads", "1").errors.contains("taken from the store"))
    #expect(try Data(contentsOf: folder.appending(path: "final.safetensors")) == whole)
  }

  @Test("where the disk takes no more, the work goes on and says so, and what was kept before stays")
  func fullDisk() throws {
    try script(epochs: 1)
    let arguments = ["run", "a.reprise", "--threads", "1"]
    #expect(try Program.run(arguments: arguments, in: folder).status == 0)
    let before = try ids()
    try script(epochs: 2)
    // A file grows to 600 KiB at most: less than the weights, more than the database.
    let limited = try Program.run(arguments: arguments, in: folder, largestFile: 600)
    #expect(limited.errors.contains("File too large"), "\(limited.errors)")
    #expect(limited.errors.contains("not kept: the weights"), "\(limited.errors)")
    #expect(try ids().contains(before[0]))
    let again = try Program.run(arguments: arguments, in: folder)
    #expect(again.status == 0 && !again.errors.contains("taken from the store"), "\(again.errors)")
    try script(epochs: 1)
    #expect(try Program.run(arguments: arguments, in: folder).errors.contains("taken from the store"))
  }

  @Test("another build finds what this one did, takes it when it is told to, and compares it in a replay")
  func builds() throws {
    try script(epochs: 1)
    #expect(try reprise("run", "a.reprise", "--threads", "1").status == 0)
    let other = folder.appending(path: "other-build").path
    try FileManager.default.copyItem(atPath: Program.path, toPath: other)
    let handle = try #require(FileHandle(forWritingAtPath: other))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data([0]))
    try handle.close()
    func run(_ arguments: String...) throws -> Program.Result {
      try Program.run(arguments: arguments, in: folder, program: other)
    }
    #expect(try run("runs").output.contains("of another build"))
    let taken = try run("run", "a.reprise", "--threads", "1", "--accept-builds")
    #expect(taken.errors.contains("taken from the store") && taken.errors.contains("another build"), "\(taken.errors)")
    let replay = try run("replay", try #require(try ids().first))
    #expect(replay.status == 0 && replay.output.contains("the same bits after 16 steps"), "\(replay.output)\(replay.errors)")
    #expect(replay.output.contains("made with another build of Reprise"))
    let again = try run("run", "a.reprise", "--threads", "1")
    #expect(again.errors.contains("--accept-builds takes it") && !again.errors.contains("taken from the store"), "\(again.errors)")
    #expect(try ids().count == 2)
  }

  @Test("a store of an older Reprise is listed and shown; its runs are done again, and compared")
  func oldStore() throws {
    let old = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/old-store")
    let store = folder.appending(path: ".reprise")
    try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: old.appending(path: "runs.sqlite"), to: store.appending(path: "runs.sqlite"))
    try FileManager.default.copyItem(at: old.appending(path: "old.reprise"), to: folder.appending(path: "a.reprise"))
    let listed = try reprise("runs").output
    #expect(listed.contains("training") && listed.contains("pruning") && listed.contains("of another build"), "\(listed)")
    let training = try #require(try ids("training").first)
    let shown = try reprise("show", training)
    #expect(shown.output.contains("what came of it\n  ") && shown.output.contains("plan.learningRate"))
    // On another processor the bits may differ; that it is the same step is found out anyway.
    let replay = try reprise("replay", training)
    #expect([0, 1].contains(replay.status) && !replay.output.contains("was not done again"), "\(replay.output)\(replay.errors)")
    let run = try reprise("run", "a.reprise", "--threads", "1")
    #expect(run.status == 0 && !run.errors.contains("taken from the store"), "\(run.errors)")
    #expect(try ids().count == 4)
    #expect(try reprise("gc", "--dry-run").status == 0)
  }
}
