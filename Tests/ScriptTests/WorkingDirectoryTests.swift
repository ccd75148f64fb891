import Foundation
import Script
import Testing

@Suite("What a script may write")
struct WorkingDirectoryTests {
  /// A working directory `desk` beside a folder `outside`, with links of all kinds.
  final class Room {
    let folder = URL(filePath: NSTemporaryDirectory() + "/reprise-room-\(UUID().uuidString)").resolvingSymlinksInPath()
    var desk: URL { folder.appending(path: "desk") }

    init() throws {
      for name in ["outside", "desk/inside"] {
        try FileManager.default.createDirectory(at: folder.appending(path: name), withIntermediateDirectories: true)
      }
      try Data("kept".utf8).write(to: folder.appending(path: "outside/file"))
      let links = [
        "desk/out": "../outside", "desk/out-absolute": folder.path + "/outside", "desk/file": "../outside/file",
        "desk/dangling": "../outside/new", "desk/indirect": "inside/../out", "desk/inside/up": "..",
        "desk/in": "inside", "desk/loop": "loop", "desk/link-60": "../outside", "alias": "desk",
      ]
      for (name, target) in links { try link(name, to: target) }
      for number in 0..<60 { try link("desk/link-\(number)", to: "link-\(number + 1)") }
    }

    private func link(_ name: String, to target: String) throws {
      try FileManager.default.createSymbolicLink(
        atPath: folder.appending(path: name).path, withDestinationPath: target)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }
  }

  let room: Room
  let span = Span(Source("", name: "test"), 0..<0)

  init() throws { room = try Room() }

  @Test(
    "no link leads out of the working directory",
    arguments: [
      "out/x", "out-absolute/x", "file", "dangling", "dangling/x", "indirect/x", "in/up/../outside/x", "in/up/out/x",
      "out/../desk", "./out/./x", "out/new/folder/x",
    ])
  func outside(_ path: String) throws {
    do throws(ScriptError) {
      let target = try WorkingDirectory(room.desk.path).writable(path, at: span)
      Issue.record("\(path) became \(target)")
    } catch {
      guard case .outsideWorkingDirectory = error else { throw error }
    }
  }

  @Test("a chain of links that is longer than the kernel follows is refused", arguments: ["loop", "loop/x", "link-0/x"])
  func chains(_ path: String) throws {
    #expect(throws: ScriptError.file(path: path, reason: "it goes through too many links", at: span)) {
      try WorkingDirectory(room.desk.path).writable(path, at: span)
    }
  }

  @Test(
    "no script writes into a store of runs",
    arguments: [".reprise", ".reprise/runs.sqlite", "inside/.reprise/x", "in/../.reprise/weights/x"])
  func store(_ path: String) throws {
    do throws(ScriptError) {
      Issue.record("\(path) became \(try WorkingDirectory(room.desk.path).writable(path, at: span))")
    } catch {
      guard case .file(_, let reason, _) = error, reason.contains("keeps its runs") else { throw error }
    }
    #expect(try WorkingDirectory(room.desk.path).writable("a.reprise", at: span) == room.desk.path + "/a.reprise")
  }

  @Test(
    "links within the working directory are followed, however one came there",
    arguments: [("in/x", "inside/x"), ("inside/up/x", "x"), ("out/../desk/x", "x"), ("new/../x", "x")],
    ["desk", "alias"])
  func inside(_ paths: (String, String), _ name: String) throws {
    let directory = WorkingDirectory(room.folder.appending(path: name).path)
    #expect(try directory.writable(paths.0, at: span) == room.desk.path + "/" + paths.1)
  }
}
