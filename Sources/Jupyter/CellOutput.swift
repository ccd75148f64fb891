internal import Foundation
internal import Notebook
internal import Script
internal import Synchronization

/// Where the words of cells go: to all who listen, as outputs of the cell that runs.
final class CellOutput: ScriptOutput {
  private struct State {
    /// The request that the running cell came with.
    var request: Message?
    /// The display of the cell's progress line, once there is one.
    var progress: String?
    var lastProgress = ContinuousClock.now - .seconds(1)
    /// A line that came too soon after another.
    var heldBack: String?
  }
  private let state = Mutex(State())
  private let outbox: Outbox
  private let session: String

  /// A progress line changes at most this often.
  private static let pace = Duration.milliseconds(100)
  /// The largest image that is sent. Bytes.
  private static let largestImage = 16 << 20

  init(outbox: Outbox, session: String) { (self.outbox, self.session) = (outbox, session) }

  func begin(_ request: Message) { state.withLock { $0 = State(request: request) } }

  func publish(_ type: String, _ content: JSON) {
    guard let request = state.withLock({ $0.request }) else { return }
    var message = Message(type, content, parent: request, session: session)
    message.identities = [Array(type.utf8)]
    outbox.post(.publish(message))
  }

  private func stream(_ name: String, _ text: String) { publish("stream", ["name": .string(name), "text": .string(text)]) }

  // MARK: ScriptOutput

  var width: Int? { 100 }
  func print(_ text: String) { stream("stdout", text + "\n") }
  func report(_ text: String) { stream("stderr", text + "\n") }

  func print(_ pieces: [OutputPiece]) {
    // A table that comes line by line stays text: each line would be a table of its own.
    let hasWhole = pieces.contains { if case .table = $0 { true } else { false } }
    guard hasWhole, let html = pieces.html else { return print(pieces.text(width: width)) }
    display(["text/plain": .string(pieces.text(width: width)), "text/html": .string(html)])
  }

  func narrate(_ markdown: String) {
    display(["text/markdown": .string(markdown), "text/plain": .string(markdown)])
  }

  func show(picture name: String, at path: String) {
    guard let bytes = FileManager.default.contents(atPath: path), bytes.count <= Self.largestImage else {
      return report("\(name) is not shown here: it cannot be read, or has more than \(Self.largestImage >> 20) MiB")
    }
    display(["image/png": .string(bytes.base64EncodedString()), "text/plain": .string(name)])
  }

  private func display(_ data: JSON) { publish("display_data", ["data": data, "metadata": [:]]) }

  // MARK: Progress

  var showsProgress: Bool { true }
  func showProgress(_ line: String?) { progress(line) }

  /// Shows a line that takes the place of the cell's line before; nil leaves the last one.
  func progress(_ line: String?) {
    let now = ContinuousClock.now
    let due: (text: String, display: String, isNew: Bool)? = state.withLock { state in
      guard let text = line ?? state.heldBack else { return nil }
      if line != nil, now - state.lastProgress < Self.pace {
        state.heldBack = text
        return nil
      }
      state.heldBack = nil
      state.lastProgress = now
      let isNew = state.progress == nil
      let display = state.progress ?? UUID().uuidString
      state.progress = display
      return (text, display, isNew)
    }
    guard let due else { return }
    publish(
      due.isNew ? "display_data" : "update_display_data",
      [
        "data": ["text/plain": .string(due.text)], "metadata": [:],
        "transient": ["display_id": .string(due.display)],
      ])
  }
}
