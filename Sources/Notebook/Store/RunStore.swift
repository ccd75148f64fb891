public import Foundation
internal import GRDB

/// The runs of a folder, under `.reprise/`: what was done, with what, and what came of it.
///
/// Rows lie in an SQLite database, weights and checkpoints in files beside it. Several processes may use one store at
/// once: each change is one transaction, each file is renamed into its place.
public final class RunStore: Sendable {
  /// One thing that was done: a training run.
  public struct Run: Sendable {
    public enum State: String, Sendable { case running, finished, interrupted, failed }
    /// A hash of `inputs`: 16 hexadecimal digits.
    public let key: String
    public let kind: String
    public let name: String
    public let state: State
    public let started: Date
    public let finished: Date?
    public let scriptName: String
    /// The script's text; of a line at the prompt, all lines before it too.
    public let script: String
    /// All that determines the result, as JSON.
    public let inputs: String
    /// What else is known of how it came about, as JSON.
    public let environment: String
    /// What came of it, as JSON; nil while it runs.
    public let result: String?
    /// The process that makes it.
    let process: Int

    /// What people call it.
    public var id: String { String(key.prefix(8)) }

    /// A run that says it is running, of a process that is gone, was stopped.
    public var isStopped: Bool { state == .running && kill(pid_t(truncatingIfNeeded: process), 0) != 0 && errno == ESRCH }
  }

  public enum Failure: Error, CustomStringConvertible {
    case unusable(path: String, reason: String)
    case none(path: String)
    case unknown(String)
    case ambiguous(String, [String])

    public var description: String {
      switch self {
      case .unusable(let path, let reason): "the store in \(path) cannot be used: \(reason)"
      case .none(let path): "there is no store of runs in \(path)"
      case .unknown(let id): "there is no run '\(id)'"
      case .ambiguous(let id, let all): "several runs begin with '\(id)': \(all.joined(separator: ", "))"
      }
    }
  }

  /// `…/.reprise`.
  public let folder: String
  private let database: DatabasePool

  public static let folderName = ".reprise"

  /// Opens the store of a working directory.
  /// - Parameter creates: Whether to make it where there is none.
  public init(in directory: String, creates: Bool) throws(Failure) {
    guard !directory.isEmpty else { throw .unusable(path: Self.folderName, reason: "the working directory is gone") }
    folder = "\(directory)/\(Self.folderName)"
    if !creates, !FileManager.default.fileExists(atPath: folder + "/runs.sqlite") { throw .none(path: directory) }
    do {
      for part in ["", "/weights", "/checkpoints"] {
        try FileManager.default.createDirectory(atPath: folder + part, withIntermediateDirectories: true)
      }
      var configuration = Configuration()
      configuration.busyMode = .timeout(20)
      configuration.maximumReaderCount = 1
      database = try DatabasePool(path: folder + "/runs.sqlite", configuration: configuration)
      var migrator = DatabaseMigrator()
      migrator.registerMigration("runs") { database in
        try database.execute(
          sql: """
            CREATE TABLE run (
              key TEXT PRIMARY KEY NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL,
              started REAL NOT NULL, finished REAL, script_name TEXT NOT NULL, script TEXT NOT NULL,
              inputs TEXT NOT NULL, environment TEXT NOT NULL, result TEXT, process INTEGER NOT NULL, ledger BLOB);
            CREATE INDEX run_started ON run(started);
            """)
      }
      try migrator.migrate(database)
    } catch {
      throw .unusable(path: folder, reason: Self.reason(error))
    }
  }

  private static func reason(_ error: any Error) -> String {
    (error as? DatabaseError)?.message ?? (error as NSError).localizedDescription
  }

  private func write<Result>(_ body: (Database) throws -> Result) throws(Failure) -> Result {
    do { return try database.write(body) } catch { throw .unusable(path: folder, reason: Self.reason(error)) }
  }

  private func read<Result>(_ body: (Database) throws -> Result) throws(Failure) -> Result {
    do { return try database.read(body) } catch { throw .unusable(path: folder, reason: Self.reason(error)) }
  }

  private static let columns =
    "key, kind, name, state, started, finished, script_name, script, inputs, environment, result, process"

