let lenBuiltin = Builtin(
  "len", "How many elements a list has, fields a record, or characters a string.",
  parameters: [Parameter("value", .any, "A list, range, record, string, or an object with elements.")],
  result: .integer, examples: [Example("len([3, 1, 2])", gives: "3")], chapter: "Lists"
) { arguments in
  switch arguments.value("value") {
  case .string(let string): return .number(Double(string.count))
  case .record(let record): return .number(Double(record.count))
  case .range(let range): return .number(Double(range.count))
  default: return .number(Double(try arguments.list("value").count))
  }
}

let rangeBuiltin = Builtin(
  "range", "A list of numbers from one to another, both included, in equal steps.",
  parameters: [
    Parameter("from", .number, "The first."), Parameter("to", .number, "The last, if a step meets it."),
    Parameter("by", .number, "The step.", default: .number(1)),
  ], result: .list(of: .number), examples: [Example("range(0, 1, by: 0.25)", gives: "[0, 0.25, 0.5, 0.75, 1]")],
  chapter: "Lists"
) { arguments in
  let (from, to, by) = (try arguments.number("from"), try arguments.number("to"), try arguments.number("by"))
  guard by != 0, from.isFinite, to.isFinite, by.isFinite else {
    throw arguments.failure("the step leads nowhere", at: "by")
  }
  // A step that misses the end by rounding alone still reaches it.
  let steps = ((to - from) / by + 1e-9).rounded(.down)
  guard steps >= 0 else { return .list([Value]()) }
  try Extent.checkCount(Int(min(steps, 1e9)), at: arguments.span)
  return .list((0...Int(steps)).map { from + Double($0) * by })
}

private let list = Parameter("list", .list, "A list, a range, or an object with elements.")

let mapBuiltin = Builtin(
  "map", "What a function gives for each element.",
  parameters: [list, Parameter("function", .function, "Takes one element.")], result: .list,
  examples: [Example("map(1...3, x => x ** 2)", gives: "[1, 4, 9]")], chapter: "Lists"
) { arguments in
  let function = try arguments.function("function")
  var results: [Value] = []
  var weight = 0
  for element in try arguments.list("list") {
    let result = try arguments.context.call(function, element)
    weight += Int(result.extent.weight)
    try Extent.checkCount(weight, at: arguments.span)
    results.append(result)
  }
  return .list(results)
}

let filterBuiltin = Builtin(
  "filter", "The elements for which a function gives true.",
  parameters: [list, Parameter("function", .function, "Takes one element and gives true or false.")], result: .list,
  examples: [Example("filter(1...6, x => x % 2 == 0)", gives: "[2, 4, 6]")], chapter: "Lists"
) { arguments in
  let function = try arguments.function("function")
  var results: [Value] = []
  for element in try arguments.list("list") where try truth(function, element, arguments) { results.append(element) }
  return .list(results)
}

private func truth(_ function: Function, _ element: Value, _ arguments: Arguments) throws(ScriptError) -> Bool {
  let result = try arguments.context.call(function, element)
  guard case .bool(let bool) = result else {
    throw .wrongType(
      what: "what the function gives", expected: .bool, found: result.typeName, at: arguments.span(of: "function"))
  }
  return bool
}

let reduceBuiltin = Builtin(
  "reduce", "Joins all elements, from the first, with a function.",
  parameters: [
    list, Parameter("initial", .any, "What to begin with."),
    Parameter("function", .function, "Takes what came before and an element."),
  ], result: .any, examples: [Example("reduce(1...4, 1, (product, x) => product * x)", gives: "24")], chapter: "Lists"
) { arguments in
  let function = try arguments.function("function")
  var result = arguments.value("initial")
  for element in try arguments.list("list") { result = try arguments.context.call(function, result, element) }
  return result
}

