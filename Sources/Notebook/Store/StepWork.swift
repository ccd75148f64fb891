internal import Datasets
internal import Distribution
internal import Foundation
internal import Script
internal import Tensors
internal import Training

/// What a step finds while it is worked on: the session, where to go on from, and where to keep what it has.
final class StepWork {
  let notebook: NotebookSession
  let context: CallContext
  /// How the store calls the run.
  fileprivate(set) var id = ""
  /// Where the same step was stopped.
  fileprivate(set) var checkpoint: Checkpoint?
  /// Keeps the state on the way; nil where it cannot be kept.
  fileprivate(set) var checkpointing: Checkpointing?
  /// Told of what tells two training runs apart to the bit.
  fileprivate(set) var note: (LedgerEntry) -> Void = { _ in }
  /// Where TensorBoard reads what the step comes to; nil where it is not asked for.
  fileprivate(set) var events: RunEvents?
  /// Whether what is known already is to be left aside.
  fileprivate(set) var isFresh = false

  init(_ notebook: NotebookSession, _ context: CallContext) { (self.notebook, self.context) = (notebook, context) }

  /// The data's classes, images and labels by SHA-256, as the first process finds them. What is known of files is kept in
  /// the store.
  func contentHash(of data: Dataset) throws -> String {
    let communicator = notebook.communicator
    guard communicator.isFirst else { return communicator.broadcast(String?.none) ?? "" }
    var path: String?
    if let store = try? notebook.store(context.workingDirectory) {
      path = store.pathOfCopy("hashes")
    }
    let hash = try data.contentHash(knownIn: path, isInterrupted: context.interrupts) { context.report($0) }
    notebook.note(data: data, hash: hash)
    return communicator.broadcast(hash) ?? hash
  }

  /// Where measurements are kept that steps share; nil where they cannot be kept, or another process keeps them.
  /// - Parameters:
  ///   - key: of what they are measurements of.
  ///   - folder: of ledgers of the kind, in the store.
  func ledgerPath(_ key: String, in folder: String) -> String? {
    guard notebook.communicator.isFirst else { return nil }
    do {
      let store = try notebook.store(context.workingDirectory)
      let path = "\(store.folder)/\(folder)/\(key).jsonl"
      try FileManager.default.createDirectory(atPath: "\(store.folder)/\(folder)", withIntermediateDirectories: true)
      return notebook.ledger(path) {
        // What is done again knows nothing, and what was known stays until the new is whole.
        isFresh ? "\(store.folder)/\(folder)/.\(key)-\(UUID().uuidString)" : store.pathOfCopy("\(folder)/\(key).jsonl")
      }
    } catch {
      context.report("the ledger cannot be kept: \(error)")
      return nil
    }
  }
}

/// What a step came to, and how the store calls it.
struct Performed<Outcome> {
  /// How the store calls the run; its first digits.
  let id: String
  let result: StepResult<Outcome>
}

extension Arguments {
  /// Does a step and keeps what came of it, or takes it from the store.
  /// - Parameter checkpoint: where to go on from, rather than from where the store says.
  func perform<Kind: Step>(_ step: Kind, resuming checkpoint: Checkpoint? = nil) throws -> Performed<Kind.Outcome> {
    let notebook = try notebook()
    let work = StepWork(notebook, context)
    let keeper = StepKeeper(step, try step.inputs(work), notebook, context)
    work.isFresh = notebook.isFresh || keeper.isReplayed
    if notebook.isPlanning {
      if let known = keeper.known() {
        notebook.note(Cost(stored: step.name, steps: Kind.steps(of: known.result.outcome)))
        return Performed(id: keeper.id, result: known.result)
      }
      let (cost, result) = try step.estimate(work)
      notebook.note(cost)
      return Performed(id: keeper.id, result: result)
    }
    step.announce(context)
    if let known = try keeper.knownForAll() {
      notebook.note(run: known.id)
      keeper.tell(known.result, made: known.made, as: known.id)
      keeper.log(known)
      step.show(known.result.outcome, context)
      context.report("taken from the store: run \(known.id) of \(known.day)\(known.remark); --fresh does it again")
      return Performed(id: known.id, result: known.result)
    }
    notebook.note(run: keeper.id)
    keeper.tell(nil)
    work.checkpoint = if let checkpoint { checkpoint } else { try keeper.checkpointForAll() }
    work.id = keeper.id
    keeper.begin()
    work.checkpointing = keeper.checkpointing
    work.note = keeper.note
    work.events = keeper.events
    let result: StepResult<Kind.Outcome>
    do { result = try step.run(work) } catch {
      keeper.stop(isInterrupted: error.endsByInterruption)
      throw error
    }
    keeper.finish(result)
    keeper.tell(result)
    if result.isInterrupted {
      // Another process may have been the one that was asked to stop.
      if !context.isInterrupted { context.interruption.raise() }
    } else {
      notebook.finishLedgers()
    }
    return Performed(id: keeper.id, result: result)
  }
}

