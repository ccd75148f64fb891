import Foundation
import Notebook
import Script
import Testing

@Suite("Built-ins called with odd values")
struct CallSweepTests {
  @Test("a call's arguments are told by the text of an example")
  func arguments() throws {
    let found = try #require(CallText.arguments(of: "f", in: #"g.f(0) + f([1, "a,)"], to: h(2, 3), x => x)"#))
    #expect(found.map(\.label) == [nil, "to", nil])
    #expect(found.map(\.value) == [#"[1, "a,)"]"#, "h(2, 3)", "x => x"])
    #expect(CallText.arguments(of: "f", in: "typeOf(f)") == nil)
  }

  @Test("there is a value of every kind of object, so that each built-in can be called")
  func kinds() { #expect(Set(notebookLibrary.objectTypes.map(\.name)).subtracting(CallSweep.objects.keys).isEmpty) }

  @Test("every built-in has a call for each of its parameters")
  func coverage() {
    let calls = CallSweep().calls(of: notebookLibrary)
    for builtin in notebookLibrary.builtins {
      let own = calls.filter { $0.hasPrefix("\(builtin.name)(") }
      for parameter in builtin.parameters {
        #expect(
          own.contains { $0.contains(parameter.isVariadic ? "(given(" : "\(parameter.label): given(") },
          "\(builtin.name), \(parameter.label)")
      }
    }
  }

  @Test("no call of a built-in ends the process or has no end, whatever it is given")
  func sweep() async throws {
    let folder = NSTemporaryDirectory() + "/reprise-calls-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let stride = 2
    await withTaskGroup { group in
      for part in 0..<stride { group.addTask { await Self.run(part: part, of: stride, below: folder) } }
    }
  }

  /// Makes a part of the calls in processes of their own: where one of these ends early, the next goes on behind the call.
  private static func run(part: Int, of stride: Int, below folder: String) async {
    let own = "\(folder)/\(part)"
    do {
      try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
      try CallSweep.prepare(own)
    } catch {
      Issue.record(error)
      return
    }
    var first = part
    for attempt in 0..<30 {
      let notes = "\(own)-notes-\(attempt)"
      await #expect(processExitsWith: .success) {
        [first = first as Int, stride = stride as Int, own = own as String, notes = notes as String] in
        try CallSweep.run(from: first, stride: stride, in: own, noting: notes)
      }
      let lines = ((try? String(contentsOfFile: notes, encoding: .utf8)) ?? "").split(separator: "\n")
      guard let last = lines.last?.split(separator: "\t", maxSplits: 1), last.count == 2, let index = Int(last[0])
      else {
        if lines.last?.hasPrefix("done") != true { Issue.record("no call was made: \(lines.last ?? "")") }
        return
      }
      Issue.record("this ended the process, or came to no end: \(last[1])")
      first = index + stride
    }
  }
}