let sortBuiltin = Builtin(
  "sort", "The elements in order: numbers by size, strings by their letters.",
  parameters: [
    list, Parameter("by", .function, "Gives for an element what to sort it by.", optional: true),
    Parameter("descending", .bool, "Whether the greatest comes first.", default: .bool(false)),
  ], result: .list, examples: [Example("sort([3, 1, 2], descending: true)", gives: "[3, 2, 1]")], chapter: "Lists"
) { arguments in
  let elements = try arguments.list("list")
  var keys = elements
  if arguments.has("by") {
    let function = try arguments.function("by")
    keys = []
    for element in elements { keys.append(try arguments.context.call(function, element)) }
  }
  keys = keys.map(\.plain)
  let descending = try arguments.bool("descending")
  var order = Array(elements.indices)
  // Equal elements stay in their order; nan comes last.
  switch keys.first {
  case .number:
    var numbers: [Double] = []
    for case .number(let number) in keys { numbers.append(number) }
    guard numbers.count == keys.count else { throw mixed(arguments) }
    order.sort { a, b in
      if numbers[a].isNaN || numbers[b].isNaN { return numbers[a].isNaN == numbers[b].isNaN ? a < b : numbers[b].isNaN }
      return numbers[a] == numbers[b] ? a < b : (numbers[a] < numbers[b]) != descending
    }
  case .string:
    var strings: [String] = []
    for case .string(let string) in keys { strings.append(string) }
    guard strings.count == keys.count else { throw mixed(arguments) }
    order.sort { a, b in strings[a] == strings[b] ? a < b : (strings[a] < strings[b]) != descending }
  case nil: break
  default: throw mixed(arguments)
  }
  return .list(order.map { elements[$0] })
}

private func mixed(_ arguments: Arguments) -> ScriptError {
  arguments.failure(
    "only numbers, or only strings, can be sorted", hint: "say what to sort by: sort(list, by: x => …)", at: "list")
}

let reverseBuiltin = Builtin(
  "reverse", "The elements from the last to the first.", parameters: [list], result: .list,
  examples: [Example("reverse(1...3)", gives: "[3, 2, 1]")], chapter: "Lists"
) { arguments in .list(Array(try arguments.list("list").reversed())) }

