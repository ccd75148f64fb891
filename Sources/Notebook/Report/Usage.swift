internal import Datasets
internal import Foundation
internal import Synchronization

/// What a session's steps worked on and where their results are from, for a report.
struct Usage {
  /// A step's run, made or taken from the store.
  struct Run {
    let id, kind, name: String
    /// When it was made, where it was taken from the store.
    var made: Date?
    var state = "stopped"
    /// Of what it gave, in per cent.
    var top1: Double?
  }

  /// A dataset that something was measured on.
  struct Data {
    let data: Dataset
    var hash: String?
  }

  /// Whether a report is to be made. Without one, datasets are not kept.
  var isReported = false
  private(set) var runs: [Run] = []
  private(set) var data: [Data] = []

  /// More are not told apart.
  private static let mostData = 200

  mutating func note(_ run: Run) {
    // A run that was made here is taken from the store when it is asked for again.
    guard let place = runs.firstIndex(where: { $0.id == run.id }) else { return runs.append(run) }
    if runs[place].made != nil || run.made == nil { runs[place] = run }
  }

  mutating func note(_ used: Dataset, hash: String?) {
    guard isReported, data.count < Self.mostData else { return }
    let value = DatasetValue(data: used)
    // The validation set of what is told anyway.
    if hash == nil, used.train.count == 0, data.contains(where: { DatasetValue(data: $0.data.measured).isEqual(to: value) }) {
      return
    }
    let place = data.firstIndex {
      if let own = $0.hash, let hash { return own == hash }
      return DatasetValue(data: $0.data).isEqual(to: value)
    }
    if let place { data[place].hash = data[place].hash ?? hash } else { data.append(Data(data: used, hash: hash)) }
  }
}

extension Dataset {
  /// Its validation set alone.
  fileprivate var measured: Dataset {
    var measured = self
    measured.train = validation.empty
    return measured
  }
}

extension NotebookSession {
  /// Whether a report of the session is to be made, which tells the data by their contents.
  public var isReported: Bool {
    get { usage.withLock { $0.isReported } }
    set { usage.withLock { $0.isReported = newValue } }
  }

  func note(_ run: Usage.Run) { usage.withLock { $0.note(run) } }

  /// Notes that something was measured on a dataset.
  /// - Parameter hash: Of its contents, where that is known.
  func note(data: Dataset, hash: String? = nil) { usage.withLock { $0.note(data, hash: hash) } }
}