  private static func run(_ row: Row) -> Run {
    Run(
      key: row["key"], kind: row["kind"], name: row["name"], state: Run.State(rawValue: row["state"]) ?? .failed,
      started: Date(timeIntervalSince1970: row["started"]),
      finished: (row["finished"] as Double?).map(Date.init(timeIntervalSince1970:)), scriptName: row["script_name"],
      script: row["script"], inputs: row["inputs"], environment: row["environment"], result: row["result"],
      process: row["process"])
  }

  /// All runs, the newest last.
  public func runs() throws(Failure) -> [Run] {
    try read { try Row.fetchAll($0, sql: "SELECT \(Self.columns) FROM run ORDER BY started, key").map(Self.run) }
  }

  /// The run of a key, where there is one.
  func run(key: String) throws(Failure) -> Run? {
    try read { try Row.fetchOne($0, sql: "SELECT \(Self.columns) FROM run WHERE key = ?", arguments: [key]).map(Self.run) }
  }

  /// The run whose key begins so.
  public func run(_ id: String) throws(Failure) -> Run {
    guard id.count >= 2, id.allSatisfy(\.isHexDigit) else { throw .unknown(id) }
    let found = try read {
      try Row.fetchAll(
        $0, sql: "SELECT \(Self.columns) FROM run WHERE key LIKE ? ORDER BY started", arguments: [id.lowercased() + "%"]
      ).map(Self.run)
    }
    guard let first = found.first else { throw .unknown(id) }
    guard found.count == 1 else { throw .ambiguous(id, found.map(\.id)) }
    return first
  }

  /// Notes that a run begins, or begins again.
  func begin(_ run: Run) throws(Failure) {
    try write {
      try $0.execute(
        sql: """
          INSERT INTO run (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          ON CONFLICT (key) DO UPDATE SET state = excluded.state, started = excluded.started, finished = NULL,
            script_name = excluded.script_name, script = excluded.script, environment = excluded.environment,
            result = NULL, process = excluded.process
          """,
        arguments: [
          run.key, run.kind, run.name, run.state.rawValue, run.started.timeIntervalSince1970, nil, run.scriptName,
          run.script, run.inputs, run.environment, nil, run.process,
        ])
    }
  }

  /// Notes how a run ended.
  func end(key: String, _ state: Run.State, result: String?, ledger: Data?) throws(Failure) {
    try write {
      try $0.execute(
        sql: "UPDATE run SET state = ?, finished = ?, result = ?, ledger = ? WHERE key = ?",
        arguments: [state.rawValue, Date().timeIntervalSince1970, result, ledger, key])
    }
  }

  func ledger(key: String) throws(Failure) -> Data? {
    try read { try Data.fetchOne($0, sql: "SELECT ledger FROM run WHERE key = ?", arguments: [key]) }
  }

  public func weightsPath(_ key: String) -> String { "\(folder)/weights/\(key).safetensors" }
  public func checkpointPath(_ key: String) -> String { "\(folder)/checkpoints/\(key).safetensors" }

  /// A file that can go.
  public struct Garbage: Sendable {
    public let path: String
    public let bytes: Int
    public let reason: String
  }

  /// What can be removed: files that no run names, what an interrupted write left behind, and the files of runs that
  /// began before a date.
  public func garbage(before date: Date?) throws(Failure) -> [Garbage] {
    let runs = Dictionary(uniqueKeysWithValues: try runs().map { ($0.key, $0) })
    var garbage: [Garbage] = []
    for part in ["weights", "checkpoints"] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(part)")) ?? []
      for name in names.sorted() {
        let path = "\(folder)/\(part)/\(name)"
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let bytes = (attributes?[.size] as? Int) ?? 0
        let age = Date().timeIntervalSince((attributes?[.modificationDate] as? Date) ?? Date())
        func note(_ reason: String) { garbage.append(Garbage(path: path, bytes: bytes, reason: reason)) }
        if name.hasPrefix(".") {
          // Somebody may be writing it just now.
          if age > 3600 { note("left behind by an interrupted write") }
          continue
        }
        guard let run = runs[String(name.prefix { $0 != "." })] else {
          note("of no run")
          continue
        }
        if let date, run.started < date {
          note("of a run of \(run.started.formatted(.iso8601.year().month().day()))")
        } else if part == "checkpoints", run.state == .finished {
          note("of a run that is finished")
        }
      }
    }
    return garbage
  }

  /// Removes files that `garbage` named.
  public func remove(_ garbage: [Garbage]) {
    for item in garbage { try? FileManager.default.removeItem(atPath: item.path) }
  }
}
