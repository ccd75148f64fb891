/// The statements that something follows from, backwards from it: what a prompt's value needs of all that was typed.
///
/// Functions see the names around them as they are when they are called. So whatever a function reads is followed from
/// where the function was made and from where it was used. A file that a statement writes, under a name in quotes, counts
/// as a name that it gives a value to.
public struct Slice: Sendable {
  /// What was typed at once.
  public struct Entry: Sendable {
    public let number: Int
    public let text: String
    /// How many of its statements count; -1 for none, and no function of it either.
    public let done: Int
    /// Whether its value became `ans`.
    public let givesAns: Bool

    public init(number: Int, text: String, done: Int, givesAns: Bool) {
      (self.number, self.text, self.done, self.givesAns) = (number, text, done, givesAns)
    }
  }

  /// One statement, as a script may hold it.
  public struct Line: Hashable, Sendable {
    /// Of the entry that it was typed in, and its line there, from 1.
    public let entry, line: Int
    public let text: String
  }

  /// In the order that they were done in.
  public let lines: [Line]
  /// Names that these read and that other entries gave other values since, with the last entry that did.
  public let changed: [(name: String, entry: Int)]

  /// What the names in a text follow from.
  public static func of(_ text: String, in entries: [Entry]) -> Slice {
    let program = Parser.parse(Source(text, name: "")).program
    return Slice(entries) { search in
      for statement in program.statements {
        for name in NameUse(statement).reads { search.include(name, before: search.pieces.count, at: search.pieces.count) }
      }
    }
  }

  /// What the last entry that went to its end follows from, itself included.
  public static func ofLast(in entries: [Entry]) -> Slice {
    Slice(entries) { search in
      guard let last = search.pieces.last else { return }
      for (place, piece) in search.pieces.enumerated() where piece.entry.number == last.entry.number {
        search.include(place, at: place)
      }
    }
  }

  /// How many statements of a text end before a place in it.
  public static func statements(of text: String, before span: Span) -> Int {
    Parser.parse(Source(text, name: "")).program.statements.count { $0.span.range.upperBound <= span.range.lowerBound }
  }

  private init(_ entries: [Entry], _ start: (inout BackwardSearch) -> Void) {
    var search = BackwardSearch(pieces: entries.flatMap(Piece.all))
    start(&search)
    lines = search.lines
    changed = search.changed
  }
}

/// A statement in the order that they were done in.
private struct Piece {
  let entry: Slice.Entry
  let statement: Statement
  let use: NameUse
  let givesAns: Bool

  static func all(of entry: Slice.Entry) -> [Piece] {
    guard entry.done >= 0 else { return [] }
    let statements = Parser.parse(Source(entry.text, name: "")).program.statements
    // Functions are there from the beginning, also where a statement failed later.
    let functions = statements.filter(\.isFunction)
    let others = statements.prefix(entry.done).filter { statement in
      if case .text = statement.kind { return false }
      return !statement.isFunction
    }
    return (functions + others).map { statement in
      let isLast = entry.givesAns && statement.span == statements.last?.span
      return Piece(entry: entry, statement: statement, use: NameUse(statement), givesAns: isLast)
    }
  }

  /// Whether a name has a new value afterwards; nil where it may have.
  func gives(_ name: String) -> Bool? {
    if givesAns, name == BackwardSearch.answer { return true }
    guard let isCertain = use.writes[name] else { return use.mayGiveAny ? nil : false }
    return isCertain ? true : nil
  }
}

/// Goes backwards from names to the statements that gave them their values.
private struct BackwardSearch {
  static let answer = "ans"

  let pieces: [Piece]
  private var included: Set<Int> = []
  private var answers: Set<Int> = []
  private var seen: Set<Visit> = []

  private struct Visit: Hashable { var name: String, before, at: Int }

  /// Whether a function makes functions, so that what a call gives may be one.
  private let makesFunctions: Bool

  init(pieces: [Piece]) {
    self.pieces = pieces
    makesFunctions = pieces.contains { $0.use.makesFunctions }
  }

  /// - Parameters:
  ///   - end: the first statement that comes too late to have given the name its value.
  ///   - use: where the value is used, if it is a function.
  mutating func include(_ name: String, before end: Int, at use: Int) {
    var waiting = [Visit(name: name, before: end, at: use)]
    while let visit = waiting.popLast() {
      guard seen.insert(visit).inserted else { continue }
      for place in stride(from: min(visit.before, pieces.count) - 1, through: 0, by: -1) {
        let gives = pieces[place].gives(visit.name)
        if gives == false { continue }
        waiting += take(place, at: visit.at)
        if visit.name == Self.answer, pieces[place].givesAns { answers.insert(place) }
        if gives == true { break }
      }
    }
  }

  /// Takes a statement itself.
  mutating func include(_ place: Int, at use: Int) {
    for visit in take(place, at: use) { include(visit.name, before: visit.before, at: visit.at) }
  }

  private mutating func take(_ place: Int, at use: Int) -> [Visit] {
    included.insert(place)
    let names = pieces[place].use
    // What a call gave is what it gave then, unless it may be a function that is called later.
    let use = names.isSettled && !makesFunctions ? place : use
    return names.reads.map { Visit(name: $0, before: place, at: use) }
      + names.functionReads.flatMap { name in
        [Visit(name: name, before: place, at: use), Visit(name: name, before: use, at: use)]
      }
  }

