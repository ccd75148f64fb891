internal import Datasets
public import Distribution
internal import Engine
internal import Foundation
internal import Script
internal import Synchronization

/// What a prompt or a running script keeps beside its values: the engine, the default seed, the claims made so far.
///
/// A `Session` is made with one as its host; the built-ins find it there.
public final class NotebookSession: Sendable {
  /// Threads of the engine; nil for as many as the processor has.
  public let threads: Int?
  /// Who works on the same script.
  public let communicator: Communicator
  /// Bytes of gradients that go between processes at once; nil for the trainer's own choice.
  public let bucketBytes: Int?
  /// What trainings start from unless they name a seed.
  public let seed: UInt64
  /// Whether convolutions are computed by summing products alone, never by Winograd's algorithm.
  public let convolvesDirectly: Bool
  /// Shows one line that takes the place of the line before; nil takes it away.
  ///
  /// Where there is no such display, because standard error is no terminal, a training reports a line per epoch.
  let showProgress: (@Sendable (String?) -> Void)?
  /// Shows a message beside the results.
  private let showNote: (@Sendable (String) -> Void)?

  /// Whether what the store holds is done again.
  public let isFresh: Bool
  /// Whether results of another build of Reprise are taken from the store.
  public let acceptsBuilds: Bool
  /// Seconds between two checkpoints of a training run.
  let checkpointInterval: Double
  /// The run that is done again to be compared; nil for none.
  let replay: Replay?

  /// Whether steps are only begun, to say what they would cost.
  let isPlanning: Bool

  private struct Place {
    var costs: [Cost] = []
    var settings: [String: String] = [:]
    var entries: [PromptEntry] = []
    var store: Result<RunStore, RunStore.Failure>?
    var findings: [Replay.Finding] = []
    var details: [String] = []
    var runs: [String] = []
    var selections: [[Int]: [Split]] = [:]
    var ledgers: [String: String] = [:]
    var told: Set<String> = []
    var tensorBoard: TensorBoardLog?
  }
  private let place = Mutex(Place())
  private let lazyEngine = Mutex<Engine?>(nil)
  private let made = Mutex<[Claim]>([])
  /// What a report tells of.
  let usage = Mutex(Usage())

  /// Makes the host of a session. The engine starts when it is first needed.
  public init(
    threads: Int? = nil, seed: UInt64 = 1, convolvesDirectly: Bool = false, isFresh: Bool = false,
    acceptsBuilds: Bool = false,    checkpointInterval: Double = 60, replay: Replay? = nil, isPlanning: Bool = false,
    communicator: Communicator = .alone, bucketBytes: Int? = nil,
    showProgress: (@Sendable (String?) -> Void)? = nil, showNote: (@Sendable (String) -> Void)? = nil
  ) {
    (self.threads, self.seed, self.convolvesDirectly) = (threads, seed, convolvesDirectly)
    (self.isFresh, self.checkpointInterval, self.replay) = (isFresh, checkpointInterval, replay)
    self.acceptsBuilds = acceptsBuilds
    self.isPlanning = isPlanning
    (self.communicator, self.bucketBytes) = (communicator, bucketBytes)
    (self.showProgress, self.showNote) = (showProgress, showNote)
  }

  /// The values that were given to the script's parameters.
  public var settings: [String: String] {
    get { place.withLock { $0.settings } }
    set { place.withLock { $0.settings = newValue } }
  }

  /// What was typed at the prompt so far; empty for a script.
  public var entries: [PromptEntry] {
    get { place.withLock { $0.entries } }
    set { place.withLock { $0.entries = newValue } }
  }

  /// The runs that were made or taken from the store, in their order.
  public var runs: [String] { place.withLock { $0.runs } }
  func note(run id: String) {
    place.withLock { if !$0.runs.contains(id) { $0.runs.append(id) } }
  }

