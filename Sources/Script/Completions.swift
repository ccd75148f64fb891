import Foundation

/// What could stand at a cursor, and which part of the text it would replace.
public struct Completions: Hashable, Sendable {
  public struct Candidate: Hashable, Sendable {
    /// What replaces the word at the cursor.
    public let text: String
    /// One line about it.
    public let doc: String
  }
  /// Where the word at the cursor begins, in bytes.
  public let start: Int
  public let candidates: [Candidate]
}

extension Session {
  /// Lists what could stand at a cursor.
  /// - Parameter cursor: a place in the text, in bytes.
  public func completions(in text: String, at cursor: Int) -> Completions {
    Completer(text: text, cursor: cursor, session: self).completions
  }
}

private struct Completer {
  let session: Session
  private let before: [UInt8]
  private let tokens: [Token]
  /// Where an open string begins, behind its quote.
  private let openString: Int?

  init(text: String, cursor: Int, session: Session) {
    self.session = session
    before = Array(text.utf8.prefix(max(0, cursor)))
    openString = Self.openString(in: before)
    let end = openString.map { $0 - 1 } ?? before.count
    var lexer = Lexer(Source(String(decoding: before[..<end], as: UTF8.self), name: ""))
    tokens = lexer.tokens().dropLast()
  }

  /// Finds a string that is not closed before the cursor; strings inside of interpolations are not looked for.
  private static func openString(in bytes: [UInt8]) -> Int? {
    var start: Int?
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\\") where start != nil: index += 1
      case UInt8(ascii: "\""): start = start == nil ? index + 1 : nil
      case UInt8(ascii: "#") where start == nil:
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
        continue
      case UInt8(ascii: "\n"): start = nil
      default: break
      }
      index += 1
    }
    return start
  }

  var completions: Completions {
    if let openString { return insideString(from: openString) }
    var word = ""
    var rest = tokens[...]
    if let last = rest.last, Int(last.end) == before.count {
      switch last.kind {
      case .name(let name):
        word = name
        rest.removeLast()
      case .keyword(let keyword):
        word = keyword.rawValue
        rest.removeLast()
      default: break
      }
    }
    let start = before.count - word.utf8.count
    if case .symbol(.dot)? = rest.last?.kind { return fields(of: rest.dropLast(), word, start) }
    var candidates: [Completions.Candidate] = []
    if let call = openCall(rest) { candidates += labels(of: call, word) }
    candidates += names(word)
    return Completions(start: start, candidates: candidates)
  }

  private func matching(_ candidates: [Completions.Candidate], _ word: String) -> [Completions.Candidate] {
    candidates.filter { $0.text.hasPrefix(word) }
  }

  private func names(_ word: String) -> [Completions.Candidate] {
    var seen = Set<String>()
    var candidates: [Completions.Candidate] = []
    func add(_ name: String, _ doc: String) {
      if name.hasPrefix(word), seen.insert(name).inserted { candidates.append(.init(text: name, doc: doc)) }
    }
    for name in session.globalNames { add(name, session[name]?.typeName ?? "") }
    for builtin in session.library.builtins { add(builtin.name, builtin.doc) }
    for constant in session.library.constants { add(constant.name, constant.doc) }
    for keyword in Keyword.allCases { add(keyword.rawValue, "") }
    return candidates.sorted { $0.text < $1.text }
  }

  // MARK: Fields

  /// The value of a path such as `run.model`, if it is there without computing anything.
  private func value(of tokens: ArraySlice<Token>) -> (value: Value?, type: ValueType) {
    var path: [String] = []
    var rest = tokens
    while case .name(let name)? = rest.last?.kind {
      path.insert(name, at: 0)
      rest.removeLast()
      guard case .symbol(.dot)? = rest.last?.kind else { break }
      rest.removeLast()
    }
    guard let first = path.first else {
      // A call such as `resnet50(classes: 10).`: its result's type is declared.
      if case .symbol(.closeParenthesis)? = tokens.last?.kind, let name = calledName(tokens),
        let builtin = session.library.builtin(name)
      {
        return (nil, builtin.result)
      }
      if case .string? = tokens.last?.kind { return (nil, .string) }
      if case .symbol(.closeBracket)? = tokens.last?.kind { return (nil, .any) }
      return (nil, .any)
    }
    guard var value = session[first] ?? session.library.constant(first)?.value else { return (nil, .any) }
    for name in path.dropFirst() {
      guard case .record(let record) = value, let next = record[name] else {
        // Fields of objects may take long to compute; their declared type is enough.
        guard case .object(let object) = value, path.last == name,
          let field = session.library.objectType(object.typeName)?.fields.first(where: { $0.name == name })
        else { return (nil, .any) }
        return (nil, field.type)
      }
      value = next
    }
    return (value, value.staticType)
  }

  private func calledName(_ tokens: ArraySlice<Token>) -> String? {
    var depth = 0
    for index in tokens.indices.reversed() {
      switch tokens[index].kind {
      case .symbol(.closeParenthesis): depth += 1
      case .symbol(.openParenthesis):
        depth -= 1
        if depth == 0, index > tokens.startIndex, case .name(let name) = tokens[index - 1].kind { return name }
      default: break
      }
    }
    return nil
  }

  private func fields(of tokens: ArraySlice<Token>, _ word: String, _ start: Int) -> Completions {
    let (value, type) = value(of: tokens)
    var candidates: [Completions.Candidate] = []
    var names = value.map(Operators.fieldNames) ?? []
    switch type {
    case .object(let name):
      let known = session.library.objectType(name)
      for field in known?.fields ?? [] {
        candidates.append(.init(text: field.name, doc: field.doc))
        names.removeAll { $0 == field.name }
      }
    case .recordOf(let fields) where names.isEmpty: names = fields.keys.sorted()
    default: break
    }
    candidates += names.map { .init(text: $0, doc: "") }
    for builtin in session.library.builtins {
      guard let first = builtin.parameters.first, takes(first.type, type) else { continue }
      candidates.append(.init(text: builtin.name, doc: builtin.doc))
    }
    return Completions(start: start, candidates: matching(candidates, word))
  }

  /// Whether a function that takes `wanted` first is worth offering for a value.
  private func takes(_ wanted: ValueType, _ type: ValueType) -> Bool {
    switch type {
    case .any: true
    case .object(let name): wanted.mentions(name)
    default: wanted != .any && wanted.mightAccept(type)
    }
  }

  // MARK: Calls

  /// The innermost call that is open at the end of the tokens.
  private func openCall(_ tokens: ArraySlice<Token>) -> (
    name: String, labels: Set<String>, current: String?, position: Int, isMethod: Bool
  )? {
    var depth = 0
    var labels = Set<String>()
    var current: String?
    var position = 0
    for index in tokens.indices.reversed() {
      switch tokens[index].kind {
      case .symbol(.closeParenthesis), .symbol(.closeBracket), .symbol(.closeBrace): depth += 1
      case .symbol(.openBracket), .symbol(.openBrace):
        if depth == 0 { return nil }
        depth -= 1
      case .symbol(.openParenthesis):
        if depth > 0 {
          depth -= 1
          continue
        }
        guard index > tokens.startIndex, case .name(let name) = tokens[index - 1].kind else { return nil }
        let isMethod = index - 2 >= tokens.startIndex && tokens[index - 2].kind == .symbol(.dot)
        return (name, labels, current, position + (isMethod ? 1 : 0), isMethod)
      case .symbol(.comma) where depth == 0: position += 1
      case .symbol(.colon) where depth == 0:
        if index > tokens.startIndex, case .name(let label) = tokens[index - 1].kind {
          labels.insert(label)
          if index == tokens.endIndex - 1 { current = label }
        }
      default: break
      }
    }
    return nil
  }

  private func labels(
    of call: (name: String, labels: Set<String>, current: String?, position: Int, isMethod: Bool), _ word: String
  ) -> [Completions.Candidate] {
    guard call.current == nil else { return [] }
    if let builtin = session.library.builtin(call.name) {
      let free = builtin.parameters.dropFirst(call.isMethod ? 1 : 0).filter {
        !$0.isVariadic && !call.labels.contains($0.label)
      }
      return matching(free.map { .init(text: $0.label + ":", doc: $0.doc) }, word)
    }
    guard case .function(let function)? = session[call.name] else { return [] }
    return matching(
      function.parameterNames.filter { !call.labels.contains($0) }.map { .init(text: $0 + ":", doc: "") }, word)
  }

  // MARK: Strings

  private func insideString(from start: Int) -> Completions {
    let word = String(decoding: before[start...], as: UTF8.self)
    if let call = openCall(tokens[...]), let builtin = session.library.builtin(call.name) {
      let parameter =
        call.current.flatMap { label in builtin.parameters.first { $0.label == label } }
        ?? (builtin.parameters.indices.contains(call.position) ? builtin.parameters[call.position] : nil)
      if case .oneOf(let choices)? = parameter?.type.unwrapped {
        return Completions(
          start: start, candidates: matching(choices.map { .init(text: $0, doc: parameter?.doc ?? "") }, word))
      }
    }
    return Completions(start: start, candidates: files(word))
  }

  private func files(_ word: String) -> [Completions.Candidate] {
    let slash = word.lastIndex(of: "/")
    let folder = slash.map { String(word[...$0]) } ?? ""
    let prefix = slash.map { String(word[word.index(after: $0)...]) } ?? word
    let path = session.workingDirectory.absolute(folder.isEmpty ? "." : folder)
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return [] }
    return names.filter { $0.hasPrefix(prefix) && (!$0.hasPrefix(".") || prefix.hasPrefix(".")) }.sorted().map { name in
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isFolder)
      return .init(text: folder + name + (isFolder.boolValue ? "/" : ""), doc: "")
    }
  }
}