let zipBuiltin = Builtin(
  "zip", "Pairs of the elements of two lists, as long as both last.",
  parameters: [Parameter("a", .list, "A list."), Parameter("b", .list, "Another.")], result: .list(of: .list),
  examples: [Example(#"zip(["a", "b"], 1...2)"#, gives: #"[["a", 1], ["b", 2]]"#)], chapter: "Lists"
) { arguments in
  let (a, b) = (try arguments.list("a"), try arguments.list("b"))
  // A pair weighs as much as three values.
  try Extent.checkCount(3 * min(a.count, b.count), at: arguments.span)
  return .list(Swift.zip(a, b).map { .list([$0, $1]) })
}

let enumerateBuiltin = Builtin(
  "enumerate", "Pairs of a number from 0 and an element.", parameters: [list], result: .list(of: .list),
  examples: [Example(#"enumerate(["a", "b"])"#, gives: #"[[0, "a"], [1, "b"]]"#)], chapter: "Lists"
) { arguments in
  let elements = try arguments.list("list")
  try Extent.checkCount(3 * elements.count, at: arguments.span)
  return .list(elements.enumerated().map { .list([.number(Double($0)), $1]) })
}

let containsBuiltin = Builtin(
  "contains", "Whether a list has an element, or a string a part.",
  parameters: [
    Parameter("whole", .either([.string, .list]), "Where to look."), Parameter("part", .any, "What to look for."),
  ], result: .bool, examples: [Example(#"contains("mobilenet", "net")"#, gives: "true")], chapter: "Lists"
) { arguments in
  let part = arguments.value("part")
  if case .string(let whole) = arguments.value("whole") {
    guard case .string(let part) = part else {
      throw ScriptError.wrongType(what: "part", expected: .string, found: part.typeName, at: arguments.span(of: "part"))
    }
    return .bool(part.isEmpty || Search(part).isFound(in: whole))
  }
  return .bool(try arguments.list("whole").contains(part))
}

let indexOf = Builtin(
  "indexOf", "Where an element stands first, from 0; none where it does not.",
  parameters: [list, Parameter("element", .any, "What to look for.")], result: .optional(.integer),
  examples: [Example("indexOf([5, 7], 7)", gives: "1")], chapter: "Lists"
) { arguments in
  let element = arguments.value("element")
  return try arguments.list("list").firstIndex(of: element).map { .number(Double($0)) } ?? .none
}

let firstBuiltin = Builtin(
  "first", "The first elements, or the first one.",
  parameters: [list, Parameter("count", .integer, "How many; a list of them.", optional: true, allowed: 0...1e15)],
  result: .any, examples: [Example("first(1...10, 3)", gives: "[1, 2, 3]")], chapter: "Lists"
) { arguments in
  let elements = try arguments.list("list")
  if arguments.has("count") { return .list(Array(elements.prefix(try arguments.integer("count")))) }
  guard let first = elements.first else { throw arguments.failure("the list is empty", at: "list") }
  return first
}

let lastBuiltin = Builtin(
  "last", "The last elements, or the last one.",
  parameters: [list, Parameter("count", .integer, "How many; a list of them.", optional: true, allowed: 0...1e15)],
  result: .any, examples: [Example("last([75.1, 75.6, 75.8])", gives: "75.8")], chapter: "Lists"
) { arguments in
  let elements = try arguments.list("list")
  if arguments.has("count") { return .list(Array(elements.suffix(try arguments.integer("count")))) }
  guard let last = elements.last else { throw arguments.failure("the list is empty", at: "list") }
  return last
}

let uniqueBuiltin = Builtin(
  "unique", "The elements without repetitions, in the order they come first.", parameters: [list], result: .list,
  examples: [Example("unique([1, 2, 1])", gives: "[1, 2]")], chapter: "Lists"
) { arguments in
  var (seenNumbers, seenStrings) = (Set<Double>(), Set<String>())
  var others: [Value] = []
  var results: [Value] = []
  for element in try arguments.list("list") {
    switch element {
    case .number(let number): if seenNumbers.insert(number).inserted { results.append(element) }
    case .string(let string): if seenStrings.insert(string).inserted { results.append(element) }
    default:
      try arguments.context.checkInterruption()
      if !others.contains(element) {
        others.append(element)
        results.append(element)
      }
    }
  }
  return .list(results)
}

let flatten = Builtin(
  "flatten", "The elements of the lists in a list, as one list.", parameters: [Parameter("lists", .list, "Lists.")],
  result: .list, examples: [Example("flatten([[1, 2], [3]])", gives: "[1, 2, 3]")], chapter: "Lists"
) { arguments in
  var results: [Value] = []
  for element in try arguments.list("lists") {
    results += try element.iterated(at: arguments.span) ?? [element]
    try Extent.checkCount(results.count, at: arguments.span)
  }
  return .list(results)
}

let anyBuiltin = Builtin(
  "any", "Whether a function gives true for an element.",
  parameters: [list, Parameter("function", .function, "Takes one element and gives true or false.")], result: .bool,
  examples: [Example("any([1, 5], x => x > 3)", gives: "true")], chapter: "Lists"
) { arguments in
  let function = try arguments.function("function")
  for element in try arguments.list("list") where try truth(function, element, arguments) { return .bool(true) }
  return .bool(false)
}

let allBuiltin = Builtin(
  "all", "Whether a function gives true for every element.",
  parameters: [list, Parameter("function", .function, "Takes one element and gives true or false.")], result: .bool,
  examples: [Example("all([1, 5], x => x > 3)", gives: "false")], chapter: "Lists"
) { arguments in
  let function = try arguments.function("function")
  for element in try arguments.list("list") where try !truth(function, element, arguments) { return .bool(false) }
  return .bool(true)
}

let repeatBuiltin = Builtin(
  "repeat", "A list of the same value, or a string, so many times.",
  parameters: [
    Parameter("value", .any, "What to repeat."), Parameter("times", .integer, "How often.", allowed: 0...1e7),
  ],
  result: .any, examples: [Example(#"repeat("-", 5)"#, gives: "\"-----\"")], chapter: "Lists"
) { arguments in
  let times = try arguments.integer("times")
  if case .string(let string) = arguments.value("value") {
    try Operators.checkLength(string.utf8.count.multipliedReportingOverflow(by: times).partialValue, at: arguments.span)
    return .string(String(repeating: string, count: times))
  }
  let value = arguments.value("value")
  try Extent.checkCount(Int(value.extent.weight) * times, at: arguments.span)
  return .list([Value](repeating: value, count: times))
}