  /// Notes that channels were chosen among others by images: a model that has them was too.
  func note(selection channels: [Int], by images: Split) {
    place.withLock { $0.selections[channels, default: []].append(images) }
  }
  func selections(of channels: [Int]) -> [Split] { place.withLock { $0.selections[channels] ?? [] } }

  /// Where TensorBoard reads what the session does; nil where it is not asked for.
  public var tensorBoard: TensorBoardLog? {
    get { place.withLock { $0.tensorBoard } }
    set { place.withLock { $0.tensorBoard = newValue } }
  }

  /// Whether nothing was told of this before.
  func isFirstUse(of text: String) -> Bool { place.withLock { $0.told.insert(text).inserted } }

  /// The file of a ledger: the same for all steps of the session that ask for it.
  /// - Parameter make: called by the first that asks, for the file that it begins with.
  func ledger(_ path: String, _ make: () -> String) -> String {
    if let known = place.withLock({ $0.ledgers[path] }) { return known }
    let made = make()
    place.withLock { $0.ledgers[path] = made }
    return made
  }

  /// Lets ledgers that were begun again take the place of those that were there, now that what needed them is done.
  func finishLedgers() {
    place.withLock { place in
      for (path, file) in place.ledgers where path != file {
        // There is none where nothing was measured yet.
        if rename(file, path) == 0 { place.ledgers[path] = path }
      }
    }
  }

  /// What the trainings of a script that was only planned would cost, in their order.
  public var costs: [Cost] { place.withLock { $0.costs } }
  func note(_ cost: Cost) { place.withLock { $0.costs.append(cost) } }

  /// What a replay found, in its order.
  public var replayFindings: [Replay.Finding] { place.withLock { $0.findings } }
  func noteReplay(_ finding: Replay.Finding) { place.withLock { $0.findings.append(finding) } }

  /// What else a replay found, to be read.
  public var replayDetails: [String] { place.withLock { $0.details } }
  /// - Parameter isFirst: whether it counts only where nothing was found before.
  func noteReplay(detail: String, isFirst: Bool = false) {
    place.withLock { if !isFirst || $0.details.isEmpty { $0.details.append(detail) } }
  }

  /// The store of runs, opened at the first call. A session that works apart has a copy.
  func store(_ directory: WorkingDirectory) throws(RunStore.Failure) -> RunStore {
    try place.withLock { place in
      if let store = place.store { return store }
      let opened = Result { () throws(RunStore.Failure) in
        try directory.source == directory.path
          ? RunStore(in: directory.path, creates: true)
          : RunStore(copying: directory.source, into: directory.path)
      }
      place.store = opened
      return opened
    }.get()
  }

  /// The claims made so far, in their order; those of a family are judged beside each other.
  public var claims: [Claim] { made.withLock { $0 }.corrected }

  /// Forgets the claims, as before another script.
  public func forgetClaims() { made.withLock { $0 = [] } }

  func add(_ claim: Claim) {
    made.withLock { $0.append(claim) }
    tensorBoard?.add(claims)
  }

  /// The engine, started at the first call.
  /// - Throws: `EngineError.library` where oneDNN does not start, `.noThread` where the system gives no thread.
  func engine() throws(EngineError) -> Engine {
    let result = lazyEngine.withLock { engine -> Result<Engine, EngineError> in
      if let engine { return .success(engine) }
      do throws(EngineError) {
        let started = try Engine(threads: threads, convolutions: convolvesDirectly ? .direct : .fastest)
        engine = started
        if let note = started.threadsNote { showNote?(note) }
        return .success(started)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Threads that the engine computes with; those that it would ask for where it does not start.
  var engineThreads: Int {
    do { return try engine().threads } catch { return threads ?? ProcessInfo.processInfo.activeProcessorCount }
  }
}

extension Arguments {
  /// The host of the session.
  func notebook() throws(ScriptError) -> NotebookSession {
    guard let notebook = context.host(as: NotebookSession.self) else {
      throw failure("this session was made without a notebook")
    }
    return notebook
  }
}
