let lenBuiltin = Builtin(
  "len", "Returns the number of elements of a list, fields of a record, or characters of a string.",
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
  "range", "Returns the numbers from one to another, both included, in equal steps.",
  parameters: [
    Parameter("from", .number, "First number."), Parameter("to", .number, "Upper limit, included if a step reaches it."),
    Parameter("by", .number, "Step.", default: .number(1)),
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
  "map", "Applies a function to each element and returns the list of results.",
  parameters: [list, Parameter("function", .function, "Function of one element.")], result: .list,
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
  "filter", "Returns the elements for which a function is true.",
  parameters: [list, Parameter("function", .function, "Function of one element that returns true or false.")], result: .list,
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
  "reduce", "Combines all elements from first to last with a function.",
  parameters: [
    list, Parameter("initial", .any, "Initial value."),
    Parameter("function", .function, "Function of the value so far and an element."),
  ], result: .any, examples: [Example("reduce(1...4, 1, (product, x) => product * x)", gives: "24")], chapter: "Lists"
) { arguments in
  let function = try arguments.function("function")
  var result = arguments.value("initial")
  for element in try arguments.list("list") { result = try arguments.context.call(function, result, element) }
  return result
}

let sortBuiltin = Builtin(
  "sort", "Returns the elements in ascending order: numbers by size, strings alphabetically.",
  parameters: [
    list, Parameter("by", .function, "Function of an element that returns its sort key.", optional: true),
    Parameter("descending", .bool, "Whether to sort in descending order.", default: .bool(false)),
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
  "reverse", "Returns the elements in reverse order.", parameters: [list], result: .list,
  examples: [Example("reverse(1...3)", gives: "[3, 2, 1]")], chapter: "Lists"
) { arguments in .list(Array(try arguments.list("list").reversed())) }

let zipBuiltin = Builtin(
  "zip", "Returns pairs of the elements of two lists, as many as the shorter list has.",
  parameters: [Parameter("a", .list, "A list."), Parameter("b", .list, "Another.")], result: .list(of: .list),
  examples: [Example(#"zip(["a", "b"], 1...2)"#, gives: #"[["a", 1], ["b", 2]]"#)], chapter: "Lists"
) { arguments in
  let (a, b) = (try arguments.list("a"), try arguments.list("b"))
  // A pair weighs as much as three values.
  try Extent.checkCount(3 * min(a.count, b.count), at: arguments.span)
  return .list(Swift.zip(a, b).map { .list([$0, $1]) })
}

let enumerateBuiltin = Builtin(
  "enumerate", "Returns pairs [index, element], with indices from 0.", parameters: [list], result: .list(of: .list),
  examples: [Example(#"enumerate(["a", "b"])"#, gives: #"[[0, "a"], [1, "b"]]"#)], chapter: "Lists"
) { arguments in
  let elements = try arguments.list("list")
  try Extent.checkCount(3 * elements.count, at: arguments.span)
  return .list(elements.enumerated().map { .list([.number(Double($0)), $1]) })
}

let containsBuiltin = Builtin(
  "contains", "Returns whether a list contains an element, or a string another string.",
  parameters: [
    Parameter("whole", .either([.string, .list]), "List or string."), Parameter("part", .any, "Element or string to find."),
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
  "indexOf", "Returns the index of the first equal element, from 0, or none.",
  parameters: [list, Parameter("element", .any, "Element or string to find.")], result: .optional(.integer),
  examples: [Example("indexOf([5, 7], 7)", gives: "1")], chapter: "Lists"
) { arguments in
  let element = arguments.value("element")
  return try arguments.list("list").firstIndex(of: element).map { .number(Double($0)) } ?? .none
}

let firstBuiltin = Builtin(
  "first", "Returns the first element, or a list of the first elements.",
  parameters: [list, Parameter("count", .integer, "Number of elements. Without it, the element itself is returned.", optional: true, allowed: 0...1e15)],
  result: .any, examples: [Example("first(1...10, 3)", gives: "[1, 2, 3]")], chapter: "Lists"
) { arguments in
  let elements = try arguments.list("list")
  if arguments.has("count") { return .list(Array(elements.prefix(try arguments.integer("count")))) }
  guard let first = elements.first else { throw arguments.failure("the list is empty", at: "list") }
  return first
}

let lastBuiltin = Builtin(
  "last", "Returns the last element, or a list of the last elements.",
  parameters: [list, Parameter("count", .integer, "Number of elements. Without it, the element itself is returned.", optional: true, allowed: 0...1e15)],
  result: .any, examples: [Example("last([75.1, 75.6, 75.8])", gives: "75.8")], chapter: "Lists"
) { arguments in
  let elements = try arguments.list("list")
  if arguments.has("count") { return .list(Array(elements.suffix(try arguments.integer("count")))) }
  guard let last = elements.last else { throw arguments.failure("the list is empty", at: "list") }
  return last
}

let uniqueBuiltin = Builtin(
  "unique", "Returns the elements without duplicates, in order of first occurrence.", parameters: [list], result: .list,
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
  "flatten", "Joins the lists in a list into one list.", parameters: [Parameter("lists", .list, "Lists.")],
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
  "any", "Returns whether a function is true for at least one element.",
  parameters: [list, Parameter("function", .function, "Function of one element that returns true or false.")], result: .bool,
  examples: [Example("any([1, 5], x => x > 3)", gives: "true")], chapter: "Lists"
) { arguments in
  let function = try arguments.function("function")
  for element in try arguments.list("list") where try truth(function, element, arguments) { return .bool(true) }
  return .bool(false)
}

let allBuiltin = Builtin(
  "all", "Returns whether a function is true for every element.",
  parameters: [list, Parameter("function", .function, "Function of one element that returns true or false.")], result: .bool,
  examples: [Example("all([1, 5], x => x > 3)", gives: "false")], chapter: "Lists"
) { arguments in
  let function = try arguments.function("function")
  for element in try arguments.list("list") where try !truth(function, element, arguments) { return .bool(false) }
  return .bool(true)
}

let repeatBuiltin = Builtin(
  "repeat", "Returns a list with a value repeated, or a string repeated.",
  parameters: [
    Parameter("value", .any, "Value or string."), Parameter("times", .integer, "Number of repetitions.", allowed: 0...1e7),
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
