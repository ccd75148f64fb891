public import Foundation
internal import GRDB
internal import Script
internal import Tensors

/// The runs of a folder, under `.reprise/`: what was done, with what, and what came of it.
///
/// Rows lie in an SQLite database, weights and checkpoints in files beside it. Several processes may use one store at
/// once: each change is one transaction, each file is renamed into its place. An attempt has a row of its own, so a result
/// stays until another attempt on the same has finished.
public final class RunStore: Sendable {
  /// One thing that was done, or tried: a training run, a pruning, a search.
  public struct Run: Sendable {
    public enum State: String, Sendable { case running, finished, interrupted, failed }
    /// A hash of what the run is and of where it is exact: 16 hexadecimal digits.
    public let key: String
    /// A hash of `inputs`; empty where an older Reprise kept both together.
    public let identity: String
    public let kind: String
    public let name: String
    public let state: State
    public let started: Date
    public let finished: Date?
    public let scriptName: String
    /// The script's text; empty for what was typed at the prompt.
    public let script: String
    /// What was typed at the prompt until then; empty for a script.
    public let entries: [PromptEntry]
    /// All that the result follows from, as JSON.
    public let inputs: String
    /// Where the same inputs give the same bits, as JSON.
    public let exactness: String
    /// What else is known of how it came about, as JSON.
    public let environment: String
    /// What came of it, as JSON; nil where nothing did.
    public let result: String?
    /// The attempt's own number.
    let attempt: Int64
    /// The name of the file that holds its weights.
    let weights: String?
    /// Whether it says that it is running, but its process is gone.
    public let isStopped: Bool

    /// What people call it.
    public var id: String { String(key.prefix(8)) }
    /// Whether a process works on it now.
    public var isRunning: Bool { state == .running && !isStopped }
  }

  /// What is known of an attempt when it begins.
  struct Beginning {
    var key, identity, kind, name, scriptName, script: String
    var entries: [PromptEntry]
    var inputs, exactness, environment: String
  }

  /// An attempt that is under way. Its lock is held until it is let go of or its process ends, however it ends.
  final class Attempt {
    let number: Int64
    private let descriptor: Int32
    private let path: String

    fileprivate init(_ number: Int64, lock descriptor: Int32, at path: String) {
      (self.number, self.descriptor, self.path) = (number, descriptor, path)
    }

    deinit {
      unlink(path)
      close(descriptor)
    }
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
  /// Where files are read that are not in `folder`: the store that this one is a copy of.
  let source: String
  private let database: DatabasePool

  /// Opens the store of a working directory.
  /// - Parameter creates: Whether to make it where there is none.
  public convenience init(in directory: String, creates: Bool) throws(Failure) {
    guard !directory.isEmpty else {
      throw .unusable(path: WorkingDirectory.storeName, reason: "the working directory is gone")
    }
    let folder = "\(directory)/\(WorkingDirectory.storeName)"
    if !creates, !FileManager.default.fileExists(atPath: folder + "/runs.sqlite") { throw .none(path: directory) }
    try self.init(folder: folder, source: folder)
  }

  /// Opens a copy of a directory's store: what the store has is read, and it stays as it is.
  /// - Parameter scratch: The directory that holds the copy, and all that is written.
  public convenience init(copying directory: String, into scratch: String) throws(Failure) {
    let (source, folder) = ("\(directory)/\(WorkingDirectory.storeName)", "\(scratch)/\(WorkingDirectory.storeName)")
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Self.copyDatabase(from: source + "/runs.sqlite", to: folder + "/runs.sqlite")
    } catch { throw .unusable(path: folder, reason: Self.reason(error)) }
    try self.init(folder: folder, source: source)
  }

