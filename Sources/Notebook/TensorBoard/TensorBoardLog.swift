internal import Foundation
internal import Interchange
internal import Synchronization
public import Tensors
internal import Training

/// A folder that TensorBoard reads: a folder in it for each run, and one for the script with its claims and figures.
///
/// Everything in it comes from the run store or the script, so a run's folder is written again as a whole when the run goes
/// on, is done again, or is taken from the store. What cannot be written is told once, and the work goes on.
public final class TensorBoardLog: Sendable {
  public let folder: String
  private let complain: @Sendable (String) -> Void

  private struct State {
    var hasFailed = false
    var name = "prompt"
    var script = ""
    /// The script's own file, from the first that is told of it.
    var file: EventFile?
    /// How often each figure was drawn, and how many claims were told.
    var figures: [String: Int] = [:]
  }
  private let state = Mutex(State())

  /// - Parameter complain: takes what could not be written.
  /// - Throws: `TensorError.file` where there is no such folder and none can be made.
  public init(in folder: String, complain: @escaping @Sendable (String) -> Void) throws(TensorError) {
    (self.folder, self.complain) = (folder, complain)
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw .file(path: folder, reason: (error as NSError).localizedDescription)
    }
    guard access(folder, W_OK) == 0 else { throw .system(folder, errno) }
  }

  /// Whether something could not be written.
  public var hasFailed: Bool { state.withLock { $0.hasFailed } }

  /// Where the files of a run lie. What cannot stand in every file system's names is a hyphen.
  func folder(of run: String) -> String {
    let name = String(run.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._+=".contains($0)) ? $0 : "-" }.prefix(200))
    return folder + "/" + (name.allSatisfy { ".-".contains($0) } ? "script" : name)
  }

  /// Does what may fail; the first failure is told, and nothing is done after it.
  func attempt(_ body: () throws(TensorError) -> Void) {
    guard !hasFailed else { return }
    do throws(TensorError) { try body() } catch {
      state.withLock { $0.hasFailed = true }
      complain("TensorBoard's files are not written any more, the work goes on: \(error)")
    }
  }

  // MARK: The script

  /// Begins with a script; without one, it is the prompt.
  public func begin(script name: String, text: String) {
    let base = ((name as NSString).lastPathComponent as NSString).deletingPathExtension
    state.withLock { ($0.name, $0.script, $0.file, $0.figures) = (base, text, nil, [:]) }
    tell { _ in [] }
  }

  /// Adds a figure as it is now.
  /// - Parameter name: what the script calls its file.
  func add(figure name: String, at path: String) {
    attempt { () throws(TensorError) in
      let bytes = try readFile(path, limit: 1 << 28)
      guard let size = PNGSize(bytes) else { return }
      tell { state in
        let number = state.figures[name, default: 0] + 1
        state.figures[name] = number
        return [(.image(tag: name, width: size.width, height: size.height, png: bytes), number)]
      }
    }
  }

  /// Adds the table of all claims so far.
  func add(_ claims: [Claim]) {
    let columns = claims.columns
    let table = TensorBoardText.table(columns.map(\.name), claims.map { claim in columns.map { $0.cell(claim) } })
    tell { _ in [(.text(tag: "claims", markdown: table), claims.count)] }
  }

  /// Adds events to the script's own file, which begins with the script.
  private func tell(_ events: (inout State) -> [(event: TensorBoardEvent, step: Int)]) {
    attempt { () throws(TensorError) in
      let now = Date().timeIntervalSince1970
      let result = state.withLock { state -> Result<Void, TensorError> in
        do throws(TensorError) {
          let file: EventFile
          if let known = state.file {
            file = known
          } else {
            file = try EventFile(in: folder(of: state.name), at: now)
            state.file = file
            if !state.script.isEmpty {
              try file.add(.text(tag: "script", markdown: TensorBoardText.code(state.script)), at: now)
            }
          }
          for (event, step) in events(&state) { try file.add(event, step: step, at: now) }
          return .success(())
        } catch {
          return .failure(error)
        }
      }
      try result.get()
    }
  }

  // MARK: Runs

  /// Begins the file of a run that begins.
  /// - Returns: nil where it cannot be written.
  func begin(_ subject: RunEvents.Subject) -> RunEvents? {
    var events: RunEvents?
    attempt { () throws(TensorError) in
      events = try RunEvents(subject, in: self) { plan in subject.images.map { plan.stepsPerEpoch(samples: $0) } }
    }
    return events
  }

  /// Writes all that the store knows of a run.
  public func add(_ run: RunStore.Run, of store: RunStore) {
    let kind = stepKinds.first { $0.kind == run.kind }
    let steps = run.result.flatMap { kind?.steps(json: $0) } ?? 0
    let seconds = run.finished.map { $0.timeIntervalSince(run.started) }
    attempt { () throws(TensorError) in
      let events = try RunEvents(
        RunEvents.Subject(
          id: run.id, kind: run.kind, name: run.name, inputs: run.inputs, exactness: run.exactness,
          scriptName: run.scriptName, script: run.text),
        in: self, stepsPerEpoch: { run.state == .finished && $0.epochs > 0 ? steps / $0.epochs : nil },
        started: run.started.timeIntervalSince1970)
      let ledger = (try? store.ledger(of: run)).flatMap { $0 }.flatMap(LedgerEntry.read) ?? []
      events.add(ledger) { step in seconds.map { $0 * Double(step) / Double(max(steps, step, 1)) } }
      events.add(run.points)
      switch run.state {
      case .finished: events.end(succeeded: true, after: seconds)
      case .failed: events.end(succeeded: false, after: seconds)
      case .running, .interrupted: break
      }
    }
  }
}
