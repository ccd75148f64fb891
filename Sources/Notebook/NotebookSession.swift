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

  /// Whether trainings that the store holds are made again.
  public let isFresh: Bool
  /// Seconds between two checkpoints of a training run.
  let checkpointInterval: Double
  /// The run that is done again to be compared; nil for none.
  let replay: Replay?

  /// Whether trainings are only timed for a few steps, to say what they would cost.
  let isPlanning: Bool

  private struct Place {
    var costs: [Cost] = []
    var settings: [String: String] = [:]
    var transcript: String?
    var store: Result<RunStore, RunStore.Failure>?
    var findings: [Replay.Finding] = []
    var runs: [String] = []
    var ledgers: Set<String> = []
    var selections: [[Int]: [Split]] = [:]
  }
  private let place = Mutex(Place())
  private let lazyEngine = Mutex<Engine?>(nil)
  private let made = Mutex<[Claim]>([])

  /// Makes the host of a session. The engine starts when it is first needed.
  public init(
    threads: Int? = nil, seed: UInt64 = 1, convolvesDirectly: Bool = false, isFresh: Bool = false,
    checkpointInterval: Double = 60, replay: Replay? = nil, isPlanning: Bool = false,
    communicator: Communicator = .alone, bucketBytes: Int? = nil,
    showProgress: (@Sendable (String?) -> Void)? = nil, showNote: (@Sendable (String) -> Void)? = nil
  ) {
    (self.threads, self.seed, self.convolvesDirectly) = (threads, seed, convolvesDirectly)
    (self.isFresh, self.checkpointInterval, self.replay) = (isFresh, checkpointInterval, replay)
    self.isPlanning = isPlanning
    (self.communicator, self.bucketBytes) = (communicator, bucketBytes)
    (self.showProgress, self.showNote) = (showProgress, showNote)
  }

  /// The values that were given to the script's parameters.
  public var settings: [String: String] {
    get { place.withLock { $0.settings } }
    set { place.withLock { $0.settings = newValue } }
  }

  /// What was typed at the prompt so far; nil for a script.
  public var transcript: String? {
    get { place.withLock { $0.transcript } }
    set { place.withLock { $0.transcript = newValue } }
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

  /// Whether a ledger was not asked for before.
  func isFirstUse(of ledger: String) -> Bool { place.withLock { $0.ledgers.insert(ledger).inserted } }

  /// What the trainings of a script that was only planned would cost, in their order.
  public var costs: [Cost] { place.withLock { $0.costs } }
  func note(_ cost: Cost) { place.withLock { $0.costs.append(cost) } }

  /// What a replay found, in its order.
  public var replayFindings: [Replay.Finding] { place.withLock { $0.findings } }
  func noteReplay(_ finding: Replay.Finding) { place.withLock { $0.findings.append(finding) } }

  /// The store of runs, opened at the first call.
  func store(in directory: String) throws(RunStore.Failure) -> RunStore {
    try place.withLock { place in
      if let store = place.store { return store }
      let opened = Result { () throws(RunStore.Failure) in try RunStore(in: directory, creates: true) }
      place.store = opened
      return opened
    }.get()
  }

  /// The claims made so far, in their order; those of a family are judged beside each other.
  public var claims: [Claim] { made.withLock { $0 }.corrected }

  /// Forgets the claims, as before another script.
  public func forgetClaims() { made.withLock { $0 = [] } }

  func add(_ claim: Claim) { made.withLock { $0.append(claim) } }

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
