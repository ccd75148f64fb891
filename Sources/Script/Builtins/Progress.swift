let progressBuiltin = Builtin(
  "progress", "Returns the same elements; a loop over them shows how far it is.",
  parameters: [
    Parameter("list", .list, "A list, a range, or an object with elements."),
    Parameter("label", .string, "What is shown before the count.", default: .string("step")),
  ], result: .list, examples: [Example("total = 0\nfor s in progress(1...100) { total += s }\ntotal", gives: "5050")],
  chapter: "Basics"
) { arguments in
  .object(ProgressValue(list: List(try arguments.list("list")), label: try arguments.string("label")))
}

/// What is known of the elements that a loop shows its progress over.
let progressType = ObjectType("progress", "Elements that a loop shows its progress over.")

/// Elements, and how a loop over them calls what it does.
struct ProgressValue: ScriptObject {
  let list: List
  let label: String
  let typeName = "progress"
  var elements: [Value]? { list.elements }
  var summary: String { "progress over \(list.elements.count) elements" }
  func isEqual(to other: any ScriptObject) -> Bool {
    (other as? ProgressValue).map { $0.label == label && Value.list($0.list) == .list(list) } ?? false
  }
}

/// Tells how far a loop is: a line that changes, a few times a second, where there is a display for it; else a line for
/// each tenth of the way.
struct LoopProgress {
  private let label: String
  private let count: Int
  private let output: any ScriptOutput
  private let begun = ContinuousClock.now
  private var shownAt: ContinuousClock.Instant?
  private var tenths = 0

  private static let interval = Duration.milliseconds(100)

  init(_ value: ProgressValue, _ output: any ScriptOutput) {
    (label, count, self.output) = (value.label, value.list.elements.count, output)
  }

  /// - Parameter done: how many turns are over.
  mutating func show(done: Int) {
    guard output.showsProgress else {
      let reached = done * 10 / max(1, count)
      guard reached > tenths else { return }
      tenths = reached
      return output.report("\(label) \(done)/\(count)")
    }
    let now = ContinuousClock.now
    if let shownAt, now - shownAt < Self.interval { return }
    shownAt = now
    var text = "\(label) \(done)/\(count)"
    if done > 0 {
      let left = (now - begun) / .seconds(1) * Double(count - done) / Double(done)
      text += ", \(Value.text(of: left.rounded())) s left"
    }
    output.showProgress(text)
  }

  func clear() { if shownAt != nil { output.showProgress(nil) } }
}