  /// SQLite would write beside a database that it only reads. A copy that another process wrote into meanwhile is made
  /// again.
  private static func copyDatabase(from source: String, to target: String) throws {
    let parts = ["", "-wal"]
    func stamp() -> [Int] {
      parts.flatMap { part -> [Int] in
        var status = stat()
        guard stat(source + part, &status) == 0 else { return [-1] }
        return [status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
      }
    }
    for _ in 0..<20 {
      let before = stamp()
      for part in parts {
        try? FileManager.default.removeItem(atPath: target + part)
        if FileManager.default.fileExists(atPath: source + part) {
          try FileManager.default.copyItem(atPath: source + part, toPath: target + part)
        }
      }
      if stamp() == before { return }
      usleep(50_000)
    }
    throw Failure.unusable(path: source, reason: "other processes change it all the time")
  }

  private init(folder: String, source: String) throws(Failure) {
    (self.folder, self.source) = (folder, source)
    do {
      for part in ["", "/weights", "/checkpoints", "/locks"] {
        try FileManager.default.createDirectory(atPath: folder + part, withIntermediateDirectories: true)
      }
      var configuration = Configuration()
      configuration.busyMode = .timeout(20)
      configuration.maximumReaderCount = 1
      database = try DatabasePool(path: folder + "/runs.sqlite", configuration: configuration)
      try Self.migrator.migrate(database)
    } catch {
      throw .unusable(path: folder, reason: Self.reason(error))
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as DatabaseError: error.message ?? error.resultCode.description
    case is RowDecodingError, is UnlikelyTime: "a row of its database is damaged"
    case Failure.unusable(_, let reason): reason
    default: (error as NSError).localizedDescription
    }
  }

  private func write<Result>(_ body: (Database) throws -> Result) throws(Failure) -> Result {
    do { return try database.write(body) } catch { throw .unusable(path: folder, reason: Self.reason(error)) }
  }

  private func read<Result>(_ body: (Database) throws -> Result) throws(Failure) -> Result {
    do { return try database.read(body) } catch { throw .unusable(path: folder, reason: Self.reason(error)) }
  }

  // MARK: Reading

  private static let columns =
    "id, key, identity, kind, name, state, started, finished, script_name, script, entries, inputs, exactness, environment, result, weights, lock"

  /// A time that no clock shows, and that no calendar can write.
  private struct UnlikelyTime: Error {}

  private static func date(_ seconds: Double) throws -> Date {
    guard abs(seconds) < 1e11 else { throw UnlikelyTime() }
    return Date(timeIntervalSince1970: seconds)
  }

  /// - Throws: `RowDecodingError` or `UnlikelyTime` where something else than a store wrote the row.
  private func attempt(_ row: Row) throws -> Run {
    func value<Value: DatabaseValueConvertible>(_ column: String) throws -> Value { try row.decode(forColumn: column) }
    let state = Run.State(rawValue: try value("state")) ?? .failed
    let (finished, entries, lock): (Double?, String?, String?) = try (value("finished"), value("entries"), value("lock"))
    return try Run(
      key: value("key"), identity: value("identity"), kind: value("kind"), name: value("name"), state: state,
      started: Self.date(value("started")),
      finished: finished.map(Self.date), scriptName: value("script_name"),
      script: value("script"), entries: entries.flatMap { JSONText.read([PromptEntry].self, $0) } ?? [],
      inputs: value("inputs"), exactness: value("exactness"), environment: value("environment"), result: value("result"),
      attempt: value("id"), weights: value("weights"), isStopped: state == .running && lock.map(isHeld) != true)
  }

  /// Whether the process that took a lock lives.
  private func isHeld(_ lock: String) -> Bool {
    for place in [folder, source] {
      let descriptor = open("\(place)/locks/\(lock)", O_RDWR | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      // Where locks do not work, nothing is known: it may live.
      return flock(descriptor, LOCK_EX | LOCK_NB) != 0
    }
    return false
  }

  private func attempts(where condition: String = "1", _ arguments: StatementArguments = []) throws(Failure) -> [Run] {
    try read {
      try Row.fetchAll($0, sql: "SELECT \(Self.columns) FROM attempt WHERE \(condition) ORDER BY id", arguments: arguments)
        .map(attempt)
    }
  }

  /// Of attempts on one key, the one that counts: the last that finished, or else the last.
  private static func chosen(_ attempts: [Run]) -> Run? { attempts.last { $0.state == .finished } ?? attempts.last }

  private static func chosenOfEach(_ attempts: [Run]) -> [Run] {
    Dictionary(grouping: attempts, by: \.key).values.compactMap(chosen).sorted {
      ($0.started, $0.key) < ($1.started, $1.key)
    }
  }

  /// All runs, the newest last; of each, the attempt that counts.
  public func runs() throws(Failure) -> [Run] { Self.chosenOfEach(try attempts()) }

  /// All attempts on a run, the newest last.
  public func attempts(on run: Run) throws(Failure) -> [Run] { try attempts(where: "key = ?", [run.key]) }

  /// The run of a key, where there is one.
  func run(key: String) throws(Failure) -> Run? { Self.chosen(try attempts(where: "key = ?", [key])) }

  /// What finished of an identity, of whatever exactness class, the newest last.
  func finished(identity: String) throws(Failure) -> [Run] {
    Self.chosenOfEach(try attempts(where: "identity = ? AND state = 'finished'", [identity]))
  }

  /// What an older Reprise finished, which knew no identity, the newest last.
  func finishedBefore(kind: String, name: String) throws(Failure) -> [Run] {
    try attempts(where: "identity = '' AND kind = ? AND name = ? AND state = 'finished'", [kind, name])
  }

  /// The run whose key begins so.
  public func run(_ id: String) throws(Failure) -> Run {
    guard id.count >= 2, id.allSatisfy(\.isHexDigit) else { throw .unknown(id) }
    let found = Self.chosenOfEach(try attempts(where: "key LIKE ?", [id.lowercased() + "%"]))
    guard let first = found.first else { throw .unknown(id) }
    guard found.count == 1 else { throw .ambiguous(id, found.map(\.id)) }
    return first
  }

  func ledger(of run: Run) throws(Failure) -> Data? {
    try read { try Data.fetchOne($0, sql: "SELECT ledger FROM attempt WHERE id = ?", arguments: [run.attempt]) }
  }

  /// What the last attempt on a key noted that got anywhere.
  func lastLedger(key: String) throws(Failure) -> Data? {
    try read {
      try Data.fetchOne(
        $0, sql: "SELECT ledger FROM attempt WHERE key = ? AND ledger IS NOT NULL ORDER BY id DESC", arguments: [key])
    }
  }

  // MARK: Writing

  /// Notes that an attempt begins.
  func begin(_ beginning: Beginning) throws(Failure) -> Attempt {
    let lock = UUID().uuidString
    let path = "\(folder)/locks/\(lock)"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      throw .unusable(path: folder, reason: String(cString: strerror(errno)))
    }
    let entries = beginning.entries.isEmpty ? nil : JSONText.of(beginning.entries)
    do throws(Failure) {
      let number = try write { database in
        try database.execute(
          sql: """
            INSERT INTO attempt (key, identity, kind, name, state, started, script_name, script, entries, inputs,
              exactness, environment, lock) VALUES (?, ?, ?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?)
            """,
          arguments: [
            beginning.key, beginning.identity, beginning.kind, beginning.name, Date().timeIntervalSince1970,
            beginning.scriptName, beginning.script, entries,
            beginning.inputs, beginning.exactness, beginning.environment, lock,
          ])
        return database.lastInsertedRowID
      }
      return Attempt(number, lock: descriptor, at: path)
    } catch {
      unlink(path)
      close(descriptor)
      throw error
    }
  }

  /// Notes what an attempt has come to, so that another goes on from there.
  func note(_ attempt: Attempt, ledger: Data?) throws(Failure) {
    try write {
      try $0.execute(sql: "UPDATE attempt SET ledger = ? WHERE id = ?", arguments: [ledger, attempt.number])
    }
  }

  /// Notes how an attempt ended.
  func end(_ attempt: Attempt, _ state: Run.State, result: String?, weights: String?, ledger: Data?) throws(Failure) {
    try write {
      try $0.execute(
        sql: """
          UPDATE attempt SET state = ?, finished = ?, result = ?, weights = ?, ledger = COALESCE(?, ledger), lock = NULL
          WHERE id = ?
          """,
        arguments: [state.rawValue, Date().timeIntervalSince1970, result, weights, ledger, attempt.number])
    }
  }

  // MARK: Files

  /// The name of the file with a run's weights: other weights have another name, so none is ever written over.
  static func weightsName(_ key: String, hash: String) -> String { "\(key)-\(hash).safetensors" }

  /// Where a file of the store is: in the store itself, or in the one that it is a copy of.
  func path(_ name: String) -> String {
    let own = "\(folder)/\(name)"
    return source == folder || FileManager.default.fileExists(atPath: own) ? own : "\(source)/\(name)"
  }

  /// Where to read and write a file of the store: in a copy a copy, so that the store itself stays as it is.
  func pathOfCopy(_ name: String) -> String {
    let (own, known) = ("\(folder)/\(name)", path(name))
    if known != own, FileManager.default.fileExists(atPath: known) {
      try? FileManager.default.copyItem(atPath: known, toPath: own)
    }
    return own
  }

  /// The file with a run's weights; nil where it gave none.
  public func weightsPath(of run: Run) -> String? { run.weights.map { path("weights/\($0)") } }

  func pathToWrite(weights name: String) -> String { "\(folder)/weights/\(name)" }

  func checkpointName(_ key: String) -> String { "checkpoints/\(key).safetensors" }

  // MARK: What can go

  /// A file that can go.
  public struct Garbage: Sendable {
    public let path: String
    public let bytes: Int
    public let reason: String
  }

  /// What can be removed: files that no run names, what an interrupted write left behind, and the files of runs that
  /// began before a date. Nothing that a process works on now.
  public func garbage(before date: Date?) throws(Failure) -> [Garbage] {
    let runs = Dictionary(grouping: try attempts(), by: \.key)
    var garbage: [Garbage] = []
    for part in ["weights", "checkpoints", "locks", "searches", "ladders"] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(part)")) ?? []
      for name in names.sorted() {
        let path = "\(folder)/\(part)/\(name)"
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let bytes = (attributes?[.size] as? Int) ?? 0
        let age = Date().timeIntervalSince((attributes?[.modificationDate] as? Date) ?? Date())
        func note(_ reason: String) { garbage.append(Garbage(path: path, bytes: bytes, reason: reason)) }
        if name.hasPrefix(".") {
          // Somebody may be writing it just now; to a ledger a line is added now and then.
          if age > (["searches", "ladders"].contains(part) ? 86_400 : 3600) { note("left behind by an interrupted write") }
          continue
        }
        if part == "locks" {
          if !isHeld(name), age > 60 { note("left behind by a process that is gone") }
          continue
        }
        guard part == "weights" || part == "checkpoints" else { continue }
        let attempts = runs[String(name.prefix { $0 != "." && $0 != "-" })] ?? []
        guard let run = Self.chosen(attempts) else {
          note("of no run")
          continue
        }
        if attempts.contains(where: \.isRunning) { continue }
        if let date, run.started < date {
          note("of a run of \(run.started.formatted(.iso8601.year().month().day()))")
        } else if part == "checkpoints", run.state == .finished {
          note("of a run that is finished")
        } else if part == "weights", run.weights != name {
          note(run.state == .finished ? "of an attempt that another took the place of" : "of a run that did not finish")
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

extension RunStore {
  /// How the database of a store came to be what it is.
  private static var migrator: DatabaseMigrator {
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
    // A row of `run` was what a key had come to last, and its key was of what it is and where it is exact together.
    migrator.registerMigration("attempts") { database in
      try database.execute(
        sql: """
          CREATE TABLE attempt (
            id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, identity TEXT NOT NULL, kind TEXT NOT NULL,
            name TEXT NOT NULL, state TEXT NOT NULL, started REAL NOT NULL, finished REAL, script_name TEXT NOT NULL,
            script TEXT NOT NULL, entries TEXT, inputs TEXT NOT NULL, exactness TEXT NOT NULL,
            environment TEXT NOT NULL, result TEXT, weights TEXT, lock TEXT, ledger BLOB);
          CREATE INDEX attempt_key ON attempt(key);
          CREATE INDEX attempt_identity ON attempt(identity);
          INSERT INTO attempt (key, identity, kind, name, state, started, finished, script_name, script, inputs, exactness,
              environment, result, weights, ledger)
            SELECT key, '', kind, name, state, started, finished, script_name, script, inputs, '{}', environment, result,
              CASE state WHEN 'finished' THEN key || '.safetensors' END, ledger
            FROM run ORDER BY started;
          DROP TABLE run;
          """)
    }
    return migrator
  }
}
