let printBuiltin = Builtin(
  "print", "Prints values on one line, separated by spaces.",
  parameters: [Parameter("values", .any, "Values.", variadic: true)], result: .none,
  examples: [Example(#"print("top1", 75.8)"#)], chapter: "Basics"
) { arguments in
  if arguments.rest.count == 1, case .object(let object) = arguments.rest[0] {
    arguments.context.print(object.pieces)
  } else {
    arguments.context.print(arguments.rest.map(\.text).joined(separator: " "))
  }
  return .none
}

let tableBuiltin = Builtin(
  "table", "Prints a list of records as a table with one row per record.",
  parameters: [
    Parameter("rows", .list(of: .record), "Records. A missing field stays empty."),
    Parameter("columns", .list(of: .string), "Fields to show, in order. Default: all.", optional: true),
  ], result: .none, examples: [Example(#"table([{ model: "vgg16", top1: 71.6 }, { model: "resnet50", top1: 75.8 }])"#)],
  chapter: "Basics"
) { arguments in
  var records: [Record] = []
  for case .record(let record) in try arguments.list("rows") { records.append(record) }
  var columns: [String] = []
  if arguments.has("columns") {
    columns = try arguments.strings("columns")
  } else {
    var seen = Set<String>()
    for name in records.flatMap(\.names) where seen.insert(name).inserted { columns.append(name) }
  }
  guard !columns.isEmpty else { return .none }
  let rows = records.map { record in columns.map { record[$0] ?? .string("") } }
  arguments.context.print([.table(Table(columns: columns, rows: rows))])
  return .none
}

let typeOf = Builtin(
  "typeOf", "Returns the type of a value as text.", parameters: [Parameter("value", .any, "Any value.")], result: .string,
  examples: [Example("typeOf(50%)", gives: "\"number\"")], chapter: "Basics"
) { arguments in .string(arguments.value("value").typeName) }

let environmentBuiltin = Builtin(
  "env", "Returns the value of an environment variable.",
  parameters: [
    Parameter("name", .string, "Name of the variable."),
    Parameter("default", .any, "Value if the variable is not set. Without a default that is an error.", optional: true),
  ], result: .any, examples: [Example(#"env("REPRISE_NO_SUCH", default: "data")"#, gives: "\"data\"")],
  chapter: "Basics"
) { arguments in
  let name = try arguments.string("name")
  if let text = arguments.context.environment(name) { return .string(text) }
  if arguments.gives("default") { return arguments.value("default") }
  throw arguments.missing("the environment variable \(name) is not set", hint: "export \(name)=…", at: "name")
}

let assertBuiltin = Builtin(
  "assert", "Stops the script with an error unless a condition is true.",
  parameters: [
    Parameter("condition", .bool, "Condition."),
    Parameter("message", .string, "Text of the error.", optional: true),
  ], result: .none, examples: [Example("assert(1 + 1 == 2)")], chapter: "Basics"
) { arguments in
  guard try arguments.bool("condition") else {
    let message = try arguments.has("message") ? arguments.string("message") : "this does not hold"
    throw arguments.failure(message, at: "condition")
  }
  return .none
}

let failBuiltin = Builtin(
  "fail", "Stops the script with an error.", parameters: [Parameter("message", .string, "Text of the error.")], result: .none,
  examples: [Example(#"if 1 > 2 { fail("numbers are broken") }"#)], chapter: "Basics"
) { arguments in throw arguments.failure(try arguments.string("message")) }