extension Error {
  fileprivate var endsByInterruption: Bool {
    if case ScriptError.interrupted = self as any Error { return true }
    return meansInterruption
  }
}

/// Keeps one step in the store: that it began, its checkpoints, how it ended. What cannot be written is told, and the work
/// goes on.
private final class StepKeeper<Kind: Step> {
  private let step: Kind
  private let inputs, identity, key: String
  private let exactness: ExactnessClass
  private let store: RunStore?
  private let context: CallContext
  private let notebook: NotebookSession
  private var attempt: RunStore.Attempt?
  private var ledger: [LedgerEntry] = []
  /// Where TensorBoard reads of it.
  private(set) var events: RunEvents?
  /// What could not be kept, each once.
  private var lost: [String: String] = [:]
  /// Whether this is the step that is done again to be compared.
  let isReplayed: Bool
  /// What its ledger was, by steps.
  private let expected: [Int: LedgerEntry]

  init(_ step: Kind, _ inputs: String, _ notebook: NotebookSession, _ context: CallContext) {
    (self.step, self.inputs, self.notebook, self.context) = (step, inputs, notebook, context)
    exactness = ExactnessClass(notebook)
    identity = StepKey.of(inputs)
    key = StepKey.of(inputs, JSONText.of(exactness))
    // One process keeps what all of them make.
    do throws(RunStore.Failure) {
      store = try notebook.communicator.isFirst ? notebook.store(context.workingDirectory) : nil
    } catch {
      store = nil
      lost["the run"] = error.description
      if !notebook.isPlanning { context.report("\(error.description); the \(Kind.kind) is not kept") }
    }
    isReplayed = notebook.replay?.isOf(kind: Kind.kind, name: step.name, inputs: inputs, identity: identity) ?? false
    expected = Dictionary((isReplayed ? notebook.replay?.ledger ?? [] : []).map { ($0.step, $0) }) { first, _ in first }
  }

  var id: String { String(key.prefix(8)) }

  /// Tells the session of the run: that it began, and what came of it.
  func tell(_ result: StepResult<Kind.Outcome>?, made: Date? = nil, as id: String? = nil) {
    let state = result.map { $0.isInterrupted ? "interrupted" : "finished" } ?? "stopped"
    notebook.note(
      Usage.Run(
        id: id ?? self.id, kind: Kind.kind, name: step.name, made: made, state: state,
        top1: result.flatMap { Kind.top1(of: $0.outcome) }))
  }

  // MARK: What is known