  var lines: [Slice.Line] {
    // A script defines a function once; one that is defined again, or takes another's name, is a value instead.
    var definitions: [String: Int] = [:]
    for place in included { for name in pieces[place].use.writes.keys { definitions[name, default: 0] += 1 } }
    return included.sorted().map { place in
      let (entry, statement) = (pieces[place].entry, pieces[place].statement)
      var text = statement.span.text
      if answers.contains(place) { text = "\(Self.answer) = \(text)" }
      if case .function(let function) = statement.kind, let name = function.name?.text, definitions[name] ?? 0 > 1 {
        text = statement.asAssignment(to: name) ?? text
      }
      return Slice.Line(entry: entry.number, line: statement.span.line, text: text)
    }
  }

  var changed: [(name: String, entry: Int)] {
    let names = Set(included.flatMap { Array(pieces[$0].use.reads.union(pieces[$0].use.functionReads)) })
    return names.sorted().compactMap { name in
      guard let last = pieces.lastIndex(where: { $0.use.writes[name] != nil || $0.gives(name) == true }), !included.contains(last),
        name != Self.answer, included.contains(where: { pieces[$0].gives(name) != false && !pieces[$0].use.mayGiveAny })
      else { return nil }
      return (name, pieces[last].entry.number)
    }
  }
}

extension Statement {
  fileprivate var isFunction: Bool { if case .function = kind { true } else { false } }

  /// `fn f(x) = …` as `f = (x) => …`.
  fileprivate func asAssignment(to name: String) -> String? {
    let text = span.text
    guard let open = text.firstIndex(of: "(") else { return nil }
    var (depth, quoted, escaped) = (0, false, false)
    for place in text[open...].indices {
      let character = text[place]
      defer { escaped = quoted && character == "\\" && !escaped }
      if character == "\"", !escaped { quoted.toggle() }
      guard !quoted else { continue }
      if character == "(" { depth += 1 }
      if character == ")" { depth -= 1 }
      guard depth == 0 else { continue }
      var body = text[text.index(after: place)...].drop { $0 == " " || $0 == "\t" }
      if body.first == "=" { body = body.dropFirst().drop { $0 == " " || $0 == "\t" } }
      return "\(name) = \(text[open...place]) => \(body)"
    }
    return nil
  }
}

/// The names that a statement reads and gives values to. What is a function's own may be among those that are read: one
/// too many does no harm.
private struct NameUse {
  private(set) var reads: Set<String> = []
  /// Those that stand inside functions.
  private(set) var functionReads: Set<String> = []
  /// Whether each has a new value for certain.
  private(set) var writes: [String: Bool] = [:]
  /// Whether a function stands inside of a function.
  private(set) var makesFunctions = false
  /// Whether what it gives is made by calls and operators, and holds no function of its own.
  private(set) var isSettled = true
  /// Whether it brings the names of another script, which are not known here.
  private(set) var mayGiveAny = false
  private var depth = 0

  init(_ statement: Statement) {
    for name in AssignedNames([statement]).names { writes[name.text] = false }
    switch statement.kind {
    case .assignment(let name, _): writes[name.text] = true
    case .destructuring(let pattern, _): for name in pattern.names { writes[name.text] = true }
    case .use: mayGiveAny = true
    case .function(let function): if let name = function.name { writes[name.text] = true }
    case .parameter(let parameter): writes[parameter.name] = true
    default: break
    }
    switch statement.kind {
    case .function: isSettled = false
    case .use, .destructuring: isSettled = false
    case .assignment(_, let value):
      // Another name, or a part, of what may be a function.
      switch value.kind {
      case .name, .field, .index, .list, .record, .computedRecord, .conditional, .with: isSettled = false
      default: break
      }
    default: break
    }
    visit(statement)
  }

  private mutating func read(_ name: String) {
    if depth > 0 { functionReads.insert(name) } else { reads.insert(name) }
  }

  private mutating func visit(_ statement: Statement) {
    switch statement.kind {
    case .expression(let value), .assignment(_, let value), .destructuring(_, let value), .return(let value?):
      visit(value)
    case .function(let function): visit(function)
    case .parameter(let parameter): visit(parameter.expression)
    case .loop(_, let source, let body):
      visit(source)
      visit(body)
    case .whileLoop(let condition, let body):
      visit(condition)
      visit(body)
    case .return(nil), .break, .continue, .text, .use: break
    }
  }

  private mutating func visit(_ block: Block) { for statement in block.statements { visit(statement) } }

  private mutating func visit(_ function: FunctionSyntax) {
    if depth > 0 { makesFunctions = true }
    isSettled = false
    depth += 1
    defer { depth -= 1 }
    for parameter in function.parameters { if let value = parameter.default { visit(value) } }
    visit(function.body)
  }

  private mutating func visit(_ expression: Expression) {
    for child in expression.children { visit(child) }
    switch expression.kind {
    case .name(let name): read(name)
    // A function may be called behind a point.
    case .field(_, let name): read(name.text)
    case .string(let text): read(Self.file(text))
    case .function(let function): visit(function)
    case .conditional(_, let then, let otherwise):
      visit(then)
      if let otherwise { visit(otherwise) }
    case .call(_, let arguments):
      for argument in arguments where argument.label?.text == "to" {
        if case .string(let text) = argument.value.kind { writes[Self.file(text)] = false }
      }
    default: break
    }
  }

  /// How a file is told from a name.
  private static func file(_ path: String) -> String { "\"\(path)\"" }
}
