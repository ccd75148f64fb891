import Foundation
internal import Tensors

/// Where the scripts come from that `use` names.
public struct UsedScripts: Sendable {
  /// Reads a script by the name that `use` gives it, as seen from the folder of the script that runs.
  /// - Returns: The script, and what tells it from all others, whichever way leads to it.
  let read: @Sendable (_ name: String, WorkingDirectory) throws(Failure) -> (source: Source, identity: String)

  /// Why a script cannot be read.
  enum Failure: Error {
    case reason(String)
    case script(ScriptError)
  }

  /// Files of this machine.
  public static let files = UsedScripts { name, directory throws(Failure) in
    let path = directory.absolute(name)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .reason("there is no such file")
    }
    guard !isFolder.boolValue else { throw .reason("this is a folder") }
    // Opening a pipe would wait for somebody who writes to it.
    guard (try? FileManager.default.attributesOfItem(atPath: resolved(path))[.type]) as? FileAttributeType == .typeRegular
    else { throw .reason("this is not a regular file") }
    let bytes: [UInt8]
    do throws(TensorError) {
      bytes = try readFile(path, limit: Source.largest)
    } catch {
      throw .reason("\(error)")
    }
    do throws(ScriptError) {
      return (try Source(validating: bytes, name: name), resolved(path))
    } catch {
      throw .script(error)
    }
  }

  /// No scripts at all.
  public static let none = UsedScripts { _, _ throws(Failure) in throw .reason("no other script is read here") }

  /// Texts that were kept, by their names.
  public static func texts(_ texts: [String: String]) -> UsedScripts {
    UsedScripts { name, _ throws(Failure) in
      guard let text = texts[name] else { throw .reason("its text was not kept") }
      return (Source(text, name: name), name)
    }
  }

  private static func resolved(_ path: String) -> String { URL(filePath: path).resolvingSymlinksInPath().path }
}

/// Finds the scripts that a script uses, and those that these use.
struct UseChain {
  private let scripts: UsedScripts
  private let directory: WorkingDirectory
  private var programs: [Program] = []
  private var finished: Set<String> = []
  private var byteCount = 0

  /// How many scripts may use each other in a row, and how many may be used together.
  static let deepest = 50
  static let most = 500

  init(_ scripts: UsedScripts, _ directory: WorkingDirectory) { (self.scripts, self.directory) = (scripts, directory) }

  /// The programs that one uses, each before those that use it, and that one as the last.
  /// - Throws: All that is wrong with the text of one of them, or with a path.
  mutating func programs(of program: Program) throws(ScriptFailure) -> [Program] {
    try add(program, [])
    return programs
  }

  private mutating func add(
    _ program: Program, _ way: [(name: String, identity: String)]
  ) throws(ScriptFailure) {
    for statement in program.statements {
      guard case .use(let path) = statement.kind else { continue }
      let name = Self.name(path.text, from: program.source.name)
      let (source, identity) = try read(name, path)
      if let first = way.firstIndex(where: { $0.identity == identity }) {
        throw Self.failure(.useCycle(way[first...].map(\.name) + [name], at: path.span))
      }
      guard !finished.contains(identity) else { continue }
      byteCount += source.bytes.count
      guard way.count < Self.deepest, programs.count < Self.most, byteCount <= Source.largest else {
        throw Self.failure(.unusable(path: path.text, reason: "too many scripts use each other", at: path.span))
      }
      let (used, errors, _) = Parser.parse(source)
      guard errors.isEmpty else { throw ScriptFailure(errors, stage: .check) }
      try add(used, way + [(name, identity)])
      finished.insert(identity)
    }
    programs.append(program)
  }

  private func read(_ name: String, _ path: Name) throws(ScriptFailure) -> (source: Source, identity: String) {
    guard !path.text.isEmpty, !path.text.utf8.contains(0) else {
      throw Self.failure(.unusable(path: path.text, reason: "this is not a path", at: path.span))
    }
    do throws(UsedScripts.Failure) {
      return try scripts.read(name, directory)
    } catch {
      switch error {
      case .reason(let reason): throw Self.failure(.unusable(path: path.text, reason: reason, at: path.span))
      case .script(let error): throw Self.failure(error)
      }
    }
  }

  private static func failure(_ error: ScriptError) -> ScriptFailure { ScriptFailure([error], stage: .check) }

  /// A path as seen from the folder of the script that it stands in; what was typed has none.
  static func name(_ path: String, from user: String) -> String {
    guard !path.hasPrefix("/"), !path.hasPrefix("~"), !user.hasPrefix("<"), let slash = user.lastIndex(of: "/") else {
      return path
    }
    var parts = user[..<slash].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    for part in path.split(separator: "/") where part != "." {
      if part == "..", let last = parts.last, last != "..", last != ".", !last.isEmpty {
        parts.removeLast()
      } else {
        parts.append(String(part))
      }
    }
    return parts.joined(separator: "/")
  }
}