  struct Known {
    var result: StepResult<Kind.Outcome>
    var id: String
    var made: Date
    /// How it differs from what would be made here.
    var remark = ""
    var day: String { made.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: false)) }
  }

  /// What is known of the same step, if it is finished.
  func known() -> Known? {
    guard !notebook.isFresh, !isReplayed, let store else { return nil }
    if let run = try? store.run(key: key), let known = known(run, in: store) { return known }
    let others = ((try? store.finished(identity: identity)) ?? []).filter { $0.key != key }
    let builds = others.filter { ExactnessClass(of: $0).map(exactness.isOtherBuild) ?? false }
    if notebook.acceptsBuilds {
      for run in builds.reversed() + old(in: store) {
        guard var known = known(run, in: store) else { continue }
        known.remark = ", made by another build of Reprise"
        return known
      }
    } else if notebook.isFirstUse(of: identity) {
      if let run = builds.last ?? others.last, let other = ExactnessClass(of: run) {
        context.report(
          "run \(run.id) is the same, done with \(exactness.differences(to: other).joined(separator: ", "))"
            + (builds.isEmpty ? "" : "; --accept-builds takes it"))
      } else if let run = old(in: store).last {
        context.report("run \(run.id) is the same, done with an older build of Reprise; --accept-builds takes it")
      }
    }
    return nil
  }

  private func known(_ run: RunStore.Run, in store: RunStore) -> Known? {
    guard run.state == .finished, let stored = run.result.flatMap({ StoredResult<Kind.Outcome>.read($0) }) else {
      return nil
    }
    var weights: Weights?
    if let hash = stored.weights {
      guard let path = store.weightsPath(of: run), let file = try? SafeTensors(reading: path).weights,
        file.contentHash == hash
      else { return nil }
      weights = file
    }
    guard step.accepts(weights) else { return nil }
    return Known(
      result: StepResult(outcome: stored.outcome, weights: weights), id: run.id, made: run.finished ?? run.started)
  }

  /// What an older Reprise kept of the same step, the newest last: it told data apart otherwise, which is why it is not
  /// found by its key.
  private func old(in store: RunStore) -> [RunStore.Run] {
    ((try? store.finishedBefore(kind: Kind.kind, name: step.name)) ?? []).filter {
      OldInputs.agree($0.inputs, with: inputs, isStrict: true)
        && JSONText.leaves($0.inputs)["dataChecksum"] == (try? step.data.checksum())
        && (ExactnessClass(of: $0).map(exactness.isOtherBuild) ?? false)
    }
  }

  /// The same for all processes: what the first one's store has.
  func knownForAll() throws(TrainingError) -> Known? {
    let (own, communicator) = (known(), notebook.communicator)
    guard !communicator.isAlone else { return own }
    let text = communicator.broadcast(own.map { JSONText.of($0.result.outcome) })
    let id = communicator.broadcast(own?.id)
    var facts = [own?.made.timeIntervalSince1970 ?? 0]
    communicator.broadcast(&facts)
    let weights = try communicator.broadcast(own?.result.weights)
    guard let id, let outcome = text.flatMap({ JSONText.read(Kind.Outcome.self, $0) }) else { return nil }
    return Known(
      result: StepResult(outcome: outcome, weights: weights), id: id, made: Date(timeIntervalSince1970: facts[0]),
      remark: own?.remark ?? "")
  }

  /// Where the same step was stopped, for all processes.
  func checkpointForAll() throws(TrainingError) -> Checkpoint? {
    try notebook.communicator.broadcast(storedCheckpoint())
  }

  private func storedCheckpoint() -> Checkpoint? {
    guard !notebook.isFresh, !isReplayed, let store else { return nil }
    let path = store.path(store.checkpointName(key))
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do throws(TensorError) {
      let checkpoint = try Checkpoint(reading: path)
      ledger = (try? store.lastLedger(key: key)).flatMap { $0 }.flatMap(LedgerEntry.read) ?? []
      ledger.removeAll { $0.step > checkpoint.steps }
      return checkpoint
    } catch {
      context.report("\(error); it starts again")
      return nil
    }
  }

  /// Tells TensorBoard what is known.
  func log(_ known: Known) {
    guard let log = notebook.tensorBoard, let store, let run = try? store.run(known.id) else { return }
    log.add(run, of: store)
  }

  // MARK: What is kept

  func begin() {
    events = notebook.tensorBoard?.begin(
      RunEvents.Subject(
        id: id, kind: Kind.kind, name: step.name, inputs: inputs, exactness: JSONText.of(exactness),
        scriptName: context.program.name,
        script: notebook.entries.isEmpty ? context.program.text : notebook.entries.map(\.text).joined(separator: "\n"),
        images: step.data.train.count))
    events?.add(ledger)
    attempting("the run") { store throws(RunStore.Failure) in
      attempt = try store.begin(
        RunStore.Beginning(
          key: key, identity: identity, kind: Kind.kind, name: step.name, scriptName: context.program.name,
          script: notebook.entries.isEmpty ? context.program.text : "", entries: notebook.entries, inputs: inputs,
          exactness: JSONText.of(exactness), environment: JSONText.of(StepEnvironment(notebook, used: context.usedTexts))))
    }
  }

  var checkpointing: Checkpointing? {
    guard !isReplayed, store != nil else { return nil }
    return Checkpointing(interval: notebook.checkpointInterval) { [self] checkpoint in
      attempting("a checkpoint") { store throws(TensorError) in
        try checkpoint.write(to: "\(store.folder)/\(store.checkpointName(key))")
      }
      attempting("a checkpoint") { store throws(RunStore.Failure) in
        if let attempt { try store.note(attempt, ledger: LedgerEntry.data(of: ledger)) }
      }
    }
  }

  func note(_ entry: LedgerEntry) {
    ledger.append(entry)
    events?.add([entry])
    guard isReplayed, let replay = notebook.replay, let old = expected[entry.step], old != entry else { return }
    let place = zip(old.parameters, entry.parameters).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    notebook.noteReplay(
      .differs(
        step: entry.step,
        parameter: place.map { $0 < replay.parameters.count ? replay.parameters[$0] : "parameter \($0)" },
        lossDiffers: old.loss != entry.loss))
    if old.loss != entry.loss {
      let losses = [old.loss, entry.loss].map { "\(Double(bitPattern: $0))" }
      notebook.noteReplay(detail: "the loss of step \(entry.step) was \(losses[0]) and is \(losses[1]) now", isFirst: true)
    }
  }

  func finish(_ result: StepResult<Kind.Outcome>) {
    let hash = result.weights.map(\.contentHash)
    let digest = StepKey.of(Kind.comparable(result.outcome))
    events?.add(Kind.points(of: result.outcome))
    if !result.isInterrupted { events?.end(succeeded: true) }
    if isReplayed { return compare(result, hash, digest) }
    let stored = StoredResult(outcome: result.outcome, weights: hash, digest: digest)
    var name: String?
    if !result.isInterrupted, let weights = result.weights, let hash {
      let file = RunStore.weightsName(key, hash: hash)
      attempting("the weights") { store throws(TensorError) in
        try SafeTensors(weights: weights, metadata: ["format": "pt", "run": key]).write(to: store.pathToWrite(weights: file))
        name = file
      }
    }
    // Without its weights it is no result.
    let isWhole = !result.isInterrupted && (hash == nil || name != nil)
    attempting("the run") { store throws(RunStore.Failure) in
      guard let attempt else { return }
      try store.end(
        attempt, isWhole ? .finished : .interrupted, result: JSONText.of(stored), weights: name,
        ledger: ledger.isEmpty ? nil : LedgerEntry.data(of: ledger))
    }
    attempt = nil
    if isWhole, lost.isEmpty, let store {
      try? FileManager.default.removeItem(atPath: "\(store.folder)/\(store.checkpointName(key))")
    }
    for (what, reason) in lost.sorted(by: { $0.key < $1.key }) { context.report("not kept: \(what): \(reason)") }
  }

  func stop(isInterrupted: Bool) {
    if !isInterrupted { events?.end(succeeded: false) }
    attempting("the run") { store throws(RunStore.Failure) in
      guard let attempt else { return }
      try store.end(attempt, isInterrupted ? .interrupted : .failed, result: nil, weights: nil, ledger: nil)
    }
    attempt = nil
  }

  private func attempting<Failure: Error>(_ what: String, _ body: (RunStore) throws(Failure) -> Void) {
    guard !isReplayed, let store else { return }
    do throws(Failure) { try body(store) } catch {
      if lost.isEmpty { context.report("\(what) cannot be kept, the \(Kind.kind) goes on: \(error)") }
      lost[what] = "\(error)"
    }
  }

  // MARK: A replay

  private func compare(_ result: StepResult<Kind.Outcome>, _ hash: String?, _ digest: String) {
    guard let replay = notebook.replay else { return }
    let isSame = hash == replay.weights && (replay.digest.isEmpty || digest == replay.digest)
    if let old = replay.exactness {
      for difference in exactness.differences(to: old) { notebook.noteReplay(detail: "it was made with \(difference)") }
    }
    notebook.noteReplay(isSame ? .same(steps: Kind.steps(of: result.outcome)) : .differsAtEnd)
    guard !isSame else { return }
    if let weights = result.weights, let path = replay.weightsPath, let before = try? SafeTensors(reading: path).weights {
      let first = replay.firstParameter(of: notebook.replayFindings)
      if let (name, distance) = weights.distance(to: before, of: first) {
        notebook.noteReplay(detail: "at the end '\(name)' differs by \(NumberText.short(distance * 100)) % of its norm")
      }
    }
    guard let old = replay.top1, let now = Kind.top1(of: result.outcome) else { return }
    var line = "top-1 was \(NumberText.fixed(old, 2)) % and is \(NumberText.fixed(now, 2)) % now"
    if let store, let spread = try? replay.spreadOverSeeds(in: store) {
      line += spread.std > 0
        ? ": \(NumberText.fixed(abs(now - old) / spread.std, 2)) standard deviations of \(spread.count) seeds"
        : "; \(spread.count) seeds gave the same"
    }
    notebook.noteReplay(detail: line)
  }
}

