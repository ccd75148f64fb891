import Foundation

/// What could stand at a cursor, and which part of the text it would replace.
public struct Completions: Hashable, Sendable {
  public struct Candidate: Hashable, Sendable {
    /// What replaces the word at the cursor.
    public let text: String
    /// One line about it.
    public let doc: String

    package init(text: String, doc: String) { (self.text, self.doc) = (text, doc) }
  }
  /// Where the word at the cursor begins, in bytes.
  public let start: Int
  public let candidates: [Candidate]

  package init(start: Int, candidates: [Candidate]) { (self.start, self.candidates) = (start, candidates) }
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
    if let call = openCall(rest) {
      let choices = choices(of: call, word)
      if !choices.isEmpty { return Completions(start: start, candidates: choices) }
      candidates += labels(of: call, word)
    }
    // Where nothing is typed yet, what the call takes says more than all names there are.
    if !word.isEmpty || candidates.isEmpty { candidates += names(word) }
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
        let builtin = builtin(name)
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

  /// The built-in of a name, unless the script has a function of that name.
  private func builtin(_ name: String) -> Builtin? {
    if case .function? = session[name] { return nil }
    return session.library.builtin(name)
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

  private struct Call {
    var name: String
    /// The arguments that are named already.
    var labels: Set<String>
    /// The name of the argument that the cursor stands in.
    var current: String?
    /// The place of that argument.
    var position: Int
    var isMethod: Bool
  }

  /// The innermost call that is open at the end of the tokens.
  private func openCall(_ tokens: ArraySlice<Token>) -> Call? {
    var depth = 0
    var labels = Set<String>()
    var current: String?
    var position = 0
    for index in tokens.indices.reversed() {
      switch tokens[index].kind {
      case .symbol(.closeParenthesis), .symbol(.closeBracket), .symbol(.closeBrace): depth += 1
      case .symbol(.openBracket) where depth == 0:
        // An element of a list is offered what the list's parameter takes; the commas so far were the list's own.
        position = 0
        current = nil
      case .symbol(.openBrace) where depth == 0: return nil
      case .symbol(.openBracket), .symbol(.openBrace): depth -= 1
      case .symbol(.openParenthesis):
        if depth > 0 {
          depth -= 1
          continue
        }
        guard index > tokens.startIndex, case .name(let name) = tokens[index - 1].kind else { return nil }
        let isMethod = index - 2 >= tokens.startIndex && tokens[index - 2].kind == .symbol(.dot)
        return Call(
          name: name, labels: labels, current: current, position: position + (isMethod ? 1 : 0), isMethod: isMethod)
      case .symbol(.comma) where depth == 0: position += 1
      case .symbol(.colon) where depth == 0:
        if index > tokens.startIndex, case .name(let label) = tokens[index - 1].kind {
          labels.insert(label)
          if current == nil, position == 0 { current = label }
        }
      default: break
      }
    }
    return nil
  }

  private func labels(of call: Call, _ word: String) -> [Completions.Candidate] {
    guard call.current == nil else { return [] }
    if let builtin = builtin(call.name) {
      // Arguments without a name come first, so they are the first parameters.
      let free = builtin.parameters.dropFirst(max(0, call.position - call.labels.count)).filter {
        !$0.isVariadic && !call.labels.contains($0.label)
      }
      return matching(free.map { .init(text: $0.label + ":", doc: $0.doc) }, word)
    }
    guard case .function(let function)? = session[call.name] else { return [] }
    return matching(
      function.parameterNames.filter { !call.labels.contains($0) }.map { .init(text: $0 + ":", doc: "") }, word)
  }

  /// The literals that an argument is one of; they match with their quotes and without.
  private func choices(of call: Call, _ word: String) -> [Completions.Candidate] {
    guard call.current != nil, let type = parameter(of: call)?.type else { return [] }
    return type.choices.filter { $0.hasPrefix(word) || $0.hasPrefix("\"" + word) }.map { .init(text: $0, doc: "") }
  }

  // MARK: Strings

  private func insideString(from start: Int) -> Completions {
    let word = String(decoding: before[start...], as: UTF8.self)
    if let call = openCall(tokens[...]), let words = parameter(of: call)?.type.named.words, !words.isEmpty {
      return Completions(start: start, candidates: matching(words.map { .init(text: $0, doc: "") }, word))
    }
    return Completions(start: start, candidates: files(word))
  }

  /// The parameter of a built-in that the cursor stands at.
  private func parameter(of call: Call) -> Parameter? {
    guard let builtin = builtin(call.name) else { return nil }
    if let label = call.current { return builtin.parameters.first { $0.label == label } }
    return builtin.parameters.indices.contains(call.position) ? builtin.parameters[call.position] : nil
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

extension ValueType {
  /// What may be meant by name: the type itself, of an optional or a list the one inside.
  fileprivate var named: ValueType {
    switch self {
    case .optional(let type), .list(of: let type): type.named
    default: self
    }
  }

  /// The literals that a value of this type is one of, as they are typed; none where there are too many.
  fileprivate var choices: [String] {
    if named == .bool { return ["true", "false"] }
    return named.words.map { "\"\($0)\"" }
  }
}