extension Weights {
  /// How far a tensor is from another, as a share of the other's norm: of the tensor named, or of the one that differs most.
  fileprivate func distance(to before: Weights, of name: String?) -> (name: String, distance: Double)? {
    func distance(_ name: String) -> Double? {
      guard let own = self[name], let other = before[name], own.shape == other.shape else { return nil }
      var (difference, norm) = (0.0, 0.0)
      for (a, b) in zip(own.elements, other.elements) {
        difference += (Double(a) - Double(b)) * (Double(a) - Double(b))
        norm += Double(b) * Double(b)
      }
      return norm > 0 ? (difference / norm).squareRoot() : difference.squareRoot()
    }
    if let name, let own = distance(name) { return (name, own) }
    return keys.sorted().compactMap { name in distance(name).map { (name: name, distance: $0) } }.max { $0.distance < $1.distance }
  }
}

extension LedgerEntry {
  static func data(of ledger: [LedgerEntry]) -> Data? { try? JSONEncoder().encode(ledger) }
  static func read(_ data: Data) -> [LedgerEntry]? { try? JSONDecoder().decode([LedgerEntry].self, from: data) }
}

/// What an older Reprise took for the inputs of a step: machine and data were among them.
enum OldInputs {
  /// Whether they agree with inputs of today in all but machine and data.
  /// - Parameter isStrict: whether each must have all that the other has; else what only one has does not count, as
  ///   where a setting got another name.
  static func agree(_ old: String, with new: String, isStrict: Bool) -> Bool {
    let (old, new) = (settings(old), settings(new))
    return isStrict ? old == new : old.allSatisfy { name, value in new[name].map { $0 == value } ?? true }
  }

  private static func settings(_ text: String) -> [String: String] {
    var result: [String: String] = [:]
    for (name, value) in JSONText.leaves(text) {
      let bare = name.hasPrefix("settings.") ? String(name.dropFirst("settings.".count)) : name
      let head = bare.prefix { $0 != "." && $0 != "[" }
      guard !["kind", "network", "data", "dataChecksum", "machine", "processes"].contains(head) else { continue }
      result[bare] = name == "start" && value.hasPrefix("weights ") ? String(value.dropFirst("weights ".count)) : value
    }
    return result
  }
}
